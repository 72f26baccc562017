// SPDX-License-Identifier: Apache-2.0

//! WireGuard (`drivers/net/wireguard/netlink.c`): the link comes by `rtnetlink(7)` and has no attributes there; keys and
//! peers go through generic netlink, see [`crate::wireguard`].

use nipart_netlink::packet::link::InfoKind;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Wireguard;

impl LinkKind for Wireguard {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Wireguard
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Wireguard
    }

    /// Asked for separately, of the links that are shown.
    fn observe(&self, _: &LinkFacts, _: &Surroundings<'_>, _: &mut Interface) {}

    fn compose(&self, _: &Order<'_>) -> Result<Composed, NipartError> {
        Ok(Composed::default())
    }

    fn is_configured_elsewhere(&self) -> bool {
        true
    }
}
