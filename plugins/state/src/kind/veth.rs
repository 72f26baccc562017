// SPDX-License-Identifier: Apache-2.0

//! Veth: a pair is created with both names; the pairing can't be changed later.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Veth;

impl Kind for Veth {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Veth
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let peer = interface.veth_peer();
        if is_new && peer.is_none() {
            return Err(NipartError::invalid(
                path,
                "a new veth needs the name of its other end: veth: {peer: NAME}",
            ));
        }
        match peer {
            Some(peer) => crate::validate::check_link_name(peer, &format!("{path}.veth.peer")),
            None => Ok(()),
        }
    }

    fn is_fixed(&self, _key: &str, _difference: &Difference) -> bool {
        true
    }
}
