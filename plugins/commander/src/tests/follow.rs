// SPDX-License-Identifier: Apache-2.0

//! What is followed after transactions, and what that starts and stops.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use nipart_schemas::lease::{DhcpConfig, LeaseKey, LeaseProtocol};
use nipart_schemas::monitor::LinkCondition;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;

use crate::follow::{FollowChanges, Followed};
use crate::transaction::Outcome;

fn state(text: &str) -> NetworkState {
    yaml::parse(text).unwrap()
}

fn outcome(merged: &str) -> Outcome {
    Outcome {
        merged: state(merged),
        ..Outcome::default()
    }
}

fn update(followed: &mut Followed, merged: &str) -> FollowChanges {
    let names = BTreeSet::from(["eth0".to_string()]);
    followed.update(&names, &outcome(merged))
}

const DHCP: &str = "interfaces: [{name: eth0, ipv4: {dhcp: true}}]";
const PLAIN: &str = "interfaces: [{name: eth0, mtu: 1400}]";

const LEASED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn ipv4() -> LeaseKey {
    LeaseKey {
        interface: "eth0".to_string(),
        protocol: LeaseProtocol::Dhcpv4,
    }
}

fn started(changes: &FollowChanges) -> Vec<&str> {
    let clients = changes.start.iter();
    clients.map(DhcpConfig::interface).collect()
}

#[test]
fn a_client_starts_when_its_link_is_up_and_stops_with_it() {
    let mut followed = Followed::default();
    let changes = update(&mut followed, DHCP);
    // The monitor tells of the link first.
    assert!(changes.rules && changes.start.is_empty());
    assert!(followed.running_clients().is_empty());
    assert_eq!(
        started(&followed.link_changed("eth0", LinkCondition::Up)),
        ["eth0"]
    );
    assert_eq!(followed.running_clients().len(), 1);
    let changes = followed.link_changed("eth0", LinkCondition::Down);
    assert_eq!(changes.stop, [ipv4()]);
    assert!(followed.running_clients().is_empty());
}

#[test]
fn the_same_again_changes_nothing() {
    let mut followed = Followed::default();
    update(&mut followed, DHCP);
    followed.link_changed("eth0", LinkCondition::Up);
    followed.leased(&ipv4(), Some(LEASED));
    assert_eq!(update(&mut followed, DHCP), FollowChanges::default());
}

#[test]
fn other_settings_restart_a_client_that_runs() {
    let mut followed = Followed::default();
    update(&mut followed, DHCP);
    followed.link_changed("eth0", LinkCondition::Up);
    followed.leased(&ipv4(), Some(LEASED));
    let changes = update(
        &mut followed,
        "interfaces: [{name: eth0, ipv4: {dhcp: true, dhcp-custom-hostname: other}}]",
    );
    assert_eq!(started(&changes), ["eth0"]);
    let DhcpConfig::Ipv4(config) = &changes.start[0] else {
        panic!("{changes:?}");
    };
    assert_eq!(config.hostname.as_deref(), Some("other"));
    assert_eq!(changes.start[0].previous_address(), Some(LEASED));
    assert!(changes.stop.is_empty() && !changes.rules);
}

#[test]
fn a_client_is_told_to_stop_once() {
    let mut followed = Followed::default();
    update(&mut followed, DHCP);
    followed.link_changed("eth0", LinkCondition::Up);
    let changes = update(&mut followed, PLAIN);
    assert_eq!(changes.stop, [ipv4()]);
    assert!(changes.rules, "carrier is no business any more");
    assert!(followed.known().with_lease.is_empty());
    assert_eq!(update(&mut followed, PLAIN), FollowChanges::default());
}

#[test]
fn dhcp_on_a_link_that_is_known_to_be_up_starts_at_once() {
    let mut followed = Followed::default();
    update(&mut followed, DHCP);
    followed.link_changed("eth0", LinkCondition::Up);
    update(&mut followed, PLAIN);
    assert_eq!(started(&update(&mut followed, DHCP)), ["eth0"]);
}

#[test]
fn what_is_removed_or_down_is_not_followed() {
    for gone in [
        "{}",
        "interfaces: [{name: eth0, state: down, ipv4: {dhcp: true}}]",
    ] {
        let mut followed = Followed::default();
        update(&mut followed, DHCP);
        let changes = update(&mut followed, gone);
        assert_eq!(changes.stop, [ipv4()], "{gone}");
        assert!(changes.rules && followed.rules().is_empty(), "{gone}");
        let changes = followed.link_changed("eth0", LinkCondition::Up);
        assert_eq!(changes, FollowChanges::default(), "{gone}");
    }
}

