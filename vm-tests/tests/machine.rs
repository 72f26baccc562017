// SPDX-License-Identifier: Apache-2.0

//! What tests may count on in the virtual machine. On other computers, these skip what isn't there.

use nipart_tests::namespace::{ip, run};
use nipart_vm_tests::{has_kind, has_program, in_virtual_machine, needs, needs_kinds};

/// Every kind that Nipart is to know, but hsr, for which there is another kernel.
#[test]
fn every_kind() {
    run(|| {
        for kind in [
            "bond",
            "bridge",
            "dummy",
            "geneve",
            "gre",
            "gretap",
            "ip6gre",
            "ip6gretap",
            "ip6tnl",
            "ipip",
            "ipvlan",
            "macsec",
            "macvlan",
            "macvtap",
            "sit",
            "veth",
            "vlan",
            "vrf",
            "vxlan",
            "wireguard",
            "xfrm",
        ] {
            let _ = needs_kinds(&[kind]);
        }
        assert!(!has_kind("nonsense"));
        // Neither the questions nor the modules have left anything.
        assert_eq!(ip(&["-o", "link"]).lines().count(), 1);
    });
}

#[test]
fn programs() {
    for program in [
        "ip", "bridge", "ethtool", "dnsmasq", "unshare", "nsenter", "setpriv", "stdbuf",
    ] {
        let _ = needs(&format!("the program {program}"), has_program(program));
    }
}

/// The file tree of the host is there, and writing goes to memory.
#[test]
fn files_can_be_written() {
    if !in_virtual_machine() {
        return;
    }
    for folder in [
        "/run",
        "/tmp",
        "/etc",
        "/etc/nipart",
        "/var/lib/nipart",
        env!("CARGO_MANIFEST_DIR"),
    ] {
        let file = format!("{folder}/written-by-a-test");
        std::fs::write(&file, "x").unwrap();
        std::fs::remove_file(&file).unwrap();
    }
    assert!(std::path::Path::new("/dev/net/tun").exists());
}
