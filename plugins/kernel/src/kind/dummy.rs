// SPDX-License-Identifier: Apache-2.0

//! Dummy (`drivers/net/dummy.c`): a name is all that it needs.

use nipart_netlink::packet::link::InfoKind;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Dummy;

impl LinkKind for Dummy {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Dummy
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Dummy
    }

    fn observe(&self, _: &LinkFacts, _: &Surroundings<'_>, _: &mut Interface) {}

    fn compose(&self, _order: &Order<'_>) -> Result<Composed, NipartError> {
        Ok(Composed::default())
    }
}
