// SPDX-License-Identifier: Apache-2.0

//! A partial file changes only what it names; what others have put there stays.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use serde_json::json;

const BRIDGE: &str = "
interfaces:
- name: br0
  type: linux-bridge
  mtu: 1400
  description: first
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}
  ipv6: {autoconf: false, address: [{ip: '2001:db8::1', prefix-length: 64}]}
  bridge:
    options: {mac-ageing-time: 60, stp: {enabled: false, hello-time: 4}}
    port: [{name: p1, stp-path-cost: 17, stp-priority: 5}]
- {name: p1, type: veth, mtu: 1400, veth: {peer: q1}}
- {name: q1, type: veth}
routes:
  config: [{destination: 198.51.100.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.254}]
";

/// What somebody else puts onto the bridge.
fn others_join_in() {
    ip(&["link", "add", "p9", "type", "veth", "peer", "name", "q9"]);
    ip(&["link", "set", "p9", "mtu", "1400", "master", "br0", "up"]);
    ip(&["address", "add", "203.0.113.9/24", "dev", "br0"]);
    // Without the detection of duplicates, whose end the kernel would announce in the middle of a test.
    ip(&["address", "add", "2001:db8:9::9/64", "dev", "br0", "nodad"]);
    ip(&["route", "add", "10.9.0.0/16", "via", "203.0.113.1"]);
    ip(&[
        "route",
        "add",
        "10.8.0.0/16",
        "via",
        "203.0.113.1",
        "proto",
        "static",
        "table",
        "77",
    ]);
}

fn assert_others_are_there() {
    assert_link("p9", &json!({"master": "br0"}));
    let addresses = eyes::addresses("br0");
    assert!(
        addresses.contains(&"203.0.113.9/24".into())
            && addresses.contains(&"2001:db8:9::9/64".into()),
        "{addresses:?}"
    );
    assert!(
        eyes::routes().contains(&"10.9.0.0/16 via 203.0.113.1 dev br0".into()),
        "{:?}",
        eyes::routes()
    );
    assert_eq!(eyes::route_details("-4", "77")[0]["dst"], "10.8.0.0/16");
}

#[test]
fn absent_keys_keep_their_value() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        let before = eyes::everything();
        for (partial, old, new) in [
            ("{name: br0, description: second}", "first", "second"),
            (
                "{name: br0, bridge: {options: {mac-ageing-time: 90}}}",
                "ageing_time 6000",
                "ageing_time 9000",
            ),
            (
                "{name: br0, bridge: {options: {stp: {hello-time: 5}}}}",
                "hello_time 400",
                "hello_time 500",
            ),
            (
                "{name: br0, bridge: {port: [{name: p1, stp-path-cost: 18}]}}",
                "cost 17",
                "cost 18",
            ),
        ] {
            check::apply(&system, &format!("interfaces: [{partial}]"));
            let expected = before.replace(old, new);
            assert_ne!(expected, before, "{old} is shown");
            eyes::assert_same(&expected, &eyes::everything(), partial);
            let back = partial
                .replace("second", "first")
                .replace("90", "60")
                .replace("time: 5", "time: 4")
                .replace("18", "17");
            check::apply(&system, &format!("interfaces: [{back}]"));
            eyes::assert_same(&before, &eyes::everything(), &back);
        }
        check::apply(
            &system,
            "interfaces: [{name: br0}, {name: p1, controller: br0}]",
        );
        eyes::assert_same(&before, &eyes::everything(), "after");
    });
}

#[test]
fn what_others_put_there_stays() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        others_join_in();
        check::apply(&system, BRIDGE);
        assert_others_are_there();

        // Lists replace what was applied before, not what others added.
        check::apply(
            &system,
            "
interfaces:
- name: br0
  ipv4: {address: [{ip: 192.0.2.7, prefix-length: 24}]}
  ipv6: {address: []}
  bridge: {port: []}
",
        );
        assert_others_are_there();
        assert_eq!(eyes::link("p1")["master"], json!(null));
        let mut addresses = eyes::addresses("br0");
        addresses.sort();
        assert_eq!(
            addresses,
            ["192.0.2.7/24", "2001:db8:9::9/64", "203.0.113.9/24"]
        );

        // A route that is named goes, whoever added it; a wildcard means only those of the table.
        check::apply(
            &system,
            "routes: {config: [{state: absent, next-hop-interface: br0, table-id: 77}]}",
        );
        assert_eq!(eyes::route_details("-4", "77"), json!([]));
        assert!(eyes::routes().contains(&"10.9.0.0/16 via 203.0.113.1 dev br0".into()));
    });
}

