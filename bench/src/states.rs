// SPDX-License-Identifier: Apache-2.0

//! The same networks as states for Nipart and as batches for iproute2.

use std::fmt::Write;

/// Two addresses of pair `number`: one of each family.
fn addresses(number: usize) -> (String, String) {
    (
        format!("10.{}.{}.1", number / 256, number % 256),
        format!("2001:db8:{number:x}::1"),
    )
}

/// `size` veth pairs with an MTU, and two addresses on one end of each.
pub(crate) fn pairs(size: usize) -> (String, String) {
    let mut state = "interfaces:\n".to_string();
    let mut batch = String::new();
    for number in 0..size {
        let (ipv4, ipv6) = addresses(number);
        pair(&mut state, &mut batch, number, &ipv4, &ipv6);
    }
    (state, batch)
}

fn pair(state: &mut String, batch: &mut String, number: usize, ipv4: &str, ipv6: &str) {
    // Writing into a string can't fail.
    let _ = write!(
        state,
        "- name: a{number}\n  type: veth\n  mtu: 1400\n  veth:\n    peer: b{number}\n  ipv4:\n    enabled: true\n    \
         address:\n    - ip: {ipv4}\n      prefix-length: 24\n  ipv6:\n    enabled: true\n    address:\n    - ip: {ipv6}\n      \
         prefix-length: 64\n- name: b{number}\n  type: veth\n  mtu: 1400\n  veth:\n    peer: a{number}\n"
    );
    let _ = write!(
        batch,
        "link add a{number} mtu 1400 up type veth peer name b{number} mtu 1400\nlink set b{number} up\n\
         address replace {ipv4}/24 dev a{number}\naddress replace {ipv6}/64 dev a{number}\n"
    );
}

/// The same again for iproute2, which can't add what is there.
pub(crate) fn pairs_again(size: usize) -> String {
    let mut batch = String::new();
    for number in 0..size {
        let (ipv4, ipv6) = addresses(number);
        let _ = write!(
            batch,
            "link set a{number} mtu 1400 up\nlink set b{number} mtu 1400 up\n\
             address replace {ipv4}/24 dev a{number}\naddress replace {ipv6}/64 dev a{number}\n"
        );
    }
    batch
}

/// Another address on one end.
pub(crate) fn one_change(number: usize) -> (String, String) {
    let (_, ipv6) = addresses(number);
    let state = format!(
        "interfaces:\n- name: a{number}\n  ipv4:\n    enabled: true\n    address:\n    - ip: 10.200.0.1\n      prefix-length: 24\n  \
         ipv6:\n    enabled: true\n    address:\n    - ip: {ipv6}\n      prefix-length: 64\n"
    );
    let (ipv4, _) = addresses(number);
    let batch =
        format!("address add 10.200.0.1/24 dev a{number}\naddress del {ipv4}/24 dev a{number}\n");
    (state, batch)
}

/// A bridge with `size` new ports.
pub(crate) fn bridge(size: usize) -> (String, String) {
    let mut state =
        "interfaces:\n- name: br0\n  type: linux-bridge\n  bridge:\n    port:\n".to_string();
    let mut batch = "link add br0 up type bridge\n".to_string();
    for number in 0..size {
        let _ = writeln!(state, "    - name: a{number}");
    }
    for number in 0..size {
        let _ = write!(
            state,
            "- name: a{number}\n  type: veth\n  veth:\n    peer: b{number}\n"
        );
        let _ = writeln!(
            batch,
            "link add a{number} up master br0 type veth peer name b{number}"
        );
    }
    (state, batch)
}

/// `size` links, VLANs over one base where the kernel has these, otherwise veth pairs, and a bridge over each.
pub(crate) fn stacks(size: usize, has_vlans: bool) -> (String, String) {
    let mut state = "interfaces:\n".to_string();
    let mut batch = String::new();
    if has_vlans {
        state += "- name: base\n  type: veth\n  veth:\n    peer: esab\n";
        batch += "link add base up type veth peer name esab\nlink set esab up\n";
    }
    for number in 0..size {
        let _ = write!(
            state,
            "- name: s{number}\n  type: linux-bridge\n  bridge:\n    port:\n    - name: a{number}\n- name: a{number}\n"
        );
        let id = number + 1;
        let _ = if has_vlans {
            write!(
                state,
                "  type: vlan\n  vlan:\n    base-iface: base\n    id: {id}\n"
            )
        } else {
            write!(state, "  type: veth\n  veth:\n    peer: b{number}\n")
        };
        let kind = if has_vlans {
            format!("link base name a{number} type vlan id {id}")
        } else {
            format!("a{number} type veth peer name b{number}")
        };
        let _ = write!(
            batch,
            "link add s{number} up type bridge\nlink add {kind}\nlink set a{number} up master s{number}\n"
        );
    }
    (state, batch)
}

/// `size` static routes through the gateway behind `r0`.
pub(crate) fn routes(size: usize) -> (String, String) {
    let mut state = "routes:\n  config:\n".to_string();
    let mut batch = String::new();
    for number in 0..size {
        let destination = format!(
            "{}.{}.{}.0/24",
            20 + number / 65536,
            number / 256 % 256,
            number % 256
        );
        let _ = write!(
            state,
            "  - destination: {destination}\n    next-hop-interface: r0\n    next-hop-address: 192.0.2.2\n"
        );
        let _ = writeln!(batch, "route add {destination} via 192.0.2.2 dev r0");
    }
    (state, batch)
}
