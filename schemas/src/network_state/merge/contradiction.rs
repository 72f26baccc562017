// SPDX-License-Identifier: Apache-2.0

//! Keys of one interface that exclude each other.

use crate::interface::{Identifier, Interface};

/// What of the lower interface can stand beside what the upper one says.
pub(super) fn without_contradictions(upper: &Interface, below: &Interface) -> Interface {
    if let (Some(wanted), Some(known)) = (&upper.interface_type, &below.interface_type)
        && !wanted.accepts(known)
        && !known.accepts(wanted)
    {
        // Another interface of the same name.
        return Interface::named(&*upper.name);
    }
    let mut below = below.clone();
    // A state that isn't written is `up`, not what it was.
    below.state = None;
    if upper.mac_address.is_some() {
        below.copy_mac_from = None;
    } else if upper.copy_mac_from.is_some() {
        below.mac_address = None;
    }
    if let (Some(upper), Some(below)) = (&upper.link_aggregation, &mut below.link_aggregation) {
        below.forget_against(upper);
    }
    if upper.identifier.is_none()
        && upper.mac_address.is_some()
        && upper.mac_address != below.mac_address
    {
        // It is an address to be set, not one that it is known by.
        below
            .identifier
            .take_if(|identifier| *identifier == Identifier::MacAddress);
    }
    if let (Some(upper), Some(below)) = (&upper.ethernet, &mut below.ethernet)
        && upper.auto_negotiation == Some(true)
    {
        (below.speed, below.duplex) = (None, None);
    }
    if let (Some(upper), Some(below)) = (&upper.bridge, &mut below.bridge) {
        below.forget_vlans_against(upper);
    }
    if let (Some(upper), Some(below)) = (&upper.ipv4, &mut below.ipv4) {
        let has_addresses = upper.address.as_ref().is_some_and(|list| !list.is_empty());
        if upper.enabled == Some(false) {
            (below.dhcp, below.address) = (None, None);
        } else if upper.dhcp == Some(true) || has_addresses {
            below.enabled.take_if(|enabled| !*enabled);
        }
    }
    if let (Some(upper), Some(below)) = (&upper.ipv6, &mut below.ipv6) {
        if upper.autoconf == Some(false) {
            below.token = None;
        } else if upper.has_token() {
            below.autoconf.take_if(|autoconf| !*autoconf);
        }
        if upper.enabled == Some(false) {
            (below.dhcp, below.autoconf, below.address) = (None, None, None);
            below.token = None;
        } else if upper.needs_protocol() {
            below.enabled.take_if(|enabled| !*enabled);
        }
    }
    below.wait_ip = below.wait_ip.and_then(|wait| {
        let is_off = |upper: Option<bool>, below: Option<bool>| upper.or(below) == Some(false);
        let ipv4 = |interface: &Interface| interface.ipv4.as_ref()?.enabled;
        let ipv6 = |interface: &Interface| interface.ipv6.as_ref()?.enabled;
        wait.without(
            is_off(ipv4(upper), ipv4(&below)),
            is_off(ipv6(upper), ipv6(&below)),
        )
    });
    below
}

#[cfg(test)]
mod tests {
    use crate::network_state::NetworkState;

    #[test]
    fn what_is_waited_for_and_a_family_that_is_turned_off() {
        let state = |keys: &str| -> NetworkState {
            crate::yaml::parse(&format!("interfaces: [{{name: eth0, {keys}}}]")).unwrap()
        };
        let (ipv4_off, ipv6_off) = ("ipv4: {enabled: false}", "ipv6: {enabled: false}");
        let both_off = format!("{ipv4_off}, {ipv6_off}");
        for (below, upper, expected) in [
            ("wait-ip: ipv4", ipv4_off, ""),
            ("wait-ip: ipv4", ipv6_off, "wait-ip: ipv4"),
            ("wait-ip: ipv4+ipv6", ipv4_off, "wait-ip: ipv6"),
            ("wait-ip: ipv4+ipv6", ipv6_off, "wait-ip: ipv4"),
            ("wait-ip: any", ipv4_off, "wait-ip: any"),
            ("wait-ip: any", &both_off, ""),
            ("wait-ip: ipv6", "wait-ip: none", ""),
            ("wait-ip: ipv6", "mtu: 1400", "wait-ip: ipv6"),
        ] {
            let merged = state(upper).laid_over(&state(below));
            let expected = [upper, expected].map(|keys| keys.trim());
            let expected = expected.join(", ");
            assert_eq!(
                merged,
                state(expected.trim_end_matches(", ")),
                "{upper} over {below}"
            );
        }
        // Both are off after two changes.
        let merged = state(ipv6_off).laid_over(&state(&format!("wait-ip: any, {ipv4_off}")));
        assert_eq!(merged, state(&both_off));
    }

    fn state(bridge: &str) -> NetworkState {
        let text = format!("interfaces: [{{name: br0, type: linux-bridge, bridge: {{{bridge}}}}}]");
        crate::yaml::parse(&text).unwrap()
    }

    fn bond(section: &str) -> NetworkState {
        let text = format!("interfaces: [{{name: bond0, link-aggregation: {{{section}}}}}]");
        crate::yaml::parse(&text).unwrap()
    }

    #[test]
    fn bonds_of_another_mode() {
        let below = "mode: active-backup, port: [v1], ports-config: [{name: v1, priority: 7, queue-id: 2}], options: {miimon: 100}";
        let merged = bond("mode: 802.3ad").laid_over(&bond(below));
        let expected = "mode: 802.3ad, port: [v1], ports-config: [{name: v1, queue-id: 2}]";
        assert_eq!(merged, bond(expected));
        let merged = bond("mode: balance-tlb").laid_over(&bond(below));
        let expected =
            "mode: balance-tlb, port: [v1], ports-config: [{name: v1, priority: 7, queue-id: 2}]";
        assert_eq!(merged, bond(expected));
    }

    #[test]
    fn bonds_that_watch_their_ports_otherwise() {
        let links = "mode: active-backup, options: {miimon: 100, updelay: 200}";
        let arp = "options: {arp_interval: 500, arp_ip_target: 192.0.2.7, arp_validate: all}";
        let merged = bond(arp).laid_over(&bond(links));
        assert_eq!(merged, bond(&format!("mode: active-backup, {arp}")));
        let merged = bond(links).laid_over(&bond(&format!("mode: active-backup, {arp}")));
        let expected =
            "mode: active-backup, options: {miimon: 100, updelay: 200, arp_ip_target: 192.0.2.7}";
        assert_eq!(merged, bond(expected));
    }

    #[test]
    fn vlans_and_a_bridge_that_looks_at_none() {
        let vlans = "vlan: {tag: 10}, port: [{name: v1, vlan: {tag: 5}}]";
        let off = "options: {vlan-filtering: false, mac-ageing-time: 60}";
        let merged = state(off).laid_over(&state(vlans));
        assert_eq!(merged, state(&format!("{off}, port: [{{name: v1}}]")));
        let merged = state(vlans).laid_over(&state(off));
        let expected = format!("{vlans}, options: {{mac-ageing-time: 60}}");
        assert_eq!(merged, state(&expected));
    }
}
