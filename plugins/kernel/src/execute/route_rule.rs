// SPDX-License-Identifier: Apache-2.0

//! Messages about rules.

use nipart_netlink::NetlinkRequest;
use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::rule::{
    RuleAction as KernelAction, RuleAttribute, RuleMessage, RulePortRange, RuleUidRange,
};
use nipart_schemas::error::NipartError;
use nipart_schemas::ip::{IpFamily, PROTOCOL_NIPART};
use nipart_schemas::route::IpNetwork;
use nipart_schemas::route_rule::{NumberRange, RouteRule, RuleAction, Selector};

use super::Step;

/// Adds the rule, behind those of the same priority.
pub(super) fn add(rule: &RouteRule) -> Result<Step, NipartError> {
    let marked = RouteRule {
        protocol: rule.protocol.or(Some(PROTOCOL_NIPART)),
        ..rule.clone()
    };
    Ok(Step::send(NetlinkRequest::add_rule(message(&marked)?)))
}

/// Removes the rule; gone already counts as removed.
pub(super) fn remove(rule: &RouteRule) -> Result<Step, NipartError> {
    let request = NetlinkRequest::delete_rule(message(rule)?);
    Ok(Step::send_forgiving(request, |error| error.is_not_found()))
}

fn message(rule: &RouteRule) -> Result<RuleMessage, NipartError> {
    let protocol = rule.protocol;
    let rule = rule.identity();
    let (Some(family), Some(priority)) = (rule.family, rule.priority) else {
        let text = format!("rule {rule} has no family or no priority");
        return Err(NipartError::invalid("route-rules.config", text));
    };
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = match family {
        IpFamily::Ipv4 => AddressFamily::Inet,
        IpFamily::Ipv6 => AddressFamily::Inet6,
    };
    header.action = match rule.action {
        None => KernelAction::ToTable,
        Some(RuleAction::Blackhole) => KernelAction::Blackhole,
        Some(RuleAction::Unreachable) => KernelAction::Unreachable,
        Some(RuleAction::Prohibit) => KernelAction::Prohibit,
    };
    let (source, destination) = (value(rule.ip_from), value(rule.ip_to));
    let length = |network: Option<IpNetwork>| network.map_or(0, |network| network.prefix_length);
    (header.src_len, header.dst_len) = (length(source), length(destination));
    header.tos = value(rule.tos).unwrap_or(0);
    let ports = |range: NumberRange<u16>| RulePortRange {
        start: range.start,
        end: range.end,
    };
    let users = |range: NumberRange<u32>| RuleUidRange {
        start: range.start,
        end: range.end,
    };
    let attributes = [
        Some(RuleAttribute::Priority(priority)),
        source.map(|network| RuleAttribute::Source(network.address)),
        destination.map(|network| RuleAttribute::Destination(network.address)),
        value(rule.iif).map(RuleAttribute::Iifname),
        value(rule.oif).map(RuleAttribute::Oifname),
        value(rule.fwmark).map(RuleAttribute::FwMark),
        value(rule.fwmask).map(RuleAttribute::FwMask),
        value(rule.ip_proto).map(|protocol| RuleAttribute::IpProtocol(protocol.0.into())),
        value(rule.source_port).map(|range| RuleAttribute::SourcePortRange(ports(range))),
        value(rule.destination_port).map(|range| RuleAttribute::DestinationPortRange(ports(range))),
        value(rule.uidrange).map(|range| RuleAttribute::UidRange(users(range))),
        value(rule.suppress_prefix_length).map(RuleAttribute::SuppressPrefixLen),
        // The header's field holds eight bits only.
        rule.route_table.map(RuleAttribute::Table),
        protocol.map(|protocol| RuleAttribute::Protocol(protocol.into())),
    ];
    message.attributes.extend(attributes.into_iter().flatten());
    Ok(message)
}

fn value<T>(selector: Option<Selector<T>>) -> Option<T> {
    match selector {
        Some(Selector::Is(value)) => Some(value),
        Some(Selector::Without) | None => None,
    }
}
