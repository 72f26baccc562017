// SPDX-License-Identifier: Apache-2.0

//! Every option of a bridge: created with it, changed to it, looked at with `ip`, and read back.

#![allow(clippy::unwrap_used, reason = "support functions of tests")]

#[path = "support/tools.rs"]
mod tools;

use nipart_schemas::interface::{
    BridgeOptions, BridgeStp, Interface, InterfaceType, LinuxBridge, MulticastRouter, VlanProtocol,
};
use nipart_schemas::operation::Operation;
use serde_json::{Value, json};
use tools::*;

/// All options with values that aren't the defaults. `HZ` is 250 or 1000 on the kernels that matter, so that times in
/// hundredths of a second are exact when they are even.
fn all_options() -> BridgeOptions {
    BridgeOptions {
        group_addr: Some("01:80:C2:00:00:0E".parse().unwrap()),
        group_fwd_mask: Some(0x4000),
        hash_max: Some(1024),
        mac_ageing_time: Some(120),
        multicast_last_member_count: Some(3),
        multicast_last_member_interval: Some(200),
        multicast_membership_interval: Some(20_000),
        multicast_querier: Some(true),
        multicast_querier_interval: Some(30_000),
        multicast_query_interval: Some(15_000),
        multicast_query_response_interval: Some(1_200),
        multicast_query_use_ifaddr: Some(true),
        multicast_router: Some(MulticastRouter::Enabled),
        multicast_snooping: Some(false),
        multicast_startup_query_count: Some(4),
        multicast_startup_query_interval: Some(4_000),
        vlan_filtering: Some(true),
        vlan_protocol: Some(VlanProtocol::Ieee8021Ad),
        vlan_default_pvid: Some(7),
        stp: Some(BridgeStp {
            enabled: Some(true),
            forward_delay: Some(16),
            hello_time: Some(3),
            max_age: Some(22),
            priority: Some(4096),
        }),
        gc_timer: None,
        hello_timer: None,
    }
}

/// The same, as far as this kernel has them: one without `CONFIG_BRIDGE_VLAN_FILTERING` ignores the options of VLANs.
fn possible_options() -> BridgeOptions {
    let mut options = all_options();
    if !has_vlans() {
        options.vlan_filtering = None;
        options.vlan_protocol = None;
        options.vlan_default_pvid = None;
    }
    options
}

fn has_vlans() -> bool {
    ip_lines("link add probe type bridge");
    let has = ip_link("probe")["linkinfo"]["info_data"]
        .get("vlan_protocol")
        .is_some();
    ip_lines("link del probe");
    has
}

/// Options of the bridge as `ip` prints them: the words are iproute2's.
fn expected() -> Vec<(&'static str, Value)> {
    vec![
        ("group_addr", json!("01:80:c2:00:00:0e")),
        ("group_fwd_mask", json!("0x4000")),
        ("mcast_hash_max", json!(1024)),
        ("ageing_time", json!(12_000)),
        ("mcast_last_member_cnt", json!(3)),
        ("mcast_last_member_intvl", json!(200)),
        ("mcast_membership_intvl", json!(20_000)),
        ("mcast_querier", json!(1)),
        ("mcast_querier_intvl", json!(30_000)),
        ("mcast_query_intvl", json!(15_000)),
        ("mcast_query_response_intvl", json!(1_200)),
        ("mcast_query_use_ifaddr", json!(1)),
        ("mcast_router", json!(2)),
        ("mcast_snooping", json!(0)),
        ("mcast_startup_query_cnt", json!(4)),
        ("mcast_startup_query_intvl", json!(4_000)),
        ("vlan_filtering", json!(1)),
        ("vlan_protocol", json!("802.1ad")),
        ("vlan_default_pvid", json!(7)),
        ("stp_state", json!(1)),
        ("forward_delay", json!(1_600)),
        ("hello_time", json!(300)),
        ("max_age", json!(2_200)),
        ("priority", json!(4096)),
    ]
}

fn bridge(name: &str, options: BridgeOptions) -> Interface {
    let mut link = interface(name, InterfaceType::LinuxBridge);
    link.bridge = Some(Box::new(LinuxBridge {
        options: Some(options),
        ..LinuxBridge::default()
    }));
    link
}

fn change(link: Interface) -> Operation {
    Operation::ChangeSection {
        interface: Box::new(link),
    }
}

async fn observed_options(kernel: &nipart_kernel::Kernel, name: &str) -> BridgeOptions {
    let section = query_one(kernel, name).await.bridge.unwrap();
    let mut options = section.options.unwrap();
    assert!(options.gc_timer.take().is_some());
    assert!(options.hello_timer.take().is_some());
    if !has_vlans() {
        // Such a kernel has a switch without use.
        assert_eq!(options.vlan_filtering.take(), Some(false));
    }
    options
}

#[test]
fn all_options_at_creation_and_in_place() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let options = possible_options();
            let plain = interface("br1", InterfaceType::LinuxBridge);
            apply(
                &kernel,
                vec![
                    create(bridge("br0", options.clone())),
                    create(plain),
                    change(bridge("br1", options.clone())),
                ],
            )
            .await;
            for name in ["br0", "br1"] {
                let shown = &ip_link(name)["linkinfo"]["info_data"];
                let is_possible = |key: &str| has_vlans() || !key.starts_with("vlan_");
                let expected = expected().into_iter();
                for (key, value) in expected.filter(|(key, _)| is_possible(key)) {
                    assert_eq!(shown[key], value, "{name} {key}");
                }
                assert_eq!(observed_options(&kernel, name).await, options);
            }
        });
    });
}

