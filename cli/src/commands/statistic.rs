// SPDX-License-Identifier: Apache-2.0

//! `statistic`: what kinds of networks files describe, in the words of `nmstatectl statistic`: which types of interfaces
//! stand upon which, and which features are used.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::ExitCode;

use nipart_api::client::Client;
use nipart_schemas::error::ErrorKind;
use nipart_schemas::interface::{Identifier, Interface, InterfaceState, InterfaceType};
use nipart_schemas::network_state::NetworkState;
use serde::Serialize;

use super::policy;
use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output::{self, note};

/// More links than this are never stacked: the kernel itself allows eight (`MAX_NEST_DEV`).
const MAX_STACK: usize = 16;

/// How many interfaces have a tag of their own, the largest number first.
const COUNTS: [(usize, &str); 5] = [
    (500, "iface-count500-plus"),
    (200, "iface-count200-plus"),
    (100, "iface-count100-plus"),
    (50, "iface-count50-plus"),
    (10, "iface-count10-plus"),
];

/// Without a daemon, of what the files say alone.
pub(super) async fn run(
    socket: &Path,
    state: &NetworkState,
    current: Option<Box<NetworkState>>,
    is_json: bool,
) -> Result<ExitCode, Failure> {
    let current = match (current, Client::connect(socket).await) {
        (Some(current), _) => *current,
        (None, Ok(mut client)) => policy::current_of(&mut client).await?,
        (None, Err(error)) if error.kind == ErrorKind::DaemonUnreachable => {
            note("no network was looked at");
            NetworkState::default()
        }
        (None, Err(error)) => return Err(error.into()),
    };
    let format = match is_json {
        true => ReportFormat::Json,
        false => ReportFormat::Yaml,
    };
    let statistic = statistic(state, &current);
    output::report(&statistic, format, |_| String::new())?;
    Ok(ExitCode::SUCCESS)
}

/// What a state is made of.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Statistic {
    /// Types from the addresses down to the card, such as `static_ip4 -> vlan -> bond -> ethernet`.
    topology: Vec<String>,
    features: BTreeSet<&'static str>,
}

/// The statistic of what is wanted, over what there is.
fn statistic(wanted: &NetworkState, current: &NetworkState) -> Statistic {
    let merged = wanted.laid_over(current);
    let stacks = Stacks::of(&merged);
    let desired = wanted
        .interfaces
        .iter()
        .filter(|interface| interface.wanted_state() == InterfaceState::Up);
    let names: BTreeSet<&str> = desired
        .flat_map(|interface| {
            let ports = interface.port_names().into_iter().flatten();
            ports.chain([interface.name.as_str()])
        })
        .collect();
    let merged = merged.by_name();
    let mut lines: Vec<String> = names
        .iter()
        .filter_map(|name| merged.get(name))
        .map(|interface| stacks.line(interface))
        .collect();
    lines.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    lines.dedup();
    // A part of a longer line says nothing new.
    let is_part = |index: usize, line: &String| {
        let mut longer = lines.iter().skip(index + 1);
        longer.any(|other| other.contains(line.as_str()))
    };
    let topology = lines.iter().enumerate();
    let topology = topology.filter(|(index, line)| !is_part(*index, line));
    Statistic {
        topology: topology.map(|(_, line)| line.clone()).collect(),
        features: features(wanted),
    }
}

/// What stands upon what.
struct Stacks<'a> {
    interfaces: HashMap<&'a str, &'a Interface>,
}

impl<'a> Stacks<'a> {
    fn of(state: &'a NetworkState) -> Self {
        Self {
            interfaces: state.by_name(),
        }
    }

    fn line(&self, interface: &Interface) -> String {
        let mut words = self.above(interface, MAX_STACK);
        words.push(type_word(interface));
        words.extend(self.below(interface, MAX_STACK));
        words.join(" -> ")
    }

    fn controller(&self, interface: &Interface) -> Option<&'a Interface> {
        let named = interface
            .controller
            .as_deref()
            .filter(|name| !name.is_empty());
        let listing = || {
            let mut controllers = self.interfaces.values().copied();
            controllers.find(|controller| {
                let ports = controller.port_names();
                ports.is_some_and(|ports| ports.contains(&interface.name.as_str()))
            })
        };
        match named {
            Some(name) => self.interfaces.get(name).copied(),
            None => listing(),
        }
    }

    /// The addresses, of the uppermost controller, and the controllers.
    fn above(&self, interface: &Interface, left: usize) -> Vec<String> {
        match self.controller(interface) {
            Some(controller) if left > 0 => {
                let mut words = self.above(controller, left - 1);
                words.push(type_word(controller));
                words
            }
            _ => addresses(interface).into_iter().collect(),
        }
    }

    /// The interface below and what is below that; of several ports, those with most below them.
    fn below(&self, interface: &Interface, left: usize) -> Vec<String> {
        let base = interface.base_interface();
        let ports = interface.port_names().unwrap_or_default();
        let names = base.map_or(ports, |base| vec![base]);
        let lower = names.iter().filter_map(|name| self.interfaces.get(name));
        let mut longest = Vec::new();
        for interface in lower {
            let mut words = vec![type_word(interface)];
            if left > 0 {
                words.extend(self.below(interface, left - 1));
            }
            if words.len() > longest.len() {
                longest = words;
            }
        }
        longest
    }
}

