// SPDX-License-Identifier: Apache-2.0

//! Tun and tap devices (`drivers/net/tun.c`): shown like other links, but made and changed through `/dev/net/tun`.

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoTun};
use nipart_netlink::packet_core::{DefaultNla, Nla};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::tun::TunMode;
use nipart_schemas::interface::{self, Interface, InterfaceType};
use nipart_sys::tun::{Existing, TunFlags};

use super::{Composed, LinkKind, Order};
use crate::execute::TunDevice;
use crate::query::{LinkFacts, Surroundings};

/// `linux/if_link.h`
const IFLA_TUN_OWNER: u16 = 1;
const IFLA_TUN_GROUP: u16 = 2;
const IFLA_TUN_TYPE: u16 = 3;
const IFLA_TUN_MULTI_QUEUE: u16 = 7;
/// `linux/if_tun.h`
const IFF_TUN: u8 = 1;
const IFF_TAP: u8 = 2;

pub(super) struct Tun;

impl LinkKind for Tun {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Tun
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Tun
    }

    fn observe(
        &self,
        link: &LinkFacts,
        _surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Tun(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Tun::default();
        for attribute in attributes {
            if let InfoTun::Other(attribute) = attribute {
                observe(attribute, &mut section);
            }
        }
        interface.tun = Some(Box::new(section));
    }

    fn compose(&self, _order: &Order<'_>) -> Result<Composed, NipartError> {
        Ok(Composed::default())
    }

    fn device(&self, interface: &Interface, existing: Existing) -> Option<TunDevice> {
        let section = interface.tun.clone().unwrap_or_default();
        Some(TunDevice {
            name: interface.name.clone(),
            flags: TunFlags {
                is_tap: section.mode == Some(TunMode::Tap),
                multi_queue: section.multi_queue == Some(true),
            },
            existing,
            owner: section.owner,
            group: section.group,
        })
    }
}

fn observe(attribute: &DefaultNla, section: &mut interface::Tun) {
    let mut value = vec![0; attribute.value_len()];
    attribute.emit_value(&mut value);
    let number = || {
        <[u8; 4]>::try_from(value.as_slice())
            .ok()
            .map(u32::from_ne_bytes)
    };
    let byte = value.first().copied();
    match attribute.kind() {
        IFLA_TUN_OWNER => section.owner = number(),
        IFLA_TUN_GROUP => section.group = number(),
        IFLA_TUN_TYPE => {
            section.mode = match byte {
                Some(IFF_TUN) => Some(TunMode::Tun),
                Some(IFF_TAP) => Some(TunMode::Tap),
                _ => None,
            }
        }
        IFLA_TUN_MULTI_QUEUE => section.multi_queue = byte.map(|on| on != 0),
        _ => {}
    }
}
