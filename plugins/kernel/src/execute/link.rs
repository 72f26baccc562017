// SPDX-License-Identifier: Apache-2.0

//! Messages about links.

use nipart_netlink::NetlinkRequest;
use nipart_netlink::builder::{LinkMessageBuilder, LinkUnspec};
use nipart_netlink::packet::link::{LinkAttribute, LinkFlags, LinkMessage, Prop};
use nipart_netlink::packet_core::DefaultNla;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{
    BondPort, BridgePort, Interface, InterfaceState, InterfaceType, PortVlan,
};
use nipart_schemas::operation::LinkChanges;
use nipart_sys::tun::Existing;

use super::{Names, Step, ip_stack};
use crate::kind::port_vlan::{self, VlansOf};
use crate::kind::{self, LinkKind, Order};

/// `IFLA_IFALIAS`, `linux/if_link.h`.
const IFLA_IFALIAS: u16 = 20;
/// Smallest MTU of an Ethernet link (`ETH_MIN_MTU`).
const SMALLEST_MTU: u32 = 68;
/// `ENOENT`: what the kernel says when the alternative name isn't there.
const ENOENT: i32 = 2;

/// Creates the link in one message, with all that it can carry; see [`settle_mtu`] and [`complete_peer`] for the rest.
pub(super) fn create(
    interface: &Interface,
    peer: Option<&Interface>,
    names: &Names,
) -> Result<Vec<Step>, NipartError> {
    let kind = kind_to_build(interface)?;
    if let Some(device) = kind.device(interface, Existing::Refused) {
        return complete(Step::Settle(device), interface, names);
    }
    let order = Order {
        interface,
        peer,
        is_new: true,
        names,
    };
    let composed = kind.compose(&order)?;
    let builder = LinkMessageBuilder::<LinkUnspec>::new_with_info_kind(kind.info_kind());
    let mut builder = attached(interface, builder, names)?;
    let settings = ip_stack::before_up(interface);
    if let Some(base) = composed.base {
        builder = builder.link(base);
    }
    if let Some(data) = composed.data {
        builder = builder.set_info_data(data);
    }
    for attribute in composed.queues.into_iter().flat_map(queue_attributes) {
        builder = builder.append_extra_attribute(attribute);
    }
    let mut message = builder.build();
    let agrees_upon_keys = interface.agrees_upon_keys();
    let comes_up_later =
        (settings.is_some() || agrees_upon_keys) && message.header.flags.contains(LinkFlags::Up);
    if comes_up_later {
        set_flag(&mut message, LinkFlags::Up, false);
    }

    let mut steps = Vec::new();
    let settled = match interface.mtu {
        Some(mtu) if kind.forgets_initial_mtu() => Some(settle_mtu(interface, mtu, &mut message)),
        _ => None,
    };
    steps.push(Step::send(NetlinkRequest::create_link(message)));
    steps.extend(settled);
    if kind.is_configured_elsewhere() || agrees_upon_keys {
        steps.push(Step::Configure(Box::new(interface.only_sections())));
    }
    steps.extend(settings);
    if comes_up_later {
        let mut message = named(&interface.name);
        set_flag(&mut message, LinkFlags::Up, true);
        steps.push(Step::send(NetlinkRequest::change_link(message)));
    }
    if let Some(peer) = peer {
        steps.extend(ip_stack::before_up(peer));
        steps.extend(complete_peer(peer, names)?);
    }
    Ok(steps)
}

/// What brings the link comes first, and then what a message can give it.
pub(super) fn complete(
    first: Step,
    interface: &Interface,
    names: &Names,
) -> Result<Vec<Step>, NipartError> {
    let builder = LinkUnspec::new_with_name(&interface.name);
    let message = attached(interface, builder, names)?.build();
    let mut steps = vec![first];
    steps.extend(ip_stack::before_up(interface));
    steps.push(Step::send(NetlinkRequest::change_link(message)));
    Ok(steps)
}

/// So many queues in each direction.
pub(crate) fn queue_attributes(number: u32) -> [LinkAttribute; 2] {
    [
        LinkAttribute::NumTxQueues(number),
        LinkAttribute::NumRxQueues(number),
    ]
}

