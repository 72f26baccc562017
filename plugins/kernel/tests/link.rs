// SPDX-License-Identifier: Apache-2.0

//! Links: created and changed by plans, looked at with `ip`, and read back.

#![allow(clippy::unwrap_used, reason = "support functions of tests")]

#[path = "support/tools.rs"]
mod tools;

use nipart_schemas::interface::{
    AltName, BridgePort, InterfaceState, InterfaceType, MacVlan, MacVlanMode, Veth, Vxlan,
};
use nipart_schemas::operation::{LinkChanges, Operation};
use serde_json::json;
use tools::*;

fn mac(text: &str) -> nipart_schemas::mac_address::MacAddress {
    text.parse().unwrap()
}

#[test]
fn veth_pair_with_common_properties_of_both_ends() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let mut first = interface("v0", InterfaceType::Veth);
            first.veth = Some(Veth {
                peer: Some("p0".to_string()),
                ..Veth::default()
            });
            first.mtu = Some(1400);
            first.mac_address = Some(mac("02:00:00:00:00:01"));
            first.controller = Some("br0".to_string());
            let mut second = interface("p0", InterfaceType::Veth);
            second.state = Some(InterfaceState::Down);
            second.mtu = Some(1300);
            second.mac_address = Some(mac("02:00:00:00:00:02"));
            second.controller = Some("br1".to_string());
            let pair = Operation::CreateLink {
                interface: Box::new(first.clone()),
                peer: Some(Box::new(second.clone())),
            };
            let bridges = vec![
                create(interface("br0", InterfaceType::LinuxBridge)),
                create(interface("br1", InterfaceType::LinuxBridge)),
            ];
            let report = execute(&kernel, vec![bridges, vec![pair]]).await;
            assert_eq!(
                (report.succeeded, report.failures.len()),
                (3, 0),
                "{report:?}"
            );

            let shown = ip_link("v0");
            assert_eq!(shown["linkinfo"]["info_kind"], "veth");
            assert_eq!(shown["link"], "p0");
            assert_eq!(shown["mtu"], 1400);
            assert_eq!(shown["address"], "02:00:00:00:00:01");
            assert_eq!(shown["master"], "br0");
            assert!(shown["flags"].as_array().unwrap().contains(&json!("UP")));
            let shown = ip_link("p0");
            assert_eq!(shown["mtu"], 1300);
            assert_eq!(shown["address"], "02:00:00:00:00:02");
            assert_eq!(shown["master"], "br1");
            assert!(!shown["flags"].as_array().unwrap().contains(&json!("UP")));

            for wanted in [&first, &second] {
                let observed = query_one(&kernel, &wanted.name).await;
                assert_eq!(observed.interface_type, Some(InterfaceType::Veth));
                assert_eq!(observed.state, wanted.state);
                assert_eq!(observed.mtu, wanted.mtu);
                assert_eq!(observed.mac_address, wanted.mac_address);
                assert_eq!(observed.controller, wanted.controller);
                assert_eq!(observed.min_mtu, Some(68));
                assert_eq!(observed.max_mtu, Some(65535));
            }
            assert_eq!(query_one(&kernel, "v0").await.veth_peer(), Some("p0"));
            assert_eq!(query_one(&kernel, "p0").await.veth_peer(), Some("v0"));

            // Without anything about the second end only its name is taken, and it stays down.
            let mut alone = interface("v1", InterfaceType::Veth);
            alone.veth = Some(Veth {
                peer: Some("p1".to_string()),
                ..Veth::default()
            });
            apply(&kernel, vec![create(alone)]).await;
            let shown = ip_link("p1");
            assert!(!shown["flags"].as_array().unwrap().contains(&json!("UP")));
        });
    });
}

#[test]
fn peer_in_another_namespace_is_not_named() {
    run(|| {
        block_on(async {
            // `ip netns` would write to /run; a sleeping process holds a namespace as well.
            let mut holder = std::process::Command::new("unshare")
                .args(["--net", "sleep", "60"])
                .spawn()
                .unwrap();
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
            let own = std::fs::read_link("/proc/self/ns/net").unwrap();
            let theirs = format!("/proc/{}/ns/net", holder.id());
            while std::fs::read_link(&theirs).is_ok_and(|namespace| namespace == own) {
                assert!(std::time::Instant::now() < deadline);
                std::thread::yield_now();
            }
            let process = holder.id().to_string();
            ip_lines("link add v0 type veth peer name p0; link add br0 type bridge");
            ip(&["link", "set", "p0", "netns", &process]);
            let observed = query_one(&open().await, "v0").await;
            holder.kill().unwrap();
            holder.wait().unwrap();
            assert_eq!(observed.interface_type, Some(InterfaceType::Veth));
            assert_eq!(observed.veth_peer(), None);
            assert!(observed.veth.is_some());
        });
    });
}