/// Each option alone changes itself and nothing else.
#[test]
fn options_change_one_by_one() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            apply(
                &kernel,
                vec![create(interface("br0", InterfaceType::LinuxBridge))],
            )
            .await;
            let all = serde_json::to_value(possible_options()).unwrap();
            let mut paths: Vec<(Option<&str>, &str)> = all
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| *key != "stp")
                .map(|key| (None, key.as_str()))
                .collect();
            paths.extend(
                [
                    "enabled",
                    "forward-delay",
                    "hello-time",
                    "max-age",
                    "priority",
                ]
                .map(|key| (Some("stp"), key)),
            );
            for (section, key) in paths {
                let before = observed_options(&kernel, "br0").await;
                let (one, mut expected) = match section {
                    None => (json!({key: all[key]}), json!({})),
                    Some(stp) => (json!({stp: {key: all[stp][key]}}), json!({})),
                };
                let options: BridgeOptions = serde_json::from_value(one).unwrap();
                apply(&kernel, vec![change(bridge("br0", options))]).await;
                expected.clone_from(&serde_json::to_value(&before).unwrap());
                match section {
                    None => expected[key] = all[key].clone(),
                    Some(stp) => expected[stp][key] = all[stp][key].clone(),
                }
                let after = serde_json::to_value(observed_options(&kernel, "br0").await).unwrap();
                assert_ne!(serde_json::to_value(before).unwrap(), after, "{key}");
                assert_eq!(after, expected, "{key}");
            }
            assert_eq!(observed_options(&kernel, "br0").await, possible_options());
        });
    });
}

#[test]
fn defaults_of_a_bridge_that_ip_made() {
    run(|| {
        block_on(async {
            ip_lines("link add br0 type bridge");
            let options = observed_options(&open().await, "br0").await;
            let shown = &ip_link("br0")["linkinfo"]["info_data"];
            let stp = options.stp.unwrap();
            assert_eq!(
                shown["forward_delay"],
                u32::from(stp.forward_delay.unwrap()) * 100
            );
            assert_eq!(shown["priority"], stp.priority.unwrap());
            assert_eq!(stp.enabled, Some(false));
            assert_eq!(shown["ageing_time"], options.mac_ageing_time.unwrap() * 100);
            assert_eq!(
                shown["mcast_membership_intvl"],
                options.multicast_membership_interval.unwrap()
            );
            assert_eq!(options.multicast_router, Some(MulticastRouter::Auto));
            if has_vlans() {
                assert_eq!(options.vlan_protocol, Some(VlanProtocol::Ieee8021Q));
                assert_eq!(options.vlan_default_pvid, Some(1));
            }
            assert_eq!(options.group_fwd_mask, Some(0));
        });
    });
}

/// The kernel forgets the MTU that a bridge was created with as soon as a port comes.
#[test]
fn initial_mtu_survives_ports() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            ip_lines("link add v0 mtu 9000 type veth peer name p0 mtu 9000");
            for mtu in [68, 1400, 1500, 9000] {
                let mut link = interface("br0", InterfaceType::LinuxBridge);
                link.mtu = Some(mtu);
                apply(&kernel, vec![create(link), attach("v0", "br0")]).await;
                assert_eq!(ip_link("br0")["mtu"], mtu);
                apply(&kernel, vec![delete("br0")]).await;
            }
            let mut link = interface("br0", InterfaceType::LinuxBridge);
            link.mtu = Some(20);
            let refusal = refused(&kernel, create(link)).await;
            assert_eq!(
                refusal,
                "create linux-bridge br0: Invalid argument (EINVAL): mtu less than device minimum"
            );
        });
    });
}

#[test]
fn values_that_the_kernel_refuses() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let options = BridgeOptions {
                stp: Some(BridgeStp {
                    enabled: Some(true),
                    forward_delay: Some(1),
                    ..BridgeStp::default()
                }),
                ..BridgeOptions::default()
            };
            apply(
                &kernel,
                vec![create(interface("br0", InterfaceType::LinuxBridge))],
            )
            .await;
            let on = BridgeOptions {
                stp: Some(BridgeStp {
                    enabled: Some(true),
                    ..BridgeStp::default()
                }),
                ..BridgeOptions::default()
            };
            apply(&kernel, vec![change(bridge("br0", on))]).await;
            let refusal = refused(&kernel, change(bridge("br0", options))).await;
            assert_eq!(
                refusal,
                "change linux-bridge options of br0: Numerical result out of range (ERANGE)"
            );
            let options = BridgeOptions {
                group_addr: Some("02:00:00:00:00:01".parse().unwrap()),
                ..BridgeOptions::default()
            };
            let refusal = refused(&kernel, create(bridge("br1", options))).await;
            assert_eq!(
                refusal,
                "create linux-bridge br1: Invalid argument (EINVAL)"
            );
            // What failed to be created isn't left behind.
            assert_eq!(ip_json(&["link", "show", "type", "bridge"]).len(), 1);
        });
    });
}