#[test]
fn nobody_elses_links_are_touched() {
    run(|| {
        ip(&["link", "add", "foreign", "type", "bridge"]);
        ip(&["link", "add", "v8", "type", "veth", "peer", "name", "v9"]);
        ip(&["link", "set", "v8", "master", "foreign", "up"]);
        ip(&["address", "add", "203.0.113.1/24", "dev", "foreign"]);
        let foreign =
            || ["foreign", "v8", "v9"].map(|name| (eyes::link(name), eyes::addresses(name)));
        let before = foreign();
        let system = System::start();
        check::apply(&system, BRIDGE);
        check::apply(
            &system,
            "interfaces: [{name: br0, state: absent}, {name: p1, state: absent}, {name: v9, state: ignore, mtu: 700}]",
        );
        assert_eq!(foreign(), before);
    });
}

#[test]
fn absent_removes() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        others_join_in();
        check::apply(&system, "interfaces: [{name: br0, state: absent}]");
        assert_eq!(eyes::link("br0"), json!(null));
        assert_eq!(eyes::link("p1")["master"], json!(null));
        assert_eq!(eyes::routes(), Vec::<String>::new());
        assert_eq!(eyes::link("p9")["master"], json!(null));
        let saved = system.ctl(&["show", "--saved"]).ok().out;
        assert!(!saved.contains("br0"), "{saved}");

        // Nothing of it is wrong when it isn't there at all.
        check::apply(
            &system,
            "interfaces: [{name: br0, state: absent}, {name: never0, state: absent}]",
        );
        check::apply(&system, "interfaces: [{name: q1, state: absent}]");
        assert_eq!(eyes::link("p1"), json!(null));
    });
}

#[test]
fn down_keeps_the_profile() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        system.apply("interfaces: [{name: br0, state: down}]").ok();
        assert_eq!(eyes::link("br0"), json!(null));
        assert!(
            system
                .ctl(&["show", "--saved"])
                .ok()
                .out
                .contains("state: down")
        );
        check::apply(&system, BRIDGE);
        assert_eq!(eyes::addresses("br0"), ["192.0.2.1/24", "2001:db8::1/64"]);

        // A link that others keep down is not deleted by what is shown of it.
        ip(&["link", "add", "v8", "type", "veth", "peer", "name", "v9"]);
        check::apply(&system, "interfaces: [{name: v8, state: down}]");
        assert_ne!(eyes::link("v8"), json!(null));
    });
}

#[test]
fn a_link_that_was_set_down_comes_back_as_it_was() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        check::apply(&system, "interfaces: [{name: br0, state: down}]");
        assert!(!eyes::everything().contains("br0"));
        check::apply(&system, "interfaces: [{name: br0, mtu: 1300}]");
        assert_link(
            "br0",
            &json!({"mtu": 1300, "linkinfo": {"info_data": {"hello_time": 400}}}),
        );
        assert_link("p1", &json!({"master": "br0"}));
        assert!(eyes::addresses("br0").contains(&"192.0.2.1/24".into()));
        check::changes_nothing(&system, "interfaces: [{name: br0, mtu: 1300}]");
    });
}

#[test]
fn words_that_concern_only_us_are_told() {
    run(|| {
        let system = System::start();
        check::apply(&system, BRIDGE);
        let words = "interfaces: [{name: br0, drift: restore, wait-ip: ipv4}, {name: p1}]";
        let told = "br0.wait-ip: none → ipv4\nbr0.drift: report → restore\n";
        let plan = system.ctl_with(&["plan", "-"], words).ok().out;
        assert_eq!(plan, format!("{told}Nothing to change but what is saved\n"));
        let diff = system.ctl_with(&["diff", "-"], words);
        assert_eq!((diff.code, diff.out.as_str()), (1, told));
        let applied = system.apply(words).ok().out;
        assert!(
            applied.starts_with("Nothing to change, verified, saved"),
            "{applied}"
        );
        check::changes_nothing(&system, words);
        assert_eq!(system.ctl_with(&["diff", "-"], words).code, 0);
    });
}
