// SPDX-License-Identifier: Apache-2.0

//! Random wanted states over a small set of names, most of them valid, and random objects of others: for the tests of
//! decisions with a model of the kernel, and for those with a real one.
//!
//! Each name has one type, so that states clash in what they say and not in what they mean.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "test support: shapes that strategies yield have no meaning beyond the next line, constants are parsed"
)]

mod foreign;
mod interface;
mod ip;
mod lease;
mod route;
mod route_rule;
mod section;
mod stacked;
mod word;

use nipart_schemas::interface::InterfaceState;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::{Route, Routes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

pub use self::foreign::foreign;
pub use self::lease::leases;

/// Names that wanted states use. The position is part of each one's addresses.
pub const NAMES: [&str; 10] = [
    "eth0", "eth1", "br0", "br1", "va", "vb", "vx0", "vx1", "mv0", "mt0",
];
/// Names that only others use.
pub const FOREIGN: [&str; 2] = ["dummy0", "foreignmv"];
/// Names of those that not every kernel has.
const RARE: [&str; 5] = ["bond0", "bond0.5", "eth0.7", "red", "dum0"];
const BASES: [&str; 6] = ["eth0", "eth1", "vx0", "va", "vb", "br0"];
const PORTS: [&str; 6] = ["eth0", "eth1", "va", "vb", "vx0", "mv0"];

/// What kinds of links states are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Those that every kernel has.
    Common,
    /// Bonds, VLANs, VRFs and dummies too.
    All,
}

impl Kinds {
    fn with_rare(self, common: &[&'static str], rare: &[&'static str]) -> Vec<&'static str> {
        let rare = rare.iter().filter(|_| self == Self::All);
        common.iter().chain(rare).copied().collect()
    }

    fn names(self) -> Vec<&'static str> {
        self.with_rare(&NAMES, &RARE)
    }

    fn bases(self) -> Vec<&'static str> {
        self.with_rare(&BASES, &["bond0", "bond0.5"])
    }

    fn ports(self) -> Vec<&'static str> {
        self.with_rare(&PORTS, &["bond0", "bond0.5", "eth0.7", "dum0"])
    }

    fn controllers(self) -> Vec<&'static str> {
        self.with_rare(&["br0", "br1"], &["bond0", "red"])
    }
}

fn number(name: &str) -> u8 {
    let position = NAMES
        .iter()
        .chain(&FOREIGN)
        .chain(&RARE)
        .position(|known| *known == name);
    u8::try_from(position.unwrap()).unwrap()
}

/// A wanted state. What can't be is taken out here, as far as it is known without the network.
pub fn desired(kinds: Kinds) -> impl Strategy<Value = NetworkState> {
    let interfaces = subsequence(kinds.names(), 1..=8).prop_flat_map(move |names| {
        let interfaces = names
            .into_iter()
            .map(move |name| interface::interface(name, kinds));
        interfaces.collect::<Vec<_>>()
    });
    let lists = (vec(route::routes(kinds), 0..4), route_rule::wanted());
    (interfaces.prop_shuffle(), lists).prop_map(|(interfaces, (config, route_rules))| {
        let mut state = NetworkState {
            interfaces,
            route_rules,
            ..NetworkState::default()
        };
        make_sensible(&mut state);
        let config: Vec<Route> = config
            .into_iter()
            .flatten()
            .filter(|route| route.is_absent() || route::is_possible(&state, route))
            .collect();
        state.routes = Routes::of(config);
        state
    })
}

fn make_sensible(state: &mut NetworkState) {
    let mut ports: Vec<String> = Vec::new();
    // Ports of a VRF keep their addresses.
    let mut of_vrfs: Vec<String> = Vec::new();
    for interface in &mut state.interfaces {
        let is_up = interface.wanted_state() == InterfaceState::Up;
        interface.retain_ports(|port| is_up && !ports.iter().any(|taken| taken == port));
        let own = interface.port_names().unwrap_or_default();
        let own: Vec<String> = own.into_iter().map(str::to_string).collect();
        if interface.vrf.is_some() {
            of_vrfs.extend(own.iter().cloned());
        }
        ports.extend(own);
    }
    for interface in &mut state.interfaces {
        if ports.contains(&interface.name) {
            interface.controller = None;
        }
        let is_port = ports.contains(&interface.name)
            || interface
                .controller
                .as_deref()
                .is_some_and(|name| !name.is_empty());
        let keeps_addresses =
            of_vrfs.contains(&interface.name) || interface.controller.as_deref() == Some("red");
        if is_port && !keeps_addresses {
            (interface.ipv4, interface.ipv6) = (None, None);
        }
    }
}
