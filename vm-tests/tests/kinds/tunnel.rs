// SPDX-License-Identifier: Apache-2.0

//! Tunnels: IP in IP, GRE, GENEVE, XFRM.

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::needs_kinds;
use serde_json::{Value, json};

const BASES: &str = "
interfaces:
- {name: v1, type: veth, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}
- {name: v2, type: veth}
";

/// A section, and what iproute2 shows of it.
type Stage<'a> = (&'a str, Value);

/// Creates the link; changes it in place, with everything that isn't named staying as it was; creates it anew for what can't
/// be changed; removes it.
fn lives(
    kind: &str,
    interface_type: &str,
    created: &Stage<'_>,
    in_place: &[Stage<'_>],
    anew: &[Stage<'_>],
) {
    if !needs_kinds(&[kind]) {
        return;
    }
    let system = System::start();
    check::apply(&system, BASES);
    let (section, shown) = created;
    let address = "ipv4: {address: [{ip: 198.51.100.1, prefix-length: 24}]}";
    check::apply(
        &system,
        &format!(
            "interfaces: [{{name: t0, type: {interface_type}, {interface_type}: {section}, {address}}}]"
        ),
    );
    assert_link("t0", &json!({"linkinfo": {"info_kind": kind}}));
    assert_link("t0", shown);
    for (stages, stays) in [(in_place, true), (anew, false)] {
        for (section, shown) in stages {
            let index = eyes::link("t0")["ifindex"].clone();
            check::apply(
                &system,
                &format!("interfaces: [{{name: t0, {interface_type}: {section}}}]"),
            );
            assert_link("t0", shown);
            assert_eq!(eyes::link("t0")["ifindex"] == index, stays, "{section}");
            // The kernel gives a sit without other end an address made of the local one.
            let addresses = eyes::addresses("t0");
            assert!(
                addresses.contains(&"198.51.100.1/24".to_string()),
                "{section}: {addresses:?}"
            );
        }
    }
    check::apply(&system, "interfaces: [{name: t0, state: absent}]");
    assert_eq!(eyes::link("t0"), Value::Null);
    check::round_trip(&system);
}

fn data(shown: Value) -> Value {
    json!({"linkinfo": {"info_data": shown}})
}

#[test]
fn ipip() {
    run(|| {
        lives(
            "ipip",
            "ip-tunnel",
            &(
                "{mode: ipip, base-iface: v1, local: 192.0.2.1, remote: 192.0.2.2, ttl: 64, fwmark: 7}",
                json!({"link": "v1", "linkinfo": {"info_data": {"local": "192.0.2.1", "remote": "192.0.2.2", "ttl": 64, "pmtudisc": true, "fwmark": "0x7"}}}),
            ),
            &[
                (
                    "{remote: 192.0.2.3, tos: 16}",
                    data(
                        json!({"local": "192.0.2.1", "remote": "192.0.2.3", "ttl": 64, "fwmark": "0x7"}),
                    ),
                ),
                (
                    "{ttl: 0, pmtu-disc: false}",
                    data(
                        json!({"remote": "192.0.2.3", "ttl": 0, "pmtudisc": false, "tos": "0x10"}),
                    ),
                ),
            ],
            &[(
                "{base-iface: v2}",
                json!({"link": "v2", "linkinfo": {"info_data": {"remote": "192.0.2.3", "pmtudisc": false}}}),
            )],
        );
    });
}

#[test]
fn sit() {
    run(|| {
        lives(
            "sit",
            "ip-tunnel",
            &(
                "{mode: sit, local: 192.0.2.1}",
                data(json!({"local": "192.0.2.1", "remote": "any"})),
            ),
            &[("{ttl: 9}", data(json!({"local": "192.0.2.1", "ttl": 9})))],
            &[(
                "{remote: 192.0.2.2}",
                data(json!({"local": "192.0.2.1", "remote": "192.0.2.2", "ttl": 9})),
            )],
        );
    });
}

#[test]
fn ip6tnl() {
    run(|| {
        lives(
            "ip6tnl",
            "ip-tunnel",
            &(
                "{mode: ip6ip6, local: '2001:db8::1', remote: '2001:db8::2', ttl: 64, tos: 0xb8, flow-label: 0x12345, ip6tun-flags: [use-orig-tclass]}",
                data(
                    json!({"proto": "ip6ip6", "local": "2001:db8::1", "remote": "2001:db8::2", "ttl": 64, "encap_limit": 4, "flowlabel": "0x12345"}),
                ),
            ),
            &[
                (
                    "{remote: '2001:db8::3', encap-limit: 5}",
                    data(
                        json!({"remote": "2001:db8::3", "local": "2001:db8::1", "encap_limit": 5}),
                    ),
                ),
                (
                    "{ip6tun-flags: [ign-encap-limit], flow-label: 7}",
                    data(json!({"flowlabel": "0x00007", "ip6_tnl_f_ign_encap_limit": true})),
                ),
            ],
            &[(
                "{mode: ipip6}",
                data(json!({"proto": "ipip6", "remote": "2001:db8::3"})),
            )],
        );
    });
}

#[test]
fn gre() {
    run(|| {
        lives(
            "gre",
            "gre",
            &(
                "{local: 192.0.2.1, remote: 192.0.2.2, input-key: 7, ttl: 64}",
                data(
                    json!({"local": "192.0.2.1", "remote": "192.0.2.2", "ikey": "0.0.0.7", "ttl": 64}),
                ),
            ),
            &[
                (
                    "{output-key: 8, tos: 16}",
                    data(
                        json!({"ikey": "0.0.0.7", "okey": "0.0.0.8", "ttl": 64, "tos": "0x10", "remote": "192.0.2.2"}),
                    ),
                ),
                (
                    "{ttl: 0, pmtu-disc: false, fwmark: 9}",
                    data(
                        json!({"okey": "0.0.0.8", "tos": "0x10", "pmtudisc": false, "fwmark": "0x9"}),
                    ),
                ),
            ],
            &[(
                "{base-iface: v1}",
                json!({"link": "v1", "linkinfo": {"info_data": {"ikey": "0.0.0.7", "okey": "0.0.0.8"}}}),
            )],
        );
    });
}

#[test]
fn gretap() {
    run(|| {
        lives(
            "gretap",
            "gretap",
            &(
                "{remote: 192.0.2.2}",
                data(json!({"remote": "192.0.2.2", "pmtudisc": true})),
            ),
            &[
                (
                    "{remote: 192.0.2.3, pmtu-disc: false}",
                    data(json!({"remote": "192.0.2.3", "pmtudisc": false})),
                ),
                (
                    "{ttl: 9, tos: 16, pmtu-disc: true, fwmark: 7}",
                    data(
                        json!({"remote": "192.0.2.3", "ttl": 9, "tos": "0x10", "pmtudisc": true, "fwmark": "0x7"}),
                    ),
                ),
            ],
            &[
                (
                    "{local: 192.0.2.1}",
                    data(json!({"local": "192.0.2.1", "remote": "192.0.2.3", "ttl": 9})),
                ),
                (
                    "{base-iface: v2}",
                    json!({"link": "v2", "linkinfo": {"info_data": {"local": "192.0.2.1", "fwmark": "0x7"}}}),
                ),
            ],
        );
    });
}

#[test]
fn gre_over_ipv6() {
    run(|| {
        lives(
            "ip6gre",
            "gre",
            &(
                "{local: '2001:db8::1', remote: '2001:db8::2', input-key: 7, output-key: 7}",
                data(json!({"remote": "2001:db8::2", "ikey": "0.0.0.7", "encap_limit": 4})),
            ),
            &[
                (
                    "{ttl: 9, tos: 0xb8, flow-label: 0x12345}",
                    data(
                        json!({"ttl": 9, "ikey": "0.0.0.7", "remote": "2001:db8::2", "flowlabel": "0x12345"}),
                    ),
                ),
                (
                    "{encap-limit: 5, fwmark: 7}",
                    data(json!({"encap_limit": 5, "flowlabel": "0x12345", "fwmark": "0x7"})),
                ),
            ],
            &[],
        );
    });
}

#[test]
fn gretap_over_ipv6() {
    run(|| {
        lives(
            "ip6gretap",
            "gretap",
            &(
                "{remote: '2001:db8::2'}",
                data(json!({"remote": "2001:db8::2", "encap_limit": 4})),
            ),
            &[(
                "{encap-limit: 5}",
                data(json!({"remote": "2001:db8::2", "encap_limit": 5})),
            )],
            &[],
        );
    });
}

#[test]
fn geneve() {
    run(|| {
        lives(
            "geneve",
            "geneve",
            &(
                "{id: 7, remote: 192.0.2.2}",
                data(json!({"id": 7, "remote": "192.0.2.2", "port": 6081})),
            ),
            &[(
                "{remote: 192.0.2.3, ttl: 9, tos: 16}",
                data(json!({"id": 7, "remote": "192.0.2.3", "ttl": 9, "tos": "0x10"})),
            )],
            &[
                (
                    "{destination-port: 7000}",
                    data(json!({"id": 7, "remote": "192.0.2.3", "port": 7000, "ttl": 9})),
                ),
                (
                    "{remote: '2001:db8::2'}",
                    data(json!({"remote6": "2001:db8::2", "port": 7000})),
                ),
            ],
        );
    });
}

#[test]
fn xfrm() {
    run(|| {
        lives(
            "xfrm",
            "xfrm",
            &(
                "{base-iface: v1, interface-id: 7}",
                json!({"link": "v1", "linkinfo": {"info_data": {"if_id": "0x7"}}}),
            ),
            &[],
            &[(
                "{interface-id: 8}",
                json!({"link": "v1", "linkinfo": {"info_data": {"if_id": "0x8"}}}),
            )],
        );
    });
}

/// Each module brings a link of its own for what no other tunnel takes; it can be shown and applied like any other.
#[test]
fn fallback_links() {
    run(|| {
        if !needs_kinds(&["ipip", "gre", "ip6tnl", "sit"]) {
            return;
        }
        let system = System::start();
        let shown = system.ctl(&["show"]).ok().out;
        if ip(&["-o", "link"]).contains("tunl0") {
            assert!(shown.contains("tunl0"), "{shown}");
        }
        check::round_trip(&system);
    });
}
