// SPDX-License-Identifier: Apache-2.0

//! What is remembered of a wish, where that isn't just what was written: pure.

use std::net::IpAddr;

use nipart_schemas::decision::DecisionRequest;
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::{Address, PROTOCOL_DHCP};
use nipart_schemas::network_state::NetworkState;

/// The wanted state with its secrets, which may have been written as hidden, with the priorities of rules, with all of
/// what comes back, with the addresses that were leased and become static because DHCP is turned off and no address
/// is written, and with the other ends of pairs that are set down.
///
/// # Errors
/// When what the kernel has can't be read.
pub(super) fn to_remember(request: &DecisionRequest) -> Result<NetworkState, NipartError> {
    let mut state = request.desired.clone();
    for interface in &mut state.interfaces {
        let observed = || {
            let observed = request.observed.read()?.interface(&interface.name);
            Ok::<_, NipartError>(observed)
        };
        let saved = request.saved.interface(&interface.name);
        if let Some(ipv4) = &mut interface.ipv4
            && ipv4.dhcp == Some(false)
            && ipv4.enabled != Some(false)
            && ipv4.address.is_none()
        {
            let list = |of: &Interface| of.ipv4.as_ref()?.address.clone();
            ipv4.address = with_leased(observed()?.and_then(list), saved.and_then(list));
        }
        if let Some(ipv6) = &mut interface.ipv6
            && ipv6.dhcp == Some(false)
            && ipv6.enabled != Some(false)
            && ipv6.address.is_none()
        {
            let list = |of: &Interface| of.ipv6.as_ref()?.address.clone();
            ipv6.address = with_leased(observed()?.and_then(list), saved.and_then(list));
        }
    }
    if state.interfaces.iter().any(is_down) {
        state.interfaces.extend(other_ends_down(request)?);
    }
    Ok(state)
}

/// What is saved of the other end of a pair that goes because this one is set down: it can't be up without it.
fn other_ends_down(
    request: &DecisionRequest,
) -> Result<impl Iterator<Item = Interface> + '_, NipartError> {
    let wanted = request.desired.by_name();
    let observed = request.observed.read()?.by_name();
    let goes = move |name: &str| {
        let is_down = |interface: &&Interface| is_down(interface);
        // One that is down already stays, and the pair with it.
        wanted.get(name).is_some_and(is_down) && !observed.get(name).is_some_and(is_down)
    };
    let is_named = |name: &str| request.desired.interface(name).is_some();
    let pairs = request.saved.pairs();
    let ends = pairs.filter(move |(end, other)| goes(end) && !is_named(other));
    let ends = ends.filter(|(_, other)| request.saved.interface(other).is_some());
    Ok(ends.map(|(_, other)| Interface {
        state: Some(InterfaceState::Down),
        ..Interface::named(other)
    }))
}

fn is_down(interface: &Interface) -> bool {
    interface.wanted_state() == InterfaceState::Down
}

/// What is saved, with the leased ones among those that are there; none where there is none.
fn with_leased<A: Copy + Into<IpAddr>>(
    present: Option<Vec<Address<A>>>,
    saved: Option<Vec<Address<A>>>,
) -> Option<Vec<Address<A>>> {
    let present = present.into_iter().flatten();
    let is_leased = |address: &Address<A>| address.protocol == Some(PROTOCOL_DHCP);
    let mut leased = present.filter(is_leased).peekable();
    leased.peek()?;
    let leased = leased.map(|address| Address::new(address.ip, address.prefix_length));
    Some(saved.into_iter().flatten().chain(leased).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(desired: &str) -> NetworkState {
        let state = |text: &str| nipart_schemas::yaml::parse(text).unwrap();
        let request = DecisionRequest {
            desired: state(desired),
            observed: state(
                "interfaces: [{name: eth0, ipv4: {address: [{ip: 192.0.2.9, prefix-length: 24},
                 {ip: 192.0.2.50, prefix-length: 24, valid-life-time: 9, protocol: 16}]}}]",
            )
            .into(),
            saved: state(
                "interfaces: [{name: eth0, ipv4: {dhcp: true, address: [{ip: 192.0.2.9, prefix-length: 24}]}}]",
            ),
            ..DecisionRequest::default()
        };
        to_remember(&request).unwrap()
    }

    #[test]
    fn the_other_end_of_a_pair_that_is_set_down_is_down() {
        let state = |text: &str| nipart_schemas::yaml::parse::<NetworkState>(text).unwrap();
        let saved = [
            "{name: v0, type: veth, veth: {peer: v1}}, {name: v1, mtu: 1400}",
            "{name: v0}, {name: v1, type: veth, veth: {peer: v0}}",
        ];
        let remembered = |desired: &str, observed: &str, saved: &str| {
            let list = |interfaces: &str| state(&format!("interfaces: [{interfaces}]"));
            let request = DecisionRequest {
                desired: list(desired),
                observed: list(observed).into(),
                saved: list(saved),
                ..DecisionRequest::default()
            };
            let names = to_remember(&request).unwrap().interfaces.into_iter();
            let down = names.filter(|interface| interface.wanted_state() == InterfaceState::Down);
            down.map(|interface| interface.name).collect::<Vec<_>>()
        };
        let down = "{name: v0, state: down}";
        for saved in saved {
            for (desired, observed, expected) in [
                (
                    down,
                    "{name: v0, state: up}, {name: v1, state: up}",
                    &["v0", "v1"][..],
                ),
                // Nothing is there any more.
                (down, "", &["v0", "v1"]),
                // It stays, and the other end with it.
                (
                    down,
                    "{name: v0, state: down}, {name: v1, state: up}",
                    &["v0"],
                ),
                ("{name: v0, state: down}, {name: v1}", "", &["v0"]),
                ("{name: v0}", "", &[]),
            ] {
                assert_eq!(
                    remembered(desired, observed, saved),
                    expected,
                    "{desired}, {observed}"
                );
            }
        }
        assert_eq!(
            remembered(down, "", "{name: v0, type: veth, veth: {peer: v1}}"),
            ["v0"]
        );
    }

    #[test]
    fn a_lease_that_becomes_static_is_remembered() {
        let expected = "interfaces: [{name: eth0, ipv4: {dhcp: false,
            address: [{ip: 192.0.2.9, prefix-length: 24}, {ip: 192.0.2.50, prefix-length: 24}]}}]";
        assert_eq!(
            remembered("interfaces: [{name: eth0, ipv4: {dhcp: false}}]"),
            nipart_schemas::yaml::parse(expected).unwrap()
        );
        for as_written in [
            "interfaces: [{name: eth0, ipv4: {dhcp: false, address: []}}]",
            "interfaces: [{name: eth0, ipv4: {dhcp: false, enabled: false}}]",
            "interfaces: [{name: eth0, ipv4: {dhcp: true}}]",
            "interfaces: [{name: eth0, mtu: 1400}]",
        ] {
            let written = nipart_schemas::yaml::parse(as_written).unwrap();
            assert_eq!(remembered(as_written), written);
        }
    }
}
