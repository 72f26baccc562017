// SPDX-License-Identifier: Apache-2.0

//! Links that have no address of their own, but that of the link below: setting it would change that one, too, or is
//! not possible.

use nipart_schemas::interface::{Identifier, Interface};
use nipart_schemas::mac_address::MacAddress;
use nipart_schemas::overlay::Overlay;

use super::copied_mac_address;
use crate::context::Context;

/// Whether the link will have the address of the link below.
pub(crate) fn is_borrowed(wanted: &Interface, present: Option<&Interface>) -> bool {
    let mut whole = wanted.only_sections();
    if let Some(present) = present {
        whole.fill_from(&present.only_sections());
    }
    whole.borrows_mac_address()
}

/// The address that it will be; none where it isn't known yet.
pub(crate) fn of(
    context: &Context<'_>,
    wanted: &Interface,
    present: Option<&Interface>,
) -> Option<MacAddress> {
    let stays_on = present.and_then(Interface::base_interface);
    let Some(base) = wanted.base_interface().or(stays_on) else {
        // The link below lives in another network namespace.
        return present?.mac_address.clone();
    };
    let below = context.wanted_up(base);
    let is_set = |below: &&Interface| below.identifier != Some(Identifier::MacAddress);
    let written = below.filter(is_set).and_then(|below| {
        let source = below.copy_mac_from.as_deref();
        let copied = source.and_then(|source| copied_mac_address::of(context, source));
        copied.or_else(|| below.mac_address.clone())
    });
    written.or_else(|| context.present.get(base)?.mac_address.clone())
}

/// What is to be is as it is: the check of the state has found that it is the same.
pub(super) fn resolve(wanted: &mut Interface, present: Option<&Interface>) {
    if wanted.mac_address.is_some() && is_borrowed(wanted, present) {
        wanted.mac_address = None;
    }
}
