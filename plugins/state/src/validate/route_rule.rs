// SPDX-License-Identifier: Apache-2.0

//! Checks of rules.

use std::collections::HashMap;

use nipart_schemas::error::NipartError;
use nipart_schemas::ip::IpFamily;
use nipart_schemas::route_rule::{RouteRule, Selector};

use super::check_link_name;
use crate::context::Context;

/// Bits of the type of service that belong to congestion notification (`INET_ECN_MASK`).
const CONGESTION_BITS: u8 = 0x03;
/// Bits that IPv4 rules compare (`IPTOS_TOS_MASK`, `fib4_rule_configure`, net/ipv4/fib_rules.c).
const IPV4_TOS_BITS: u8 = 0x1c;
/// Ports below this one (`fib_rule_port_range_valid`, net/fib_rules.h).
const PORT_LIMIT: u16 = u16::MAX;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut first_places: HashMap<RouteRule, usize> = HashMap::new();
    for (index, rule) in context.rules.iter().enumerate() {
        let path = format!("route-rules.config[{index}]");
        check_families(rule, &path)?;
        if rule.is_absent() {
            continue;
        }
        check_one(rule, &path)?;
        if let Some(first) = first_places.insert(rule.identity(), index) {
            let text = format!("rule {rule} is listed twice, first as route-rules.config[{first}]");
            return Err(NipartError::invalid(path, text));
        }
    }
    Ok(())
}

fn check_families(rule: &RouteRule, path: &str) -> Result<(), NipartError> {
    let is_ipv6 = rule.known_family() == Some(IpFamily::Ipv6);
    for (key, selector) in [("ip-from", &rule.ip_from), ("ip-to", &rule.ip_to)] {
        let network = selector.as_ref().and_then(Selector::value);
        if network.is_some_and(|network| network.address.is_ipv6() != is_ipv6) {
            let text = format!("rule {rule} mixes IPv4 and IPv6");
            return Err(NipartError::invalid(format!("{path}.{key}"), text));
        }
    }
    Ok(())
}

fn check_one(rule: &RouteRule, path: &str) -> Result<(), NipartError> {
    fn value<T>(selector: Option<&Selector<T>>) -> Option<&T> {
        selector.and_then(Selector::value)
    }
    let refuse = |key: &str, text: String| Err(NipartError::invalid(format!("{path}.{key}"), text));
    let Some(family) = rule.known_family() else {
        let text = "a rule needs its family, or ip-from or ip-to to tell it";
        return Err(NipartError::invalid(path, text));
    };
    for (key, selector) in [("iif", &rule.iif), ("oif", &rule.oif)] {
        if let Some(name) = value(selector.as_ref()) {
            check_link_name(name, &format!("{path}.{key}"))?;
        }
    }
    if value(rule.fwmask.as_ref()).is_some() && value(rule.fwmark.as_ref()).is_none() {
        return refuse(
            "fwmask",
            "fwmask needs the fwmark that it is for".to_string(),
        );
    }
    let (longest, tos_bits) = match family {
        IpFamily::Ipv4 => (32, IPV4_TOS_BITS),
        IpFamily::Ipv6 => (128, !CONGESTION_BITS),
    };
    if let Some(tos) = value(rule.tos.as_ref()).filter(|tos| **tos & !tos_bits != 0) {
        let text = format!(
            "tos {tos:#04x} has other bits than {tos_bits:#04x}, which the kernel compares"
        );
        return refuse("tos", text);
    }
    let suppressed = value(rule.suppress_prefix_length.as_ref());
    if let Some(length) = suppressed.filter(|length| **length > longest) {
        let text = format!("prefix length {length} is more than {longest}");
        return refuse("suppress-prefix-length", text);
    }
    for (key, selector) in [
        ("source-port", &rule.source_port),
        ("destination-port", &rule.destination_port),
    ] {
        let ports = value(selector.as_ref());
        if let Some(ports) = ports.filter(|ports| ports.start == 0 || ports.end == PORT_LIMIT) {
            let text = format!(
                "{ports} is not within 1 to {}, which the kernel takes",
                PORT_LIMIT - 1
            );
            return refuse(key, text);
        }
    }
    // No user has the number that means "nobody" (`uid_valid`, linux/uidgid.h).
    if let Some(users) = value(rule.uidrange.as_ref()).filter(|users| users.end == u32::MAX) {
        return refuse(
            "uidrange",
            format!("{users}: the highest number is {}", u32::MAX - 1),
        );
    }
    Ok(())
}
