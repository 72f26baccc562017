// SPDX-License-Identifier: Apache-2.0

//! Bond (`drivers/net/bonding/bond_netlink.c`), and what it keeps about its ports.

use nipart_netlink::packet::link::{
    BondMode, InfoBond, InfoBondPort, InfoData, InfoKind, InfoPortData, InfoPortKind, LinkInfo,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{
    self, BondArpAllTargets, BondArpValidate, BondDuplicates, BondOptions, BondPort, Interface,
    InterfaceType,
};
use nipart_schemas::mac_address::MacAddress;

use super::{Composed, LinkKind, Order};
use crate::execute::Names;
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Bond;

impl LinkKind for Bond {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Bond
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::Bond
    }

    fn feature(&self) -> String {
        self.module()
    }

    fn module(&self) -> String {
        "bonding".to_string()
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::Bond(attributes)) = &link.data else {
            return;
        };
        let mode = attributes.iter().find_map(|attribute| match attribute {
            InfoBond::Mode(mode) => interface::BondMode::from_number(u8::from(*mode)),
            _ => None,
        });
        let mut options = BondOptions {
            // The kernel shows no empty lists.
            arp_ip_target: Some(Vec::new()),
            ns_ip6_target: Some(Vec::new()),
            ..BondOptions::default()
        };
        for attribute in attributes {
            observe_option(attribute, surroundings, &mut options);
        }
        let mut ports: Vec<BondPort> = surroundings
            .ports_of(link)
            .map(|port| observe_port(port, mode))
            .collect();
        ports.sort_by(|one, other| one.name.cmp(&other.name));
        if let Some(mode) = mode {
            options.drop_foreign_to(mode);
        }
        interface.link_aggregation = Some(Box::new(interface::LinkAggregation {
            mode,
            port: Some(surroundings.port_names_of(link)),
            ports_config: Some(ports),
            options: Some(options),
        }));
    }

    fn references(&self, link: &LinkFacts) -> Vec<u32> {
        let Some(InfoData::Bond(attributes)) = &link.data else {
            return Vec::new();
        };
        let primary = attributes.iter().find_map(|attribute| match attribute {
            InfoBond::Primary(index) => Some(*index),
            _ => None,
        });
        primary.into_iter().collect()
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.link_aggregation.clone().unwrap_or_default();
        let mode = section
            .mode
            .map(|mode| InfoBond::Mode(BondMode::from(mode.number())));
        let options = section.options.unwrap_or_default();
        let options = compose_options(&options, order.is_new, order.names)?;
        let attributes = mode.into_iter().chain(options).collect();
        Ok(Composed {
            data: Some(InfoData::Bond(attributes)),
            ..Composed::default()
        })
    }
}

fn observe_option(
    attribute: &InfoBond,
    surroundings: &Surroundings<'_>,
    options: &mut BondOptions,
) {
    match attribute {
        InfoBond::AdActorSysPrio(priority) => options.ad_actor_sys_prio = Some(*priority),
        InfoBond::AdActorSystem(bytes) => {
            let is_set = bytes.iter().any(|byte| *byte != 0);
            options.ad_actor_system = is_set.then(|| MacAddress::new(bytes));
        }
        InfoBond::AdSelect(value) => {
            options.ad_select = interface::BondAdSelect::from_number(u8::from(*value));
        }
        InfoBond::AdUserPortKey(key) => options.ad_user_port_key = Some(*key),
        InfoBond::AllPortsActive(value) => {
            options.all_slaves_active = BondDuplicates::from_number(u8::from(*value));
        }
        InfoBond::ArpAllTargets(value) => {
            options.arp_all_targets = word(u32::from(*value), BondArpAllTargets::from_number);
        }
        InfoBond::ArpInterval(time) => options.arp_interval = Some(*time),
        InfoBond::ArpIpTarget(list) => options.arp_ip_target = Some(list.clone()),
        InfoBond::MissedMax(count) => options.arp_missed_max = Some(*count),
        InfoBond::ArpValidate(value) => {
            options.arp_validate = word(u32::from(*value), BondArpValidate::from_number);
        }
        InfoBond::DownDelay(time) => options.downdelay = Some(*time),
        InfoBond::UpDelay(time) => options.updelay = Some(*time),
        InfoBond::FailOverMac(value) => {
            options.fail_over_mac = interface::BondFailOverMac::from_number(u8::from(*value));
        }
        InfoBond::AdLacpActive(on) => options.lacp_active = Some(*on),
        InfoBond::AdLacpRate(value) => {
            options.lacp_rate = interface::BondLacpRate::from_number(u8::from(*value));
        }
        InfoBond::LpInterval(time) => options.lp_interval = Some(*time),
        InfoBond::MiiMon(time) => options.miimon = Some(*time),
        InfoBond::MinLinks(count) => options.min_links = Some(*count),
        InfoBond::NsIp6Target(list) => options.ns_ip6_target = Some(list.clone()),
        InfoBond::NumPeerNotif(count) => options.num_grat_arp = Some(*count),
        InfoBond::PacketsPerPort(count) => options.packets_per_slave = Some(*count),
        InfoBond::Primary(index) => options.primary = surroundings.name(*index),
        InfoBond::PrimaryReselect(value) => {
            options.primary_reselect =
                interface::BondPrimaryReselect::from_number(u8::from(*value));
        }
        InfoBond::ResendIgmp(count) => options.resend_igmp = Some(*count),
        InfoBond::TlbDynamicLb(on) => options.tlb_dynamic_lb = Some(*on),
        InfoBond::UseCarrier(on) => options.use_carrier = Some(*on),
        InfoBond::XmitHashPolicy(value) => {
            options.xmit_hash_policy = interface::BondHashPolicy::from_number(u8::from(*value));
        }
        _ => {}
    }
}

