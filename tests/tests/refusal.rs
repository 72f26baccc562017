// SPDX-License-Identifier: Apache-2.0

//! What is wrong is refused before anything is changed, with file, line, column and reason.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;

/// A wrong document, where it is wrong, and words of the reason.
type Case = (&'static str, &'static str, &'static [&'static str]);

const SYNTAX: &[Case] = &[
    (
        "interfaces:\n- name: v1\n  mtv: 1400\n",
        "3:3",
        &[
            "unknown key `mtv`",
            "did you mean `mtu`",
            "expected one of `name`",
        ],
    ),
    (
        "interface:\n- name: v1\n",
        "1:1",
        &["unknown key `interface`", "did you mean `interfaces`"],
    ),
    (
        "interfaces:\n- name: v1\n  mtu: many\n",
        "3:8",
        &["interfaces[0].mtu", "many"],
    ),
    (
        "interfaces:\n- name: v1\n  mtu: -5\n",
        "3:8",
        &["interfaces[0].mtu", "-5"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv4: yes please\n",
        "3:9",
        &["interfaces[0].ipv4"],
    ),
    (
        "interfaces:\n- name: v1\n  state: upp\n",
        "3:10",
        &["unknown word `upp`", "did you mean `up`"],
    ),
    (
        "interfaces:\n- mtu: 1400\n",
        "2:3",
        &["interfaces[0]", "missing", "`name`"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv4: {address: [{ip: 192.0.2.256, prefix-length: 24}]}\n",
        "3:25",
        &["interfaces[0].ipv4.address[0].ip"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv6: {address: [{ip: 192.0.2.1, prefix-length: 24}]}\n",
        "3:25",
        &["interfaces[0].ipv6.address[0].ip"],
    ),
    (
        "interfaces:\n- name: v1\n  mac-address: 02:00:00\n",
        "3:16",
        &["is not a MAC address", "52:54:00:AA:BB:CC"],
    ),
    (
        "interfaces:\n- name: v1\n  mac-address: zz:00:00:00:00:01\n",
        "3:16",
        &["mac-address"],
    ),
    ("interfaces:\n- name: v1\n  name: v2\n", "3:3", &["name"]),
    (
        "routes:\n  config:\n  - destination: 192.0.2.1/24\n",
        "3:18",
        &["192.0.2.1/24", "host bits set", "192.0.2.0/24"],
    ),
    ("interfaces: [\n", "1:14", &["a value is missing here"]),
    ("- just\n- a list\n", "1:1", &[]),
];

const MEANING: &[Case] = &[
    (
        "interfaces:\n- name: v1\n  mtu: 70000\n",
        "3:8",
        &["MTU 70000 of v1 is out of range", "68 to 65535"],
    ),
    (
        "interfaces:\n- name: nothere\n  mtu: 1400\n",
        "2:9",
        &["nothere doesn't exist", "write its type"],
    ),
    (
        "interfaces:\n- name: eth9\n  type: ethernet\n",
        "2:9",
        &["eth9 doesn't exist", "ethernet can't be created"],
    ),
    (
        "interfaces:\n- name: a-name-that-is-too-long\n  type: linux-bridge\n",
        "2:9",
        &["23 bytes", "1 to 15"],
    ),
    (
        "interfaces:\n- name: x0\n  type: flux-capacitor\n",
        "3:9",
        &["unknown type `flux-capacitor`", "linux-bridge"],
    ),
    (
        "interfaces:\n- name: v1\n  type: linux-bridge\n",
        "3:9",
        &["v1 is of type veth", "can't be changed to linux-bridge"],
    ),
    (
        "interfaces:\n- name: v1\n  bridge: {options: {mac-ageing-time: 5}}\n",
        "3:3",
        &["section bridge is for type linux-bridge"],
    ),
    (
        "interfaces:\n- name: v1\n- name: v1\n",
        "3:9",
        &["v1 is listed twice", "interfaces[0]"],
    ),
    (
        "interfaces:\n- name: v1\n  mac-address: 01:00:5E:00:00:01\n",
        "3:16",
        &["01:00:5E:00:00:01", "a group's"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv4:\n    address:\n    - {ip: 192.0.2.7, prefix-length: 33}\n",
        "5:38",
        &["33 is too long", "longest is 32"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv4:\n    address:\n    - {ip: 224.0.0.1, prefix-length: 24}\n",
        "5:12",
        &["224.0.0.1 can't be an interface's own address"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv4: {enabled: false, dhcp: true}\n",
        "3:32",
        &["dhcp: true contradicts enabled: false"],
    ),
    (
        "interfaces:\n- name: v1\n  ipv6: {dhcp: true, dhcp-duid: en}\n",
        "3:33",
        &["a DUID of type en needs the number of an enterprise"],
    ),
    (
        "interfaces:\n- name: v1\n  controller: br9\n",
        "3:15",
        &["controller br9 doesn't exist"],
    ),
    (
        "interfaces:\n- name: v1\n  controller: v2\n",
        "3:15",
        &["v2 is no controller"],
    ),
    (
        "interfaces:\n- name: br0\n  type: linux-bridge\n  bridge:\n    port:\n    - name: v1\n    - name: lost0\n",
        "7:13",
        &["port lost0 doesn't exist"],
    ),
    (
        "interfaces:\n- {name: mv0, type: mac-vlan, mac-vlan: {base-iface: gone0, mode: bridge}}\n",
        "2:54",
        &["base-iface gone0 doesn't exist"],
    ),
    (
        "interfaces:\n- {name: mv0, type: mac-vlan, mac-vlan: {mode: bridge}}\n",
        "2:31",
        &["needs the interface below", "base-iface"],
    ),
    (
        "interfaces:\n- {name: vx0, type: vxlan, vxlan: {remote: 192.0.2.1}}\n",
        "2:28",
        &["needs its identifier"],
    ),
    (
        "interfaces:\n- {name: vx0, type: vxlan, vxlan: {id: 16777216}}\n",
        "2:40",
        &["16777216 is too large"],
    ),
    ("interfaces:\n- {name: w1, type: veth}\n", "2:3", &["peer"]),
    (
        "routes:\n  config:\n  - {destination: 10.0.0.0/8, next-hop-interface: gone0}\n",
        "3:51",
        &["interface gone0 of route 10.0.0.0/8 dev gone0 doesn't exist"],
    ),
    (
        "routes:\n  config:\n  - {destination: 10.0.0.0/8}\n",
        "3:5",
        &["needs its next-hop-interface"],
    ),
    (
        "routes:\n  config:\n  - {destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: '::1'}\n",
        "3:73",
        &["mixes IPv4 and IPv6"],
    ),
    (
        "interfaces:\n- {name: v1, state: absent}\nroutes:\n  config:\n  - {destination: 10.0.0.0/8, next-hop-interface: v1}\n",
        "5:51",
        &["interface v1", "is removed by this very state"],
    ),
];

fn check_all(cases: &[Case]) {
    ip(&["link", "add", "v1", "type", "veth", "peer", "name", "v2"]);
    ip(&["link", "set", "v1", "up"]);
    ip(&["address", "add", "192.0.2.1/24", "dev", "v1"]);
    let system = System::start();
    let file = system.path("wrong.yml");
    let name = file.to_str().expect("a name in UTF-8");
    let watch = eyes::Watch::start();
    watch.settle();
    let before = eyes::everything();
    let mut complaints = Vec::new();
    for (document, place, reasons) in cases {
        // A right part before the wrong one must not be carried out either.
        std::fs::write(&file, document).expect("a file");
        let refusal = system.ctl(&["apply", name]);
        let is_refused = refusal.code == 3 || refusal.code == 4;
        let is_placed = refusal.err.contains(&format!(" {name}:{place}\n"));
        let is_explained = reasons.iter().all(|words| refusal.err.contains(words));
        let line = place
            .split(':')
            .next()
            .and_then(|line| document.lines().nth(line.parse::<usize>().ok()? - 1));
        let is_quoted = line.is_none_or(|line| refusal.err.contains(line));
        if !(is_refused && is_placed && is_explained && is_quoted) {
            complaints.push(format!(
                "{document}expected {place} {reasons:?}, got {} and\n{}",
                refusal.code, refusal.err
            ));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(
        watch.marked(),
        Vec::<String>::new(),
        "the kernel was told something"
    );
    eyes::assert_same(&before, &eyes::everything(), "after");
    assert!(
        !system.path("state").join("saved.yml").exists(),
        "something was saved"
    );
}

#[test]
fn wrong_documents() {
    run(|| check_all(SYNTAX));
}

#[test]
fn wrong_meanings() {
    run(|| check_all(MEANING));
}

#[test]
fn one_mistake_keeps_everything_from_being_done() {
    run(|| {
        let system = System::start();
        let right = "{name: v1, type: veth, veth: {peer: v2}}, {name: br0, type: linux-bridge}";
        let wrong = "{name: v3, controller: br0}";
        let refusal = check::refused(&system, &format!("interfaces: [{right}, {wrong}]"));
        assert!(refusal.contains("v3 doesn't exist"), "{refusal}");
        // Of many files, all are read before the first is applied.
        let good = system.path("good.yml");
        let bad = system.path("bad.yml");
        std::fs::write(&good, format!("interfaces: [{right}]")).expect("a file");
        std::fs::write(&bad, "interfaces: [{nam: v1}]").expect("a file");
        let before = eyes::everything();
        let refusal = system
            .ctl(&[
                "apply",
                good.to_str().expect("UTF-8"),
                bad.to_str().expect("UTF-8"),
            ])
            .refused();
        assert!(refusal.contains("bad.yml:1:15"), "{refusal}");
        eyes::assert_same(&before, &eyes::everything(), "after");
    });
}
