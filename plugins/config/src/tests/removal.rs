// SPDX-License-Identifier: Apache-2.0

//! What is wanted absent in an upper layer is absent, as long as that layer lasts.

use super::{Place, assert_remembers, transact};

const ROUTES: &str = "routes: {config: [{destination: 10.1.0.0/16, next-hop-interface: eth0},
    {destination: 10.2.0.0/16, next-hop-interface: eth0}]}";
const FIRST: &str = "routes: {config: [{destination: 10.1.0.0/16, next-hop-interface: eth0}]}";
const SECOND: &str = "routes: {config: [{destination: 10.2.0.0/16, next-hop-interface: eth0}]}";

#[test]
fn a_saved_route_that_is_removed_until_the_next_boot() {
    let place = Place::new();
    let mut store = place.open();
    transact(&mut store, 1, ROUTES, false);
    let removal = "routes: {config: [{state: absent, destination: 10.1.0.0/16}]}";
    transact(&mut store, 2, removal, true);
    assert_remembers(&store, SECOND);
    drop(store);
    let mut store = place.open();
    assert_remembers(&store, SECOND);
    // What is saved once more is wanted once more.
    transact(&mut store, 3, ROUTES, false);
    assert_remembers(&store, ROUTES);
    transact(
        &mut store,
        4,
        "routes: {config: [{state: absent, next-hop-interface: eth0}]}",
        true,
    );
    assert_remembers(&store, "{}");
    transact(&mut store, 5, FIRST, true);
    assert_remembers(&store, FIRST);
    drop(store);
    std::fs::remove_file(place.run().join("volatile.yml")).unwrap();
    let store = place.open();
    assert_remembers(&store, ROUTES);
}

#[test]
fn a_saved_rule_that_is_removed_until_the_next_boot() {
    const RULES: &str = "route-rules: {config: [{ip-from: 10.1.0.0/16, priority: 5}, {ip-from: 10.2.0.0/16, priority: 6}]}";
    const SECOND: &str = "route-rules: {config: [{ip-from: 10.2.0.0/16, priority: 6}]}";
    let place = Place::new();
    let mut store = place.open();
    transact(&mut store, 1, RULES, false);
    let removal = "route-rules: {config: [{state: absent, ip-from: 10.1.0.0/16}]}";
    transact(&mut store, 2, removal, true);
    assert_remembers(&store, SECOND);
    drop(store);
    let mut store = place.open();
    assert_remembers(&store, SECOND);
    // What is saved once more is wanted once more.
    transact(&mut store, 3, RULES, false);
    assert_remembers(&store, RULES);
    transact(
        &mut store,
        4,
        "route-rules: {config: [{state: absent, family: ipv4}]}",
        true,
    );
    assert_remembers(&store, "{}");
    drop(store);
    std::fs::remove_file(place.run().join("volatile.yml")).unwrap();
    let store = place.open();
    assert_remembers(&store, RULES);
}

#[test]
fn what_an_administrator_wants_absent() {
    let place = Place::new();
    place.administrator_writes(
        "1.yml",
        "interfaces: [{name: br0}, {name: br1}, {name: br2}]",
    );
    place.administrator_writes(
        "2.yml",
        "interfaces: [{name: br0, state: absent}, {name: br1, state: absent}, {name: br3, state: absent}]
routes: {config: [{destination: 10.1.0.0/16, state: absent}]}",
    );
    place.administrator_writes("3.yml", "interfaces: [{name: br1, mtu: 1400}]");
    let mut store = place.open();
    assert_remembers(
        &store,
        "interfaces: [{name: br2}, {name: br0, state: absent}, {name: br1, mtu: 1400}, {name: br3, state: absent}]
routes: {config: [{destination: 10.1.0.0/16, state: absent}]}",
    );
    // What is saved lies above the files.
    transact(
        &mut store,
        1,
        "interfaces: [{name: br0, mtu: 1300}, {name: v3, type: vlan, vlan: {id: 3, base-iface: br3}}]",
        false,
    );
    assert_remembers(
        &store,
        "interfaces: [{name: br2}, {name: br0, mtu: 1300}, {name: br1, mtu: 1400},
            {name: v3, type: vlan, vlan: {id: 3, base-iface: br3}}]
routes: {config: [{destination: 10.1.0.0/16, state: absent}]}",
    );
}
