// SPDX-License-Identifier: Apache-2.0

//! The states of `examples/nmstate`, which have all that nmstate's own examples and documentation show: each is read,
//! and accepted on a machine with a few cards, or refused in the words that stand here.

use std::fs;
use std::path::{Path, PathBuf};

use nipart_policy::{Policy, is_policy};
use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use nipart_state::{decide, identify};

/// What Nipart doesn't do yet, and how each example of it is refused.
const REFUSED: [(&str, &str); 16] = [
    (
        "bond-source-load-balancing",
        "balance_slb is not supported: it is no option of the kernel's bonds",
    ),
    ("dispatch", "unknown key `dispatch`, expected"),
    (
        "ipsec-with-certificate",
        "unknown key `libreswan`, expected",
    ),
    ("ipsec-with-key", "unknown key `libreswan`, expected"),
    (
        "lldp",
        "LLDP is not supported yet: leave the key out, and run an LLDP daemon beside Nipart",
    ),
    ("ovn", "unknown key `ovn`, expected"),
    ("ovs-bridge", "unknown key `fail-mode`, expected"),
    (
        "ovs-bridge-with-bond",
        "unknown key `link-aggregation`, expected",
    ),
    (
        "ovs-bridge-with-vlan",
        "unknown type `ovs-interface` of a link that doesn't exist, expected",
    ),
    ("ovs-database", "unknown key `ovs-db`, expected"),
    ("ovs-dpdk", "unknown key `dpdk`, expected"),
    ("ovs-patch", "unknown key `patch`, expected"),
    (
        "port-authentication-peap",
        "802.1x is not supported yet: port authentication needs a supplicant; leave the key out and run one beside Nipart",
    ),
    (
        "port-authentication-tls",
        "802.1x is not supported yet: port authentication needs a supplicant; leave the key out and run one beside Nipart",
    ),
    ("team", "unknown key `team`, expected"),
    ("user-defined", "unknown key `user-defined`, expected"),
];

/// A machine with cards, and what the examples take for granted besides.
const MACHINE: &str = "
interfaces:
- {name: lo, type: loopback, state: up}
- name: eth1
  type: ethernet
  state: up
  mac-address: 02:00:00:00:01:01
  pci-address: '0000:00:1f.6'
  alt-names: [{name: never-used}]
  ipv4: {enabled: true, address: [{ip: 192.0.2.9, prefix-length: 24, protocol: 110}]}
  ethernet: {auto-negotiation: true, speed: 1000, duplex: full, sr-iov: {drivers-autoprobe: true, total-vfs: 2, max-vfs: 7, vfs: [{id: 0, iface-name: eth1v0}, {id: 1, iface-name: eth1v1}]}}
  ethtool:
    pause: {autoneg: true, rx: false, tx: false}
    feature: {rx-gro: false, tx-generic-segmentation: true, hw-tc-offload: false}
    coalesce: {adaptive-rx: true, adaptive-tx: true, pkt-rate-high: 1, pkt-rate-low: 1, rx-frames: 1, rx-frames-high: 1, rx-frames-low: 1, rx-usecs: 1, rx-usecs-high: 1, rx-usecs-irq: 1, rx-usecs-low: 1, sample-interval: 1, stats-block-usecs: 1, tx-frames: 1, tx-frames-high: 1, tx-frames-irq: 1, tx-frames-low: 1, tx-usecs: 1, tx-usecs-high: 1, tx-usecs-irq: 1, tx-usecs-low: 1}
    ring: {rx: 256, rx-max: 4096, rx-jumbo: 0, rx-jumbo-max: 4096, rx-mini: 0, rx-mini-max: 4096, tx: 256, tx-max: 4096}
- {name: eth2, type: ethernet, state: up, mac-address: 02:00:00:00:01:02}
- {name: eth3, type: ethernet, state: up, mac-address: 02:00:00:00:01:03}
- {name: eth1v0, type: ethernet, state: up}
- {name: eth1v1, type: ethernet, state: up}
- {name: ib0, type: infiniband, state: up}
- {name: br7, type: linux-bridge, state: up}
- {name: veth7, type: veth, state: up, veth: {peer: veth8}}
- {name: veth8, type: veth, state: up, veth: {peer: veth7}}
routes:
  running:
  - {destination: 0.0.0.0/0, next-hop-interface: eth1, next-hop-address: 192.0.2.99, metric: 5, table-id: 254, protocol: 110}
";

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/nmstate");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Why the example is refused, if it is.
fn refusal(file: &Path, machine: &NetworkState) -> Option<String> {
    let text = fs::read_to_string(file).unwrap();
    let state = match is_policy(&text) {
        true => Policy::parse(&text).and_then(|policy| policy.resolve(machine)),
        false => yaml::parse(&text),
    };
    let state: NetworkState = match state {
        Ok(state) => state,
        Err(error) => return Some(error.message),
    };
    // What is written reads the same again.
    let written = yaml::to_string(&state).unwrap();
    assert_eq!(
        yaml::parse(&written),
        Ok(state.clone()),
        "{}",
        file.display()
    );
    let (observed, saved) = (machine.clone(), NetworkState::default());
    let state = state.without_shown_only();
    let decision =
        identify(&state, machine, &saved, MissingInterfaces::Refuse).and_then(|desired| {
            decide(&DecisionRequest {
                desired,
                observed: observed.into(),
                ..DecisionRequest::default()
            })
        });
    decision.err().map(|error| error.message)
}

#[test]
fn examples_are_accepted_or_refused_by_name() {
    let machine: NetworkState = yaml::parse(MACHINE).unwrap();
    let files = examples();
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let expected = REFUSED.iter().find(|(refused, _)| *refused == name);
        let said = refusal(file, &machine);
        let is_as_expected = match (&said, expected) {
            (None, None) => true,
            (Some(said), Some((_, words))) => said.starts_with(words),
            _ => false,
        };
        if !is_as_expected {
            wrong.push(format!("{name}: {said:?} instead of {expected:?}"));
        }
    }
    assert!(files.len() > 80);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
