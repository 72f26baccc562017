// SPDX-License-Identifier: Apache-2.0

//! From `RTM_NEWRULE` to rules. One with anything that Nipart can't say, such as `goto`, `not` or a realm, isn't shown:
//! told by half, it would be taken for another.

use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::rule::{
    RuleAction as KernelAction, RuleAttribute, RuleFlags, RuleMessage,
};
use nipart_netlink::packet_core::{DefaultNla, Nla};
use nipart_netlink::{DumpSocket, NetlinkError};
use nipart_schemas::ip::IpFamily;
use nipart_schemas::route::IpNetwork;
use nipart_schemas::route_rule::{IpProtocol, NumberRange, RouteRule, RuleAction, Selector};

/// `linux/fib_rules.h`, since 6.15.
const FRA_SPORT_MASK: u16 = 28;
const FRA_DPORT_MASK: u16 = 29;
/// `suppress_prefixlen` of a rule that suppresses nothing is -1 (`fib_nl_fill_rule`, net/core/fib_rules.c).
const SUPPRESSES_NOTHING: u32 = u32::MAX;

/// Reads all rules, of the families that the kernel has.
pub(super) async fn read(dump: &DumpSocket) -> Result<Vec<RouteRule>, NetlinkError> {
    let mut rules = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        match dump.rules(family).await {
            Ok(messages) => rules.extend(messages.into_iter().filter_map(observe)),
            Err(error) if error.is_unsupported() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rules)
}

/// None for what isn't shown.
fn observe(message: RuleMessage) -> Option<RouteRule> {
    let header = message.header;
    if header.flags.contains(RuleFlags::Invert) {
        return None;
    }
    let action = match header.action {
        KernelAction::ToTable => None,
        KernelAction::Blackhole => Some(RuleAction::Blackhole),
        KernelAction::Unreachable => Some(RuleAction::Unreachable),
        KernelAction::Prohibit => Some(RuleAction::Prohibit),
        _ => return None,
    };
    let mut table = u32::from(header.table);
    let mut rule = RouteRule {
        family: Some(match header.family {
            AddressFamily::Inet => IpFamily::Ipv4,
            AddressFamily::Inet6 => IpFamily::Ipv6,
            _ => return None,
        }),
        priority: Some(0),
        action,
        tos: (header.tos != 0).then_some(Selector::Is(header.tos)),
        ..RouteRule::default()
    };
    for attribute in message.attributes {
        match attribute {
            RuleAttribute::Source(address) => {
                rule.ip_from = is(IpNetwork::containing(address, header.src_len));
            }
            RuleAttribute::Destination(address) => {
                rule.ip_to = is(IpNetwork::containing(address, header.dst_len));
            }
            RuleAttribute::Iifname(name) => rule.iif = is(name),
            RuleAttribute::Oifname(name) => rule.oif = is(name),
            RuleAttribute::Priority(number) => rule.priority = Some(number),
            RuleAttribute::FwMark(mark) => rule.fwmark = is(mark),
            RuleAttribute::FwMask(mask) => rule.fwmask = is(mask),
            RuleAttribute::Table(number) => table = number,
            RuleAttribute::IpProtocol(protocol) => rule.ip_proto = is(IpProtocol(protocol.into())),
            RuleAttribute::SourcePortRange(ports) => {
                rule.source_port = range(ports.start, ports.end)
            }
            RuleAttribute::DestinationPortRange(ports) => {
                rule.destination_port = range(ports.start, ports.end);
            }
            RuleAttribute::UidRange(users) => rule.uidrange = range(users.start, users.end),
            RuleAttribute::SuppressPrefixLen(SUPPRESSES_NOTHING) => {}
            RuleAttribute::SuppressPrefixLen(length) => rule.suppress_prefix_length = is(length),
            RuleAttribute::Protocol(number) => rule.protocol = Some(number.into()),
            RuleAttribute::Other(attribute) if is_whole_port(&attribute) => {}
            _ => return None,
        }
    }
    rule.route_table = Some(table).filter(|table| *table != 0);
    Some(RouteRule {
        protocol: rule.protocol,
        ..rule.identity()
    })
}

/// Newer kernels say of a single port that all of its bits count.
fn is_whole_port(attribute: &DefaultNla) -> bool {
    let mut value = [0; 2];
    let is_mask = matches!(attribute.kind(), FRA_SPORT_MASK | FRA_DPORT_MASK);
    if !is_mask || attribute.value_len() != value.len() {
        return false;
    }
    attribute.emit_value(&mut value);
    value == [u8::MAX; 2]
}

fn is<T>(value: T) -> Option<Selector<T>> {
    Some(Selector::Is(value))
}

fn range<T>(start: T, end: T) -> Option<Selector<NumberRange<T>>> {
    is(NumberRange { start, end })
}