#[test]
fn common_properties_change() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            ip_lines("link add v0 type veth peer name p0; link add br0 type bridge");
            let before = query_one(&kernel, "v0").await;
            assert_eq!(before.state, Some(InterfaceState::Down));
            assert_eq!((before.description, before.controller), (None, None));
            let longest = "ä".repeat(127) + "b";
            apply(
                &kernel,
                vec![Operation::ChangeLink(LinkChanges {
                    interface: "v0".to_string(),
                    up: Some(true),
                    mtu: Some(1280),
                    mac_address: Some(mac("02:00:00:00:00:07")),
                    accept_all_mac_addresses: Some(true),
                    controller: Some("br0".to_string()),
                    description: Some(longest.clone()),
                })],
            )
            .await;
            let shown = ip_link("v0");
            assert_eq!(shown["mtu"], 1280);
            assert_eq!(shown["address"], "02:00:00:00:00:07");
            assert_eq!(shown["master"], "br0");
            assert_eq!(shown["ifalias"], longest.as_str());
            let flags = shown["flags"].as_array().unwrap();
            assert!(flags.contains(&json!("UP")) && flags.contains(&json!("PROMISC")));
            let observed = query_one(&kernel, "v0").await;
            assert_eq!(observed.state, Some(InterfaceState::Up));
            assert_eq!(observed.accept_all_mac_addresses, Some(true));
            assert_eq!(observed.mtu, Some(1280));
            assert_eq!(observed.mac_address, Some(mac("02:00:00:00:00:07")));
            assert_eq!(observed.controller.as_deref(), Some("br0"));
            assert_eq!(observed.description, Some(longest));

            apply(
                &kernel,
                vec![Operation::ChangeLink(LinkChanges {
                    up: Some(false),
                    controller: Some(String::new()),
                    description: Some(String::new()),
                    ..changes("v0")
                })],
            )
            .await;
            let shown = ip_link("v0");
            assert_eq!(shown.get("master"), None);
            assert_eq!(shown.get("ifalias"), None);
            let observed = query_one(&kernel, "v0").await;
            assert_eq!(observed.state, Some(InterfaceState::Down));
            assert_eq!((observed.description, observed.controller), (None, None));
            assert_eq!(observed.mtu, Some(1280));
        });
    });
}

#[test]
fn alternative_names_come_and_go() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            ip_lines("link add br0 type bridge");
            let long = "a-name-of-more-than-fifteen-bytes";
            let operation = |name: &str| Operation::AddAltName {
                interface: "br0".to_string(),
                name: name.to_string(),
            };
            apply(&kernel, vec![operation("short"), operation(long)]).await;
            assert_eq!(ip_link("br0")["altnames"], json!(["short", long]));
            let names: Vec<AltName> = ["short", long]
                .map(|name| AltName {
                    name: name.to_string(),
                    state: None,
                })
                .into();
            assert_eq!(query_one(&kernel, "br0").await.alt_names, Some(names));
            let refusal = refused(&kernel, operation(long)).await;
            assert!(
                refusal.starts_with("add alternative name a-name"),
                "{refusal}"
            );
            assert!(refusal.contains("File exists (EEXIST)"), "{refusal}");

            let removal = |name: &str| Operation::RemoveAltName {
                interface: "br0".to_string(),
                name: name.to_string(),
            };
            apply(
                &kernel,
                vec![removal(long), removal("short"), removal("short")],
            )
            .await;
            assert_eq!(ip_link("br0").get("altnames"), None);
            assert_eq!(query_one(&kernel, "br0").await.alt_names, None);
            // An alternative name is no name in plans.
            apply(&kernel, vec![operation("other")]).await;
            apply(&kernel, vec![delete("other")]).await;
            assert_eq!(ip_link("br0")["ifname"], "br0");
        });
    });
}