fn word<T>(number: u32, from_number: fn(u8) -> Option<T>) -> Option<T> {
    u8::try_from(number).ok().and_then(from_number)
}

fn compose_options(
    options: &BondOptions,
    is_new: bool,
    names: &Names,
) -> Result<Vec<InfoBond>, NipartError> {
    let primary = match options.primary.as_deref() {
        // Any number that no link has.
        Some("") => Some(0),
        Some(name) => Some(names.index(name)?),
        None => None,
    };
    let system = match &options.ad_actor_system {
        Some(address) => Some(address.bytes().try_into().map_err(|_| {
            let text = format!("ad_actor_system {address} is not an Ethernet address");
            NipartError::invalid("link-aggregation.options.ad_actor_system", text)
        })?),
        None => None,
    };
    // Without `miimon` the kernel refuses delays, even of nothing, which a new bond has anyway.
    let delay = |time: Option<u32>| time.filter(|time| !is_new || *time > 0);
    let attributes = [
        options.ad_actor_sys_prio.map(InfoBond::AdActorSysPrio),
        system.map(InfoBond::AdActorSystem),
        options
            .ad_select
            .map(|value| InfoBond::AdSelect(value.number().into())),
        options.ad_user_port_key.map(InfoBond::AdUserPortKey),
        options
            .all_slaves_active
            .map(|value| InfoBond::AllPortsActive(value.number().into())),
        options
            .arp_all_targets
            .map(|value| InfoBond::ArpAllTargets(u32::from(value.number()).into())),
        options.arp_interval.map(InfoBond::ArpInterval),
        options.arp_ip_target.clone().map(InfoBond::ArpIpTarget),
        options.arp_missed_max.map(InfoBond::MissedMax),
        options
            .arp_validate
            .map(|value| InfoBond::ArpValidate(u32::from(value.number()).into())),
        delay(options.downdelay).map(InfoBond::DownDelay),
        delay(options.updelay).map(InfoBond::UpDelay),
        options
            .fail_over_mac
            .map(|value| InfoBond::FailOverMac(value.number().into())),
        options.lacp_active.map(InfoBond::AdLacpActive),
        options
            .lacp_rate
            .map(|value| InfoBond::AdLacpRate(value.number().into())),
        options.lp_interval.map(InfoBond::LpInterval),
        options.miimon.map(InfoBond::MiiMon),
        options.min_links.map(InfoBond::MinLinks),
        options.ns_ip6_target.clone().map(InfoBond::NsIp6Target),
        options.num_grat_arp.map(InfoBond::NumPeerNotif),
        options.packets_per_slave.map(InfoBond::PacketsPerPort),
        primary.map(InfoBond::Primary),
        options
            .primary_reselect
            .map(|value| InfoBond::PrimaryReselect(value.number().into())),
        options.resend_igmp.map(InfoBond::ResendIgmp),
        options.tlb_dynamic_lb.map(InfoBond::TlbDynamicLb),
        options.use_carrier.map(InfoBond::UseCarrier),
        options
            .xmit_hash_policy
            .map(|value| InfoBond::XmitHashPolicy(value.number().into())),
    ];
    Ok(attributes.into_iter().flatten().collect())
}

/// Ports have priorities only where one can be preferred.
fn observe_port(link: &LinkFacts, mode: Option<interface::BondMode>) -> BondPort {
    let has_priority = mode.is_some_and(interface::BondMode::prefers_ports);
    let mut port = BondPort {
        name: link.name.clone(),
        ..BondPort::default()
    };
    if let Some(InfoPortData::BondPort(attributes)) = &link.port_data {
        for attribute in attributes {
            match attribute {
                InfoBondPort::Prio(priority) if has_priority => port.priority = Some(*priority),
                InfoBondPort::QueueId(queue) => port.queue_id = Some(*queue),
                _ => {}
            }
        }
    }
    port
}

/// The address that a port had before it got the bond's, and gets back (`IFLA_BOND_SLAVE_PERM_HWADDR`).
pub(super) fn kept_address(port: &InfoPortData) -> Option<&[u8]> {
    let InfoPortData::BondPort(attributes) = port else {
        return None;
    };
    attributes.iter().find_map(|attribute| match attribute {
        InfoBondPort::PermHwaddr(bytes) => Some(bytes.as_slice()),
        _ => None,
    })
}

/// `IFLA_INFO_SLAVE_DATA` with what is given.
pub(super) fn compose_port(port: &BondPort) -> Vec<LinkInfo> {
    let attributes = [
        port.priority.map(InfoBondPort::Prio),
        port.queue_id.map(InfoBondPort::QueueId),
    ];
    let attributes = attributes.into_iter().flatten().collect();
    vec![
        LinkInfo::PortKind(InfoPortKind::Bond),
        LinkInfo::PortData(InfoPortData::BondPort(attributes)),
    ]
}
