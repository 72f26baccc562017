// SPDX-License-Identifier: Apache-2.0

//! Veth: a pair is created with both names; the pairing can't be changed later.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Veth;

pub(super) fn check(section: Option<&Veth>, is_new: bool, path: &str) -> Result<(), NipartError> {
    let peer = section.and_then(|section| section.peer.as_deref());
    if is_new && peer.is_none() {
        return Err(NipartError::invalid(
            path,
            "a new veth needs the name of its other end: veth: {peer: NAME}",
        ));
    }
    if let Some(peer) = peer {
        crate::validate::check_link_name(peer, &format!("{path}.veth.peer"))?;
    }
    Ok(())
}
