// SPDX-License-Identifier: Apache-2.0

//! The bridge (`net/bridge/br_netlink.c`), and what it keeps about its ports.
//!
//! The kernel takes and shows all times in hundredths of a second (`clock_t`); the section has seconds for spanning
//! tree and ageing, hundredths for multicast.

use nipart_netlink::packet::link::{
    BridgeMulticastRouterType, BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind,
    InfoPortData, InfoPortKind, LinkInfo, VlanProtocol,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{
    self, BridgeOptions, BridgePort, BridgeStp, Interface, InterfaceType, MulticastRouter,
};
use nipart_schemas::mac_address::MacAddress;

use super::{Composed, LinkKind, Order, port_vlan};
use crate::query::{LinkFacts, Surroundings};

/// `USER_HZ`.
const TICKS_PER_SECOND: u32 = 100;

pub(super) struct LinuxBridge;

impl LinkKind for LinuxBridge {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::LinuxBridge
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Bridge
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Bridge(attributes)) = &link.data else {
            return;
        };
        let mut options = BridgeOptions {
            stp: Some(BridgeStp::default()),
            ..BridgeOptions::default()
        };
        for attribute in attributes {
            observe_option(attribute, &mut options);
        }
        let filters = link.filters_vlans();
        let vlan_of = |link: &LinkFacts| filters.then(|| port_vlan::observe(&link.vlans));
        let ports = surroundings.ports_of(link).map(|port| BridgePort {
            vlan: vlan_of(port),
            ..observe_port(port)
        });
        let mut ports: Vec<BridgePort> = ports.collect();
        ports.sort_by(|one, other| one.name.cmp(&other.name));
        interface.bridge = Some(Box::new(interface::LinuxBridge {
            options: Some(options),
            port: Some(ports),
            vlan: vlan_of(link),
            ..interface::LinuxBridge::default()
        }));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let options = order
            .interface
            .bridge
            .as_ref()
            .and_then(|section| section.options.as_ref());
        let mut attributes = match options {
            Some(options) => compose_options(options)?,
            None => Vec::new(),
        };
        if order.is_new {
            // A new bridge doesn't filter, and a kernel that can't filter refuses even to be told so.
            attributes.retain(|attribute| *attribute != InfoBridge::VlanFiltering(false));
        }
        Ok(Composed {
            data: Some(InfoData::Bridge(attributes)),
            ..Composed::default()
        })
    }

    // br_mtu_auto_adjust (net/bridge/br_if.c)
    fn forgets_initial_mtu(&self) -> bool {
        true
    }
}

fn observe_option(attribute: &InfoBridge, options: &mut BridgeOptions) {
    let stp = options.stp.get_or_insert_default();
    match attribute {
        InfoBridge::StpState(state) => stp.enabled = Some(*state != BridgeStpState::Disabled),
        InfoBridge::ForwardDelay(ticks) => stp.forward_delay = seconds(*ticks),
        InfoBridge::HelloTime(ticks) => stp.hello_time = seconds(*ticks),
        InfoBridge::MaxAge(ticks) => stp.max_age = seconds(*ticks),
        InfoBridge::Priority(priority) => stp.priority = Some(*priority),
        InfoBridge::GroupAddr(address) => options.group_addr = Some(MacAddress::new(address)),
        InfoBridge::GroupFwdMask(mask) => options.group_fwd_mask = Some(*mask),
        InfoBridge::AgeingTime(ticks) => options.mac_ageing_time = Some(ticks / TICKS_PER_SECOND),
        InfoBridge::MulticastHashMax(size) => options.hash_max = Some(*size),
        InfoBridge::MulticastLastMemberCount(count) => {
            options.multicast_last_member_count = Some(*count);
        }
        InfoBridge::MulticastLastMemberInterval(ticks) => {
            options.multicast_last_member_interval = Some(*ticks);
        }
        InfoBridge::MulticastMembershipInterval(ticks) => {
            options.multicast_membership_interval = Some(*ticks);
        }
        InfoBridge::MulticastQuerier(on) => options.multicast_querier = Some(*on),
        InfoBridge::MulticastQuerierInterval(ticks) => {
            options.multicast_querier_interval = Some(*ticks);
        }
        InfoBridge::MulticastQueryInterval(ticks) => {
            options.multicast_query_interval = Some(*ticks);
        }
        InfoBridge::MulticastQueryResponseInterval(ticks) => {
            options.multicast_query_response_interval = Some(*ticks);
        }
        InfoBridge::MulticastQueryUseIfaddr(on) => options.multicast_query_use_ifaddr = Some(*on),
        InfoBridge::MulticastRouter(mode) => options.multicast_router = shown_router(*mode),
        InfoBridge::MulticastSnooping(on) => options.multicast_snooping = Some(*on),
        InfoBridge::MulticastStartupQueryCount(count) => {
            options.multicast_startup_query_count = Some(*count);
        }
        InfoBridge::MulticastStartupQueryInterval(ticks) => {
            options.multicast_startup_query_interval = Some(*ticks);
        }
        InfoBridge::VlanFiltering(on) => options.vlan_filtering = Some(*on),
        InfoBridge::VlanProtocol(protocol) => options.vlan_protocol = shown_protocol(*protocol),
        InfoBridge::VlanDefaultPvid(id) => options.vlan_default_pvid = Some(*id),
        InfoBridge::GcTimer(ticks) => options.gc_timer = Some(*ticks),
        InfoBridge::HelloTimer(ticks) => options.hello_timer = Some(*ticks),
        _ => {}
    }
}