/// [`common`] properties, the controller, and up.
fn attached(
    interface: &Interface,
    builder: LinkMessageBuilder<LinkUnspec>,
    names: &Names,
) -> Result<LinkMessageBuilder<LinkUnspec>, NipartError> {
    let mut builder = common(interface, builder);
    if interface.wanted_state() == InterfaceState::Up {
        builder = builder.up();
    }
    match controller(interface) {
        Some(controller) => Ok(builder.controller(names.index(controller)?)),
        None => Ok(builder),
    }
}

/// A bridge whose MTU was set by the message that created it takes another one from its first port: only a change
/// of the MTU counts as the user's choice. So it starts with another one.
fn settle_mtu(interface: &Interface, mtu: u32, creation: &mut LinkMessage) -> Step {
    let other = if mtu > SMALLEST_MTU { mtu - 1 } else { mtu + 1 };
    for attribute in &mut creation.attributes {
        if let LinkAttribute::Mtu(initial) = attribute {
            *initial = other;
        }
    }
    let mut message = named(&interface.name);
    message.attributes.push(LinkAttribute::Mtu(mtu));
    Step::send(NetlinkRequest::change_link(message))
}

/// The message that creates a pair can neither attach its second end nor bring it up (`ENOTCONN`): when the kernel
/// reads that part, the two aren't connected yet (`veth_newlink`, `drivers/net/veth.c`).
fn complete_peer(peer: &Interface, names: &Names) -> Result<Option<Step>, NipartError> {
    let is_up = peer.wanted_state() == InterfaceState::Up;
    let controller = controller(peer);
    if !is_up && controller.is_none() {
        return Ok(None);
    }
    let mut message = named(&peer.name);
    if let Some(controller) = controller {
        let index = names.index(controller)?;
        message.attributes.push(LinkAttribute::Controller(index));
    }
    if is_up {
        set_flag(&mut message, LinkFlags::Up, true);
    }
    Ok(Some(Step::send(NetlinkRequest::change_link(message))))
}

/// Name, MTU and link-layer address.
pub(crate) fn common<T>(
    interface: &Interface,
    builder: LinkMessageBuilder<T>,
) -> LinkMessageBuilder<T> {
    let mut builder = builder.name(&interface.name);
    if let Some(mtu) = interface.mtu {
        builder = builder.mtu(mtu);
    }
    match &interface.mac_address {
        Some(address) => builder.address(address.bytes().to_vec()),
        None => builder,
    }
}

/// Changes common properties; in the kernel's own order (`do_setlink`) address and MTU come first, up or down last.
pub(super) fn change(changes: &LinkChanges, names: &Names) -> Result<Step, NipartError> {
    let LinkChanges {
        interface,
        up,
        mtu,
        mac_address,
        accept_all_mac_addresses,
        controller,
        description,
    } = changes;
    let mut builder = LinkUnspec::new_with_index(names.index(interface)?);
    if let Some(mtu) = mtu {
        builder = builder.mtu(*mtu);
    }
    if let Some(address) = mac_address {
        builder = builder.address(address.bytes().to_vec());
    }
    if let Some(text) = description {
        builder = builder.append_extra_attribute(alias(text));
    }
    builder = match controller.as_deref() {
        Some("") => builder.nocontroller(),
        Some(controller) => builder.controller(names.index(controller)?),
        None => builder,
    };
    builder = match up {
        Some(true) => builder.up(),
        Some(false) => builder.down(),
        None => builder,
    };
    let mut message = builder.build();
    if let Some(accept_all) = accept_all_mac_addresses {
        set_flag(&mut message, LinkFlags::Promisc, *accept_all);
    }
    Ok(Step::send(NetlinkRequest::change_link(message)))
}