#[test]
fn vxlan_with_all_options() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            ip_lines("link add br0 type bridge; link set br0 up");
            let cases = [
                Vxlan {
                    id: Some(42),
                    ..Vxlan::default()
                },
                Vxlan {
                    id: Some(43),
                    base_iface: Some("br0".to_string()),
                    learning: Some(false),
                    local: Some("192.0.2.1".parse().unwrap()),
                    remote: Some("192.0.2.2".parse().unwrap()),
                    destination_port: Some(8472),
                },
                Vxlan {
                    id: Some(16_777_215),
                    base_iface: Some("br0".to_string()),
                    learning: Some(true),
                    local: Some("2001:db8::1".parse().unwrap()),
                    remote: Some("2001:db8::2".parse().unwrap()),
                    destination_port: Some(5000),
                },
            ];
            for (number, section) in cases.iter().enumerate() {
                let mut link = interface(&format!("vx{number}"), InterfaceType::Vxlan);
                link.vxlan = Some(Box::new(section.clone()));
                apply(&kernel, vec![create(link)]).await;
            }
            let shown = &ip_link("vx0")["linkinfo"]["info_data"];
            assert_eq!((&shown["id"], &shown["port"]), (&json!(42), &json!(4789)));
            assert_eq!(shown["learning"], true);
            let shown = &ip_link("vx1")["linkinfo"]["info_data"];
            assert_eq!((&shown["id"], &shown["port"]), (&json!(43), &json!(8472)));
            assert_eq!(shown["link"], "br0");
            assert_eq!(shown["learning"], false);
            assert_eq!(shown["local"], "192.0.2.1");
            assert_eq!(shown["remote"], "192.0.2.2");
            let shown = &ip_link("vx2")["linkinfo"]["info_data"];
            assert_eq!(shown["local6"], "2001:db8::1");
            assert_eq!(shown["remote6"], "2001:db8::2");

            for (number, mut section) in cases.into_iter().enumerate() {
                section.learning.get_or_insert(true);
                section.destination_port.get_or_insert(4789);
                let observed = query_one(&kernel, &format!("vx{number}")).await;
                assert_eq!(observed.interface_type, Some(InterfaceType::Vxlan));
                assert_eq!(observed.vxlan.as_deref(), Some(&section));
            }
            // In place: learning and remote, nothing else.
            let mut change = interface("vx1", InterfaceType::Vxlan);
            change.vxlan = Some(Box::new(Vxlan {
                learning: Some(true),
                remote: Some("192.0.2.3".parse().unwrap()),
                ..Vxlan::default()
            }));
            let change = Operation::ChangeSection {
                interface: Box::new(change),
            };
            apply(&kernel, vec![change]).await;
            let shown = &ip_link("vx1")["linkinfo"]["info_data"];
            assert_eq!(shown["learning"], true);
            assert_eq!(shown["remote"], "192.0.2.3");
            assert_eq!(shown["local"], "192.0.2.1");
            assert_eq!(shown["port"], 8472);
            let mut change = interface("vx1", InterfaceType::Vxlan);
            change.vxlan = Some(Box::new(Vxlan {
                destination_port: Some(1),
                ..Vxlan::default()
            }));
            let change = Operation::ChangeSection {
                interface: Box::new(change),
            };
            let refusal = refused(&kernel, change).await;
            println!("{refusal}");
            assert!(
                refusal.starts_with("change vxlan options of vx1: Operation not supported"),
                "{refusal}"
            );
        });
    });
}

#[test]
fn mac_vlan_and_mac_vtap_in_all_modes() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let modes = [
                (MacVlanMode::Vepa, "vepa"),
                (MacVlanMode::Bridge, "bridge"),
                (MacVlanMode::Private, "private"),
                (MacVlanMode::Source, "source"),
                (MacVlanMode::Passthru, "passthru"),
            ];
            for (number, (mode, word)) in modes.into_iter().enumerate() {
                let base = format!("base{number}");
                ip(&["link", "add", &base, "type", "veth"]);
                ip(&["link", "set", &base, "up"]);
                for (interface_type, kind) in [
                    (InterfaceType::MacVlan, "macvlan"),
                    (InterfaceType::MacVtap, "macvtap"),
                ] {
                    let section = MacVlan {
                        base_iface: Some(base.clone()),
                        mode: Some(mode),
                        promiscuous: (mode == MacVlanMode::Passthru).then_some(false),
                    };
                    let mut link = interface("m0", interface_type.clone());
                    let is_vlan = interface_type == InterfaceType::MacVlan;
                    *(if is_vlan {
                        &mut link.mac_vlan
                    } else {
                        &mut link.mac_vtap
                    }) = Some(Box::new(section.clone()));
                    apply(&kernel, vec![create(link)]).await;
                    let shown = ip_link("m0");
                    assert_eq!(shown["linkinfo"]["info_kind"], kind);
                    assert_eq!(shown["linkinfo"]["info_data"]["mode"], word);
                    assert_eq!(shown["link"], base.as_str());
                    let observed = query_one(&kernel, "m0").await;
                    assert_eq!(observed.interface_type, Some(interface_type));
                    let expected = Some(Box::new(MacVlan {
                        promiscuous: Some(mode != MacVlanMode::Passthru),
                        ..section
                    }));
                    let (vlan, vtap) = (observed.mac_vlan, observed.mac_vtap);
                    assert_eq!(
                        if is_vlan { (vlan, vtap) } else { (vtap, vlan) },
                        (expected, None)
                    );
                    apply(&kernel, vec![delete("m0")]).await;
                }
            }
            let mut link = interface("m0", InterfaceType::MacVlan);
            link.mac_vlan = Some(Box::new(MacVlan {
                base_iface: Some("base0".to_string()),
                mode: Some(MacVlanMode::Bridge),
                promiscuous: None,
            }));
            apply(&kernel, vec![create(link.clone())]).await;
            link.mac_vlan = Some(Box::new(MacVlan {
                mode: Some(MacVlanMode::Private),
                ..MacVlan::default()
            }));
            let change = Operation::ChangeSection {
                interface: Box::new(link),
            };
            apply(&kernel, vec![change]).await;
            assert_eq!(ip_link("m0")["linkinfo"]["info_data"]["mode"], "private");
        });
    });
}

