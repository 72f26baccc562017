// SPDX-License-Identifier: Apache-2.0

//! What is told when something can't be done, and what isn't done after it.

#[path = "support/tools.rs"]
mod tools;

use std::time::{Duration, Instant};

use nipart_schemas::error::ErrorKind;
use nipart_schemas::interface::{InterfaceType, MacVlan, MacVlanMode};
use nipart_schemas::operation::{LinkChanges, Operation};
use nipart_schemas::route::Route;
use tools::*;

fn set_mtu(name: &str, mtu: u32) -> Operation {
    Operation::ChangeLink(LinkChanges {
        mtu: Some(mtu),
        ..changes(name)
    })
}

#[test]
fn failure_in_the_middle_of_a_wave_stops_what_follows() {
    run(|| {
        block_on(async {
            ip_lines(
                "link add br0 type bridge; link add br1 type bridge; link set br1 type bridge",
            );
            let kernel = open().await;
            let waves = vec![
                vec![add_address("br0", "192.0.2.1/24")],
                vec![
                    set_mtu("br0", 1400),
                    set_mtu("br1", 20),
                    create(interface("br0", InterfaceType::LinuxBridge)),
                    add_address("br0", "192.0.2.2/24"),
                    add_address("br1", "198.51.100.1/24"),
                ],
                vec![delete("br0")],
                vec![create(interface("br2", InterfaceType::LinuxBridge))],
            ];
            let report = execute(&kernel, waves).await;
            // One batch: what stands behind the failures in it is done all the same.
            assert_eq!(report.succeeded, 4);
            let messages: Vec<&str> = report
                .failures
                .iter()
                .map(|failure| failure.message.as_str())
                .collect();
            assert_eq!(
                messages,
                [
                    "set br1: MTU 20: Invalid argument (EINVAL): mtu less than device minimum",
                    "create linux-bridge br0: File exists (EEXIST)",
                ]
            );
            for failure in &report.failures {
                assert_eq!(failure.kind, ErrorKind::KernelRefused);
            }
            assert_eq!(ip_link("br0")["mtu"], 1400);
            assert_eq!(ip_json(&["link", "show", "type", "bridge"]).len(), 2);
        });
    });
}

/// Of a wave that is longer than one system call, the rest isn't sent.
#[test]
fn batches_after_a_failure_are_not_sent() {
    run(|| {
        block_on(async {
            ip_lines("link add br0 type bridge");
            let kernel = open().await;
            let mut wave: Vec<Operation> = (0..200)
                .map(|number| add_address("br0", &format!("10.0.0.{number}/32")))
                .collect();
            wave[70] = set_mtu("br0", 20);
            let report = execute(&kernel, vec![wave]).await;
            assert_eq!((report.succeeded, report.failures.len()), (127, 1));
            let shown = ip_json(&["-4", "address", "show", "dev", "br0"]);
            assert_eq!(shown[0]["addr_info"].as_array().unwrap().len(), 127);
        });
    });
}

/// Forgiven refusals don't stop anything.
#[test]
fn removing_what_is_gone_is_no_failure() {
    run(|| {
        block_on(async {
            ip_lines("link add br0 type bridge");
            let kernel = open().await;
            let mut wave: Vec<Operation> = (0..100)
                .map(|number| Operation::RemoveAddress {
                    interface: "br0".to_string(),
                    address: parse_address(&format!("10.0.0.{number}/32")),
                })
                .collect();
            wave.extend((0..5).map(|number| add_address("br0", &format!("10.1.0.{number}/32"))));
            wave.push(Operation::RemoveAddress {
                interface: "gone".to_string(),
                address: parse_address("10.0.0.1/32"),
            });
            wave.push(Operation::RemoveRoute(Route {
                destination: Some("10.0.0.0/8".parse().unwrap()),
                next_hop_interface: Some("gone".to_string()),
                ..Route::default()
            }));
            wave.push(delete("gone"));
            let report = execute(&kernel, vec![wave]).await;
            assert_eq!((report.succeeded, report.failures), (108, vec![]));
        });
    });
}