/// nmstate takes both ends of a veth pair for network cards.
fn type_word(interface: &Interface) -> String {
    match &interface.interface_type {
        Some(InterfaceType::Veth) => "ethernet".to_string(),
        Some(interface_type) => interface_type.to_string(),
        None => "unknown".to_string(),
    }
}

fn addresses(interface: &Interface) -> Option<String> {
    let mut words = Vec::new();
    if let Some(ipv4) = interface
        .ipv4
        .as_ref()
        .filter(|ipv4| ipv4.enabled != Some(false))
    {
        let is_auto = ipv4.dhcp == Some(true);
        let is_static = ipv4.address.as_ref().is_some_and(|list| !list.is_empty());
        words.extend((is_static && !is_auto).then_some("static_ip4"));
        words.extend(is_auto.then_some("auto_ip4"));
    }
    if let Some(ipv6) = interface
        .ipv6
        .as_ref()
        .filter(|ipv6| ipv6.enabled != Some(false))
    {
        let is_auto = ipv6.dhcp == Some(true) || ipv6.autoconf == Some(true);
        let is_static = ipv6.address.as_ref().is_some_and(|list| !list.is_empty());
        words.extend((is_static && !is_auto).then_some("static_ip6"));
        words.extend(is_auto.then_some("auto_ip6"));
    }
    (!words.is_empty()).then(|| words.join(","))
}

fn features(state: &NetworkState) -> BTreeSet<&'static str> {
    let any = |test: fn(&Interface) -> bool| state.interfaces.iter().any(test);
    let dns = state.dns_config();
    let hostname = state.hostname.as_ref();
    let rules = state.rules();
    let used = [
        (
            "dhcpv4-custom-hostname",
            any(|interface| {
                let ipv4 = interface.ipv4.as_ref();
                ipv4.is_some_and(|ipv4| ipv4.dhcp_custom_hostname.is_some())
            }),
        ),
        (
            "lldp",
            any(|interface| {
                let lldp = interface.lldp.as_ref();
                lldp.and_then(|lldp| lldp.enabled) == Some(true)
            }),
        ),
        (
            "mac-based-identifier",
            any(|interface| interface.identifier == Some(Identifier::MacAddress)),
        ),
        (
            "static-dns-name-server",
            dns.is_some_and(|dns| dns.server.is_some()),
        ),
        (
            "static-dns-option",
            dns.is_some_and(|dns| dns.options.is_some()),
        ),
        (
            "static-dns-search",
            dns.is_some_and(|dns| dns.search.is_some()),
        ),
        (
            "static-hostname",
            hostname.is_some_and(|names| names.config.is_some()),
        ),
        ("static-route", !state.config_routes().is_empty()),
        ("static-route-rule", !rules.is_empty()),
        (
            "static-route-rule-suppress-prefix-length",
            rules
                .iter()
                .any(|rule| rule.suppress_prefix_length.is_some()),
        ),
    ];
    let used = used.into_iter().filter(|(_, is_used)| *is_used);
    let count = state.interfaces.len();
    let mut counts = COUNTS.iter().filter(|(least, _)| count >= *least);
    used.map(|(word, _)| word)
        .chain(counts.next().map(|(_, word)| *word))
        .collect()
}

#[cfg(test)]
mod tests {
    use nipart_schemas::yaml;

    use super::*;

    #[test]
    fn topology_and_features_are_told_as_nmstate_does() {
        let current = "interfaces: [{name: eth0, type: ethernet}, {name: eth1, type: veth}]";
        let wanted = "\
hostname: {config: host.example}
dns-resolver: {config: {server: [192.0.2.53]}}
interfaces:
- name: bond0
  type: bond
  link-aggregation: {mode: active-backup, port: [eth0, eth1]}
- name: bond0.7
  type: vlan
  vlan: {base-iface: bond0, id: 7}
  ipv4: {enabled: true, address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {enabled: true, autoconf: true}
- name: br0
  type: linux-bridge
  ipv4: {enabled: true, dhcp: true}
  bridge: {port: [{name: veth0}]}
- name: veth0
  type: veth
  veth: {peer: veth1}
- name: dummy0
  type: dummy
- name: gone
  type: dummy
  state: absent
routes: {config: [{destination: 0.0.0.0/0, next-hop-interface: br0}]}
route-rules: {config: [{family: ipv4, suppress-prefix-length: 0}]}
";
        let told = statistic(
            &yaml::parse(wanted).unwrap(),
            &yaml::parse(current).unwrap(),
        );
        assert_eq!(
            told.topology,
            [
                "dummy",
                "auto_ip4 -> linux-bridge -> ethernet",
                "static_ip4,auto_ip6 -> vlan -> bond -> ethernet",
            ]
        );
        let expected = BTreeSet::from([
            "static-dns-name-server",
            "static-hostname",
            "static-route",
            "static-route-rule",
            "static-route-rule-suppress-prefix-length",
        ]);
        assert_eq!(told.features, expected);
        let many: Vec<Interface> = (0..60).map(|n| Interface::named(format!("e{n}"))).collect();
        let state = NetworkState {
            interfaces: many,
            ..NetworkState::default()
        };
        assert_eq!(features(&state), BTreeSet::from(["iface-count50-plus"]));
    }
}
