// SPDX-License-Identifier: Apache-2.0

//! XFRM interfaces: nothing is changed on a living link, packets would be matched against half of it.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Xfrm;

impl Kind for Xfrm {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Xfrm
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let id = interface
            .xfrm
            .as_ref()
            .and_then(|section| section.interface_id);
        if is_new && id.is_none() {
            return Err(NipartError::invalid(
                path,
                "a new xfrm needs the number of its policies: xfrm: {interface-id: NUMBER}",
            ));
        }
        if id == Some(0) {
            return Err(NipartError::invalid(
                format!("{path}.xfrm.interface-id"),
                "interface-id 0 means no interface at all",
            ));
        }
        Ok(())
    }

    fn is_fixed(&self, _key: &str, _difference: &Difference) -> bool {
        true
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}