fn compose_options(options: &BridgeOptions) -> Result<Vec<InfoBridge>, NipartError> {
    let stp = options.stp.clone().unwrap_or_default();
    let group = match &options.group_addr {
        Some(address) => Some(address.bytes().try_into().map_err(|_| {
            let text = format!("group-addr {address} is not an Ethernet address");
            NipartError::invalid("bridge.options.group-addr", text)
        })?),
        None => None,
    };
    // Times before the protocol is switched on: only while it runs the kernel insists on their ranges.
    let attributes = [
        stp.forward_delay
            .map(|time| InfoBridge::ForwardDelay(ticks(time))),
        stp.hello_time
            .map(|time| InfoBridge::HelloTime(ticks(time))),
        stp.max_age.map(|time| InfoBridge::MaxAge(ticks(time))),
        stp.priority.map(InfoBridge::Priority),
        stp.enabled.map(|on| {
            InfoBridge::StpState(match on {
                true => BridgeStpState::KernelStp,
                false => BridgeStpState::Disabled,
            })
        }),
        group.map(InfoBridge::GroupAddr),
        options.group_fwd_mask.map(InfoBridge::GroupFwdMask),
        options
            .mac_ageing_time
            .map(|time| InfoBridge::AgeingTime(time.saturating_mul(TICKS_PER_SECOND))),
        options.hash_max.map(InfoBridge::MulticastHashMax),
        options
            .multicast_last_member_count
            .map(InfoBridge::MulticastLastMemberCount),
        options
            .multicast_last_member_interval
            .map(InfoBridge::MulticastLastMemberInterval),
        options
            .multicast_membership_interval
            .map(InfoBridge::MulticastMembershipInterval),
        options.multicast_querier.map(InfoBridge::MulticastQuerier),
        options
            .multicast_querier_interval
            .map(InfoBridge::MulticastQuerierInterval),
        options
            .multicast_query_interval
            .map(InfoBridge::MulticastQueryInterval),
        options
            .multicast_query_response_interval
            .map(InfoBridge::MulticastQueryResponseInterval),
        options
            .multicast_query_use_ifaddr
            .map(InfoBridge::MulticastQueryUseIfaddr),
        options
            .multicast_router
            .map(|mode| InfoBridge::MulticastRouter(kernel_router(mode))),
        options
            .multicast_snooping
            .map(InfoBridge::MulticastSnooping),
        options
            .multicast_startup_query_count
            .map(InfoBridge::MulticastStartupQueryCount),
        options
            .multicast_startup_query_interval
            .map(InfoBridge::MulticastStartupQueryInterval),
        options.vlan_filtering.map(InfoBridge::VlanFiltering),
        options
            .vlan_protocol
            .map(|protocol| InfoBridge::VlanProtocol(kernel_protocol(protocol))),
        options.vlan_default_pvid.map(InfoBridge::VlanDefaultPvid),
    ];
    Ok(attributes.into_iter().flatten().collect())
}

fn observe_port(link: &LinkFacts) -> BridgePort {
    let mut port = BridgePort {
        name: link.name.clone(),
        ..BridgePort::default()
    };
    if let Some(InfoPortData::BridgePort(attributes)) = &link.port_data {
        for attribute in attributes {
            match attribute {
                InfoBridgePort::HairpinMode(on) => port.stp_hairpin_mode = Some(*on),
                InfoBridgePort::Cost(cost) => port.stp_path_cost = Some(*cost),
                InfoBridgePort::Priority(priority) => port.stp_priority = Some(*priority),
                _ => {}
            }
        }
    }
    port
}

/// `IFLA_INFO_SLAVE_DATA` with what is given; none when nothing is.
pub(super) fn compose_port(port: &BridgePort) -> Option<Vec<LinkInfo>> {
    let attributes = [
        port.stp_hairpin_mode.map(InfoBridgePort::HairpinMode),
        port.stp_path_cost.map(InfoBridgePort::Cost),
        port.stp_priority.map(InfoBridgePort::Priority),
    ];
    let attributes: Vec<InfoBridgePort> = attributes.into_iter().flatten().collect();
    (!attributes.is_empty()).then(|| {
        vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(attributes)),
        ]
    })
}

fn seconds(ticks: u32) -> Option<u8> {
    u8::try_from(ticks / TICKS_PER_SECOND).ok()
}

fn ticks(seconds: u8) -> u32 {
    u32::from(seconds) * TICKS_PER_SECOND
}

fn shown_router(mode: BridgeMulticastRouterType) -> Option<MulticastRouter> {
    match mode {
        BridgeMulticastRouterType::Disabled => Some(MulticastRouter::Disabled),
        BridgeMulticastRouterType::TempQuery => Some(MulticastRouter::Auto),
        BridgeMulticastRouterType::Permanent => Some(MulticastRouter::Enabled),
        _ => None,
    }
}

fn kernel_router(mode: MulticastRouter) -> BridgeMulticastRouterType {
    match mode {
        MulticastRouter::Disabled => BridgeMulticastRouterType::Disabled,
        MulticastRouter::Auto => BridgeMulticastRouterType::TempQuery,
        MulticastRouter::Enabled => BridgeMulticastRouterType::Permanent,
    }
}

pub(super) fn shown_protocol(protocol: VlanProtocol) -> Option<interface::VlanProtocol> {
    match protocol {
        VlanProtocol::Ieee8021Q => Some(interface::VlanProtocol::Ieee8021Q),
        VlanProtocol::Ieee8021Ad => Some(interface::VlanProtocol::Ieee8021Ad),
        _ => None,
    }
}

pub(super) fn kernel_protocol(protocol: interface::VlanProtocol) -> VlanProtocol {
    match protocol {
        interface::VlanProtocol::Ieee8021Q => VlanProtocol::Ieee8021Q,
        interface::VlanProtocol::Ieee8021Ad => VlanProtocol::Ieee8021Ad,
    }
}
