// SPDX-License-Identifier: Apache-2.0

//! MAC VLAN and MAC VTAP (`drivers/net/macvlan.c`): the same attributes under two names.

use nipart_netlink::packet::link::{
    InfoData, InfoKind, InfoMacVlan, InfoMacVtap, MacVlanFlags, MacVlanMode,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct MacVlan;
pub(super) struct MacVtap;

impl LinkKind for MacVlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::MacVlan
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::MacVlan
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::MacVlan(attributes)) = &link.data else {
            return;
        };
        let mut section = on_base(link, surroundings);
        for attribute in attributes {
            match attribute {
                InfoMacVlan::Mode(mode) => section.mode = shown_mode(*mode),
                InfoMacVlan::Flags(flags) => section.promiscuous = Some(is_promiscuous(*flags)),
                _ => {}
            }
        }
        interface.mac_vlan = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let (base, mode, flags) = parts(order.interface.mac_vlan.as_deref(), order)?;
        let mode = mode.map(InfoMacVlan::Mode);
        let flags = flags.map(InfoMacVlan::Flags);
        let data = InfoData::MacVlan(mode.into_iter().chain(flags).collect());
        Ok(Composed {
            base,
            data: Some(data),
            ..Composed::default()
        })
    }
}

impl LinkKind for MacVtap {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::MacVtap
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::MacVtap
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::MacVtap(attributes)) = &link.data else {
            return;
        };
        let mut section = on_base(link, surroundings);
        for attribute in attributes {
            match attribute {
                InfoMacVtap::Mode(mode) => section.mode = shown_mode(*mode),
                InfoMacVtap::Flags(flags) => section.promiscuous = Some(is_promiscuous(*flags)),
                _ => {}
            }
        }
        interface.mac_vtap = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let (base, mode, flags) = parts(order.interface.mac_vtap.as_deref(), order)?;
        let mode = mode.map(InfoMacVtap::Mode);
        let flags = flags.map(InfoMacVtap::Flags);
        let data = InfoData::MacVtap(mode.into_iter().chain(flags).collect());
        Ok(Composed {
            base,
            data: Some(data),
            ..Composed::default()
        })
    }
}

fn on_base(link: &LinkFacts, surroundings: &Surroundings<'_>) -> interface::MacVlan {
    interface::MacVlan {
        base_iface: surroundings.base_of(link),
        ..interface::MacVlan::default()
    }
}

type Parts = (Option<u32>, Option<MacVlanMode>, Option<MacVlanFlags>);

/// The base is given to a new link only: the kernel can't move one.
fn parts(section: Option<&interface::MacVlan>, order: &Order<'_>) -> Result<Parts, NipartError> {
    let Some(section) = section else {
        return Ok((None, None, None));
    };
    let base = match &section.base_iface {
        Some(name) if order.is_new => Some(order.names.index(name)?),
        _ => None,
    };
    let flags = section.promiscuous.map(|promiscuous| match promiscuous {
        true => MacVlanFlags::empty(),
        false => MacVlanFlags::NoPromisc,
    });
    Ok((base, section.mode.map(kernel_mode), flags))
}

fn is_promiscuous(flags: MacVlanFlags) -> bool {
    !flags.contains(MacVlanFlags::NoPromisc)
}

fn shown_mode(mode: MacVlanMode) -> Option<interface::MacVlanMode> {
    match mode {
        MacVlanMode::Private => Some(interface::MacVlanMode::Private),
        MacVlanMode::Vepa => Some(interface::MacVlanMode::Vepa),
        MacVlanMode::Bridge => Some(interface::MacVlanMode::Bridge),
        MacVlanMode::Passthrough => Some(interface::MacVlanMode::Passthru),
        MacVlanMode::Source => Some(interface::MacVlanMode::Source),
        _ => None,
    }
}

fn kernel_mode(mode: interface::MacVlanMode) -> MacVlanMode {
    match mode {
        interface::MacVlanMode::Private => MacVlanMode::Private,
        interface::MacVlanMode::Vepa => MacVlanMode::Vepa,
        interface::MacVlanMode::Bridge => MacVlanMode::Bridge,
        interface::MacVlanMode::Passthru => MacVlanMode::Passthrough,
        interface::MacVlanMode::Source => MacVlanMode::Source,
    }
}