/// Changes options of the link's kind.
pub(super) fn change_section(
    interface: &Interface,
    names: &Names,
) -> Result<Vec<Step>, NipartError> {
    let kind = kind_to_build(interface)?;
    if kind.is_configured_elsewhere() {
        return Ok(vec![Step::Configure(Box::new(interface.only_sections()))]);
    }
    if let Some(device) = kind.device(interface, Existing::Taken) {
        return Ok(vec![Step::Settle(device)]);
    }
    let index = names.index(&interface.name)?;
    // A bridge gets its VLANs before it looks at them.
    let own = interface.bridge.as_ref();
    let own = own.and_then(|bridge| bridge.vlan.as_ref());
    let mut steps = change_vlans(index, VlansOf::Bridge, own);
    let order = Order {
        interface,
        peer: None,
        is_new: false,
        names,
    };
    let composed = kind.compose(&order)?;
    let mut message = numbered(index);
    let attributes = &mut message.attributes;
    attributes.extend(composed.base.map(LinkAttribute::Link));
    let info = kind::link_info(kind.info_kind(), composed.data);
    attributes.push(LinkAttribute::LinkInfo(info));
    steps.push(Step::send(NetlinkRequest::change_link(message)));
    Ok(steps)
}

fn change_vlans(index: u32, of: VlansOf, vlan: Option<&PortVlan>) -> Vec<Step> {
    let requests = vlan.map(|vlan| port_vlan::compose(index, of, vlan));
    let requests = requests.into_iter().flatten();
    requests.map(Step::send).collect()
}

/// Changes what a bond keeps about its port.
pub(super) fn change_bond_port(port: &BondPort, names: &Names) -> Result<Step, NipartError> {
    let mut message = numbered(names.index(&port.name)?);
    let info = kind::bond_port_info(port);
    message.attributes.push(LinkAttribute::LinkInfo(info));
    Ok(Step::send(NetlinkRequest::change_link(message)))
}

/// Changes what a bridge keeps about its port.
pub(super) fn change_bridge_port(
    port: &BridgePort,
    names: &Names,
) -> Result<Vec<Step>, NipartError> {
    let index = names.index(&port.name)?;
    let mut steps = change_vlans(index, VlansOf::Port, port.vlan.as_ref());
    if let Some(info) = kind::bridge_port_info(port) {
        let mut message = numbered(index);
        message.attributes.push(LinkAttribute::LinkInfo(info));
        steps.push(Step::send(NetlinkRequest::change_link(message)));
    }
    Ok(steps)
}

pub(super) fn add_alt_name(index: u32, name: &str) -> Step {
    Step::send(NetlinkRequest::add_alternative_names(alt_name(index, name)))
}

/// Missing already counts as removed.
pub(super) fn remove_alt_name(index: u32, name: &str) -> Step {
    let request = NetlinkRequest::delete_alternative_names(alt_name(index, name));
    Step::send_forgiving(request, |error| error.errno == ENOENT)
}

/// A message about the link with this number.
pub(super) fn numbered(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message
        .attributes
        .push(LinkAttribute::IfName(name.to_string()));
    message
}

fn alt_name(index: u32, name: &str) -> LinkMessage {
    let mut message = numbered(index);
    let name = Prop::AltIfName(name.to_string());
    message.attributes.push(LinkAttribute::PropList(vec![name]));
    message
}

fn set_flag(message: &mut LinkMessage, flag: LinkFlags, is_set: bool) {
    message.header.flags.set(flag, is_set);
    message.header.change_mask |= flag;
}

/// Without the terminating zero, for which there is no room behind 255 bytes; a single zero removes the text.
fn alias(text: &str) -> LinkAttribute {
    let bytes = match text {
        "" => vec![0],
        text => text.as_bytes().to_vec(),
    };
    LinkAttribute::Other(DefaultNla::new(IFLA_IFALIAS, bytes))
}

fn controller(interface: &Interface) -> Option<&str> {
    interface
        .controller
        .as_deref()
        .filter(|name| !name.is_empty())
}

fn kind_to_build(interface: &Interface) -> Result<&'static dyn LinkKind, NipartError> {
    let interface_type = interface.interface_type.as_ref();
    kind::of_interface(interface).ok_or_else(|| {
        let name = interface_type.map_or("unknown", InterfaceType::as_str);
        NipartError::new(
            ErrorKind::NotSupported,
            format!("interfaces of type {name} can't be created or have no options"),
        )
    })
}