#[test]
fn names_that_do_not_exist_keep_the_wave_from_being_sent() {
    run(|| {
        block_on(async {
            ip_lines("link add br0 type bridge");
            let kernel = open().await;
            let mut link = interface("m0", InterfaceType::MacVlan);
            link.mac_vlan = Some(Box::new(MacVlan {
                base_iface: Some("below".to_string()),
                mode: Some(MacVlanMode::Bridge),
                promiscuous: None,
            }));
            let wave = vec![
                set_mtu("br0", 1400),
                add_address("gone", "192.0.2.1/24"),
                attach("br0", "above"),
                create(link),
                Operation::AddRoute(Route {
                    destination: Some("10.0.0.0/8".parse().unwrap()),
                    next_hop_interface: Some("away".to_string()),
                    ..Route::default()
                }),
            ];
            let report = execute(&kernel, vec![wave]).await;
            let messages: Vec<&str> = report
                .failures
                .iter()
                .map(|failure| failure.message.as_str())
                .collect();
            assert_eq!(
                messages,
                [
                    "add address 192.0.2.1/24 to gone: there is no interface gone",
                    "set br0: controller above: there is no interface above",
                    "create mac-vlan m0: there is no interface below",
                    "add route 10.0.0.0/8 dev away: there is no interface away",
                ]
            );
            assert_eq!(report.succeeded, 0);
            assert_eq!(ip_link("br0")["mtu"], 1500);
        });
    });
}

#[test]
fn address_on_a_link_without_ipv6() {
    run(|| {
        block_on(async {
            ip_lines("link add br0 type bridge");
            std::fs::write("/proc/sys/net/ipv6/conf/br0/disable_ipv6", "1").unwrap();
            let kernel = open().await;
            let refusal = refused(&kernel, add_address("br0", "2001:db8::1/64")).await;
            let without_reason = "add address 2001:db8::1/64 to br0: Permission denied (EACCES)";
            let reason = refusal.strip_prefix(without_reason).expect(&refusal);
            // Kernels before 6.6 give none.
            assert!(
                reason.is_empty() || reason.ends_with("IPv6 is disabled on this device"),
                "{refusal}"
            );
        });
    });
}

/// A link that is created anew has another number.
#[test]
fn numbers_are_looked_up_again() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let bridge = || create(interface("br0", InterfaceType::LinuxBridge));
            let waves = vec![
                vec![bridge()],
                vec![add_address("br0", "192.0.2.1/24")],
                vec![delete("br0")],
                vec![bridge(), create_veth("v0", "p0")],
                vec![add_address("br0", "192.0.2.2/24"), attach("p0", "br0")],
            ];
            let report = execute(&kernel, waves).await;
            assert_eq!((report.succeeded, report.failures), (7, vec![]));
            assert_eq!(ip_link("p0")["master"], "br0");
            let shown = ip_json(&["-4", "address", "show", "dev", "br0"]);
            assert_eq!(shown[0]["addr_info"][0]["local"], "192.0.2.2");
        });
    });
}

#[test]
fn many_links_are_deleted_in_groups() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let mut links: Vec<Operation> = (0..100)
                .map(|number| create_veth(&format!("v{number}"), &format!("p{number}")))
                .collect();
            links.extend((0..5).map(|number| {
                create(interface(
                    &format!("br{number}"),
                    InterfaceType::LinuxBridge,
                ))
            }));
            links.push(create(interface("kept", InterfaceType::LinuxBridge)));
            assert_eq!(execute(&kernel, vec![links]).await.failures, []);
            ip_lines("link set v3 group 5; link set kept group 5; link set v0 master br0");

            // Both ends of some pairs, links that are gone, and links of other groups.
            let mut wave: Vec<Operation> = (0..100)
                .map(|number| delete(&format!("v{number}")))
                .collect();
            wave.extend((0..20).map(|number| delete(&format!("p{number}"))));
            wave.extend((0..5).map(|number| delete(&format!("br{number}"))));
            wave.push(delete("gone"));
            let total = wave.len();
            let started = Instant::now();
            let report = execute(&kernel, vec![wave]).await;
            println!("deleted in {:?}", started.elapsed());
            assert_eq!((report.succeeded, report.failures), (total, vec![]));
            assert!(started.elapsed() < Duration::from_secs(20));
            let left: Vec<String> = ip_json(&["link", "show"])
                .iter()
                .map(|link| link["ifname"].as_str().unwrap().to_string())
                .collect();
            assert_eq!(left, ["lo", "kept"]);
            assert_eq!(ip_link("kept")["group"], "5");
        });
    });
}

/// A group with a link that can't be deleted isn't deleted: the others go one by one, and it keeps its own group.
#[test]
fn links_that_cannot_be_deleted_are_told() {
    run(|| {
        block_on(async {
            ip_lines("link add v0 type veth peer name p0; link add br0 type bridge");
            let kernel = open().await;
            let wave = vec![delete("v0"), delete("lo"), delete("br0")];
            let report = execute(&kernel, vec![wave]).await;
            assert_eq!(report.succeeded, 2);
            assert_eq!(
                report.failures[0].message,
                "delete link lo: Operation not supported (EOPNOTSUPP)"
            );
            assert_eq!(ip_json(&["link", "show"]).len(), 1);
            assert_eq!(ip_link("lo")["group"], "default");
        });
    });
}
