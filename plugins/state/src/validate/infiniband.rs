// SPDX-License-Identifier: Apache-2.0

//! What InfiniBand links can't be given, and what can't stand upon them. Nothing else is carried over them than IP
//! (RFC 4391), and that with addresses of twenty bytes, which say how to reach a queue of the card.

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::infiniband::PartitionKey;
use nipart_schemas::interface::{BondMode, Identifier, Interface, InterfaceType};
use nipart_schemas::lease::LeaseProtocol;

use super::reference::base_path;
use crate::context::Context;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        if context.wanted_up(&interface.name).is_none() {
            continue;
        }
        let path = format!("interfaces[{index}]");
        if is_infiniband(context, &interface.name) {
            check_card(context, interface, &path)?;
            check_address(context, interface, &path)?;
            refuse_dhcp(interface, &path)?;
        }
        check_base(context, interface, &path)?;
    }
    Ok(())
}

fn is_infiniband(context: &Context<'_>, name: &str) -> bool {
    context.type_of(name) == Some(&InterfaceType::Infiniband)
}

/// Whether it is, or is to be, a partition over a card.
fn is_partition(context: &Context<'_>, name: &str) -> bool {
    is_infiniband(context, name) && context.is_virtual(name)
}

/// A card is no partition of another one, and has the key that its network gives it.
fn check_card(context: &Context<'_>, interface: &Interface, path: &str) -> Result<(), NipartError> {
    let name = interface.name.as_str();
    let Some(wanted) = &interface.infiniband else {
        return Ok(());
    };
    let Some(present) = context.present.get(name).filter(|link| !link.is_virtual()) else {
        return Ok(());
    };
    if wanted.base_iface.is_some() {
        return Err(NipartError::invalid(
            format!("{path}.infiniband.base-iface"),
            format!("{name} is a card: it has no base interface"),
        ));
    }
    let has = present.infiniband.as_ref().and_then(|section| section.pkey);
    match (wanted.pkey, has) {
        (Some(key), Some(has)) if key != has && key != PartitionKey::DEFAULT => {
            Err(NipartError::invalid(
                format!("{path}.infiniband.pkey"),
                format!(
                    "{name} is a card, whose key {has} its network gives it: for partition {key} write another link with base-iface: {name}"
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Its driver says the address.
fn check_address(
    context: &Context<'_>,
    interface: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    let Some(written) = &interface.mac_address else {
        return Ok(());
    };
    let present = context.present.get(interface.name.as_str());
    // What is saved may have the address of another boot: the number of a queue is in it.
    if context.missing == MissingInterfaces::Await
        || interface.identifier == Some(Identifier::MacAddress)
        || present.is_some_and(|present| present.mac_address.as_ref() == Some(written))
    {
        return Ok(());
    }
    Err(NipartError::invalid(
        format!("{path}.mac-address"),
        format!(
            "the address of {} can't be changed: its driver says it",
            interface.name
        ),
    ))
}

fn refuse_dhcp(interface: &Interface, path: &str) -> Result<(), NipartError> {
    let keys = [
        (LeaseProtocol::Dhcpv4, "ipv4"),
        (LeaseProtocol::Dhcpv6, "ipv6"),
    ];
    match keys
        .into_iter()
        .find(|(protocol, _)| interface.wants_lease(*protocol))
    {
        Some((_, key)) => Err(NipartError::new(
            ErrorKind::NotSupported,
            "DHCP over InfiniBand is not supported yet: write addresses",
        )
        .at(format!("{path}.{key}.dhcp"))),
        None => Ok(()),
    }
}

/// `ipoib_new_child_link` and the feature `NETIF_F_VLAN_CHALLENGED` (drivers/infiniband/ulp/ipoib),
/// `macvlan_port_create` (drivers/net/macvlan.c), `macsec_newlink` (drivers/net/macsec.c).
fn check_base(context: &Context<'_>, interface: &Interface, path: &str) -> Result<(), NipartError> {
    let Some(base) = interface.base_interface() else {
        return Ok(());
    };
    let (Some(above), Some(below)) = (context.type_of(&interface.name), context.type_of(base))
    else {
        return Ok(());
    };
    let needs_ethernet = matches!(
        above,
        InterfaceType::Vlan
            | InterfaceType::MacVlan
            | InterfaceType::MacVtap
            | InterfaceType::Macsec
    );
    let why = if *above == InterfaceType::Infiniband && *below != InterfaceType::Infiniband {
        format!("a partition needs an InfiniBand card below, but {base} is of type {below}")
    } else if *above == InterfaceType::Infiniband && is_partition(context, base) {
        format!("{base} is a partition itself: write the card that it stands upon")
    } else if needs_ethernet && *below == InterfaceType::Infiniband {
        format!("a link of type {above} needs Ethernet below, but {base} is of type {below}")
    } else {
        return Ok(());
    };
    Err(NipartError::invalid(base_path(interface, path), why))
}

/// Why an InfiniBand link can't be a port of this controller; none if it can (`bond_enslave`,
/// drivers/net/bonding/bond_main.c; `br_add_if`, net/bridge/br_if.c).
pub(super) fn refused_as_port(
    context: &Context<'_>,
    port: &str,
    controller: &str,
) -> Option<String> {
    if !is_infiniband(context, port) {
        return None;
    }
    match context.type_of(controller)? {
        InterfaceType::LinuxBridge => Some(format!(
            "{port} is of type infiniband: a bridge takes Ethernet frames only"
        )),
        InterfaceType::Bond if mode_of(context, controller) != Some(BondMode::ActiveBackup) => {
            Some(format!(
                "{port} is of type infiniband: it can be a port of bonds in mode active-backup only"
            ))
        }
        _ => None,
    }
}

/// The mode that a bond will have.
fn mode_of(context: &Context<'_>, bond: &str) -> Option<BondMode> {
    let of = |interface: &Interface| interface.link_aggregation.as_ref()?.mode;
    let wanted = context.wanted_up(bond).and_then(of);
    wanted.or_else(|| context.present.get(bond).copied().and_then(of))
}