#[test]
fn only_the_interfaces_of_the_transaction_are_touched() {
    let mut followed = Followed::default();
    update(&mut followed, DHCP);
    let names = BTreeSet::from(["eth1".to_string()]);
    let changes = followed.update(&names, &outcome("{}"));
    assert_eq!(changes, FollowChanges::default());
    assert_eq!(followed.known().with_lease.len(), 1);
}

#[test]
fn an_address_that_a_restart_left_is_asked_for_first() {
    let mut followed = Followed::default();
    let names = BTreeSet::from(["eth0".to_string()]);
    let outcome = Outcome {
        observed: state(
            "
interfaces:
- name: eth0
  ipv4:
    address:
    - {ip: 192.0.2.1, prefix-length: 24, protocol: 110}
    - {ip: 192.0.2.9, prefix-length: 24, protocol: 16}
",
        )
        .into(),
        ..outcome(DHCP)
    };
    followed.update(&names, &outcome);
    let changes = followed.link_changed("eth0", LinkCondition::Up);
    assert_eq!(
        changes.start[0].previous_address(),
        Some(Ipv4Addr::new(192, 0, 2, 9).into())
    );
}

#[test]
fn rules_ask_for_what_matters() {
    let mut followed = Followed::default();
    let names = BTreeSet::from(["eth0".to_string(), "eth1".to_string()]);
    let outcome = Outcome {
        pending: vec!["eth1".to_string()],
        ..outcome("interfaces: [{name: eth0, ipv4: {dhcp: true}}, {name: eth1}]")
    };
    followed.update(&names, &outcome);
    let rules = followed.rules();
    assert_eq!(rules.len(), 2);
    assert!(rules[0].interested.contains(&LinkCondition::Up));
    assert_eq!(rules[0].known, Some(LinkCondition::Present));
    assert!(!rules[1].interested.contains(&LinkCondition::Up));
    assert!(rules[1].interested.contains(&LinkCondition::Present));
    assert_eq!(rules[1].known, None, "it is awaited");
}

#[test]
fn the_loss_of_a_link_with_endpoints_is_told() {
    let mut followed = Followed::default();
    let asks = |followed: &Followed| {
        let rules = followed.rules();
        rules[0].interested.contains(&LinkCondition::Absent)
    };
    assert!(update(&mut followed, PLAIN).rules);
    assert!(!asks(&followed));
    let flags =
        |flags| format!("interfaces: [{{name: eth0, mptcp: {{address-flags: [{flags}]}}}}]");
    assert!(update(&mut followed, &flags("signal")).rules);
    assert!(asks(&followed));
    assert!(update(&mut followed, &flags("")).rules);
    assert!(!asks(&followed));
}

const ROUTERS: &str = "interfaces: [{name: eth0, ipv6: {enabled: true, autoconf: true}}]";

#[test]
fn routers_are_asked_again_when_their_default_route_becomes_anothers() {
    let mut followed = Followed::default();
    update(&mut followed, ROUTERS);
    let changes = followed.link_changed("eth0", LinkCondition::Up);
    assert_eq!(started(&changes), ["eth0"]);
    let ours = ROUTERS.replace("autoconf: true", "autoconf: true, auto-route-metric: 50");
    for (state, is_ours) in [(ours.as_str(), true), (ROUTERS, false)] {
        let changes = update(&mut followed, state);
        let [DhcpConfig::RouterAdvertisement(config)] = changes.start.as_slice() else {
            panic!("{changes:?}");
        };
        assert_eq!(config.takes_default_route, is_ours);
        assert!(changes.stop.is_empty());
    }
    let off = ROUTERS.replace("autoconf: true", "autoconf: false");
    assert_eq!(update(&mut followed, &off).stop.len(), 1);
}

#[test]
fn nobody_listens_on_a_port_of_a_bridge() {
    for (kind, expected) in [("linux-bridge", 0), ("vrf", 1)] {
        let mut followed = Followed::default();
        let port = ROUTERS.replace("name: eth0", "name: eth0, controller: c0");
        let both = port.replace("}}]", &format!("}}}}, {{name: c0, type: {kind}}}]"));
        update(&mut followed, &both);
        let changes = followed.link_changed("eth0", LinkCondition::Up);
        assert_eq!(changes.start.len(), expected, "{kind}");
    }
}
