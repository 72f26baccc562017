// SPDX-License-Identifier: Apache-2.0

//! `copy-mac-from`: the address of another link.
//!
//! A link that becomes a port of a bond has the bond's address from then on, so what it has now is asked for last:
//! otherwise the outcome would not lead to the same decision again.

use nipart_schemas::interface::Interface;
use nipart_schemas::mac_address::MacAddress;

use crate::context::Context;

/// The address that is taken over from this link; none where it isn't known yet.
pub(crate) fn of(context: &Context<'_>, source: &str) -> Option<MacAddress> {
    let wanted = context.wanted.get(source).copied();
    let present = context.present.get(source).copied();
    let written = |interface: Option<&Interface>| interface?.mac_address.clone();
    written(wanted)
        .or_else(|| written(context.remembered.get(source).copied()))
        .or_else(|| present?.permanent_mac_address.clone())
        .or_else(|| written(present))
}

/// Fills in what is to be taken over.
pub(super) fn resolve(context: &Context<'_>, wanted: &mut Interface) {
    if let Some(source) = wanted.copy_mac_from.take() {
        wanted.mac_address = of(context, &source);
    }
}
