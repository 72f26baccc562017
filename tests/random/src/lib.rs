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
const BASES: [&str; 6] = ["eth0", "eth1", "vx0", "va", "vb", "br0"];
const PORTS: [&str; 6] = ["eth0", "eth1", "va", "vb", "vx0", "mv0"];

fn number(name: &str) -> u8 {
    let position = NAMES
        .iter()
        .chain(&FOREIGN)
        .position(|known| *known == name);
    u8::try_from(position.unwrap()).unwrap()
}

/// A wanted state. What can't be is taken out here, as far as it is known without the network.
pub fn desired() -> impl Strategy<Value = NetworkState> {
    let interfaces = subsequence(NAMES.to_vec(), 1..=8).prop_flat_map(|names| {
        let interfaces = names.into_iter().map(interface::interface);
        interfaces.collect::<Vec<_>>()
    });
    let lists = (vec(route::routes(), 0..4), route_rule::wanted());
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
    for interface in &mut state.interfaces {
        let is_up = interface.wanted_state() == InterfaceState::Up;
        interface.retain_ports(|port| is_up && !ports.iter().any(|taken| taken == port));
        let own = interface.port_names().unwrap_or_default();
        ports.extend(own.into_iter().map(str::to_string));
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
        if is_port {
            (interface.ipv4, interface.ipv6) = (None, None);
        }
    }
}