#[test]
fn other_links_are_shown_under_the_kernel_s_name() {
    run(|| {
        block_on(async {
            ip_lines("link add i0 type ifb; tuntap add t0 mode tap; link set lo up");
            let kernel = open().await;
            let state = query_all(&kernel).await;
            let shown: Vec<(&str, String, Option<InterfaceState>)> = state
                .interfaces
                .iter()
                .map(|one| {
                    let interface_type = one.interface_type.as_ref().unwrap().to_string();
                    (one.name.as_str(), interface_type, one.state)
                })
                .collect();
            let down = Some(InterfaceState::Down);
            assert_eq!(
                shown,
                [
                    ("i0", "ifb".to_string(), down),
                    ("lo", "loopback".to_string(), Some(InterfaceState::Up)),
                    ("t0", "tun".to_string(), down),
                ]
            );
            let lo = state.interface("lo").unwrap();
            assert_eq!(
                (lo.mtu, lo.min_mtu, lo.max_mtu),
                (Some(65536), Some(0), None)
            );

            let refusal = refused(&kernel, create(interface("i1", InterfaceType::Ethernet))).await;
            assert!(refusal.starts_with("create ethernet i1: "), "{refusal}");
        });
    });
}

#[test]
fn bridge_ports_with_options() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            ip_lines("link add v0 type veth peer name p0; link add v1 type veth peer name p1");
            let bridge = create(interface("br0", InterfaceType::LinuxBridge));
            apply(
                &kernel,
                vec![bridge, attach("v1", "br0"), attach("v0", "br0")],
            )
            .await;
            let port = BridgePort {
                name: "v0".to_string(),
                stp_hairpin_mode: Some(true),
                stp_path_cost: Some(200),
                stp_priority: Some(7),
                vlan: None,
            };
            let partly = BridgePort {
                name: "v1".to_string(),
                stp_priority: Some(60),
                ..BridgePort::default()
            };
            let operations =
                [&port, &partly].map(|port| Operation::ChangeBridgePort { port: port.clone() });
            apply(&kernel, operations.into()).await;
            let shown = json("bridge", &["-j", "-d", "link", "show"]);
            let v0 = shown.iter().find(|port| port["ifname"] == "v0").unwrap();
            assert_eq!((&v0["cost"], &v0["priority"]), (&json!(200), &json!(7)));
            assert_eq!(v0["hairpin"], true);
            let v1 = shown.iter().find(|port| port["ifname"] == "v1").unwrap();
            assert_eq!((&v1["cost"], &v1["priority"]), (&json!(2), &json!(60)));
            assert_eq!(v1["hairpin"], false);

            let observed = query_one(&kernel, "br0").await.bridge.unwrap();
            let other = BridgePort {
                stp_hairpin_mode: Some(false),
                stp_path_cost: Some(2),
                ..partly
            };
            assert_eq!(observed.port, Some(vec![port, other]));
            let empty = create(interface("br1", InterfaceType::LinuxBridge));
            apply(&kernel, vec![empty]).await;
            let bridge = query_one(&kernel, "br1").await.bridge.unwrap();
            assert_eq!(bridge.port, Some(Vec::new()));
        });
    });
}
