// SPDX-License-Identifier: Apache-2.0

use super::*;

const PRESENT: &str = "
interfaces:
- {name: eth0, type: ethernet, mac-address: '02:00:00:00:00:01', permanent-mac-address: '02:00:00:00:00:0A', pci-address: '0000:00:03.0', alt-names: [{name: enp0s3}]}
- {name: eth1, type: ethernet, mac-address: '02:00:00:00:00:0A'}
- {name: v1, type: veth, mac-address: '02:00:00:00:00:02'}
- {name: br0, type: linux-bridge, mac-address: '02:00:00:00:00:02'}
";

fn state(text: &str) -> NetworkState {
    nipart_schemas::yaml::parse(text).unwrap()
}

fn identified(text: &str, missing: MissingInterfaces) -> Result<NetworkState, NipartError> {
    let saved = state(
        "interfaces: [{name: eth0, profile-name: lan}, {name: eth1, profile-name: twice}, {name: br0, profile-name: twice}]",
    );
    identify(&state(text), &state(PRESENT), &saved, missing)
}

fn refused(text: &str) -> String {
    let error = identified(text, MissingInterfaces::Refuse).unwrap_err();
    format!("{}: {}", error.path.unwrap_or_default(), error.message)
}

#[test]
fn permanent_address_first_then_the_present_one() {
    for (written, link) in [
        (
            "identifier: mac-address, mac-address: '02:00:00:00:00:0A'",
            "eth0",
        ),
        (
            "identifier: mac-address, mac-address: '02:00:00:00:00:01'",
            "eth0",
        ),
        ("identifier: pci-address, pci-address: '00:03.0'", "eth0"),
        (
            "type: ethernet, identifier: mac-address, mac-address: '02:00:00:00:00:02'",
            "v1",
        ),
        (
            "type: linux-bridge, identifier: mac-address, mac-address: '02:00:00:00:00:02'",
            "br0",
        ),
    ] {
        let text = format!("interfaces: [{{name: wan, {written}}}]");
        let found = identified(&text, MissingInterfaces::Refuse).unwrap();
        let found = &found.interfaces[0];
        assert_eq!(
            (found.name.as_str(), found.profile_name.as_deref()),
            (link, Some("wan")),
            "{written}"
        );
    }
    let named = "interfaces: [{name: wan, mac-address: '02:00:00:00:00:0A'}]";
    assert_eq!(
        identified(named, MissingInterfaces::Refuse).unwrap(),
        state(named)
    );
}

#[test]
fn none_and_several_are_refused() {
    let mac =
        "interfaces: [{name: wan, identifier: mac-address, mac-address: '02:00:00:00:00:77'}]";
    assert_eq!(
        refused(mac),
        "interfaces[0].mac-address: wan: no interface has this mac-address"
    );
    // At start it is awaited.
    assert_eq!(
        identified(mac, MissingInterfaces::Await).unwrap(),
        state(mac)
    );
    assert_eq!(
        refused(
            "interfaces: [{name: wan, identifier: mac-address, mac-address: '02:00:00:00:00:02'}]"
        ),
        "interfaces[0].mac-address: wan: v1 and br0 have this mac-address; write the type to choose one"
    );
    assert_eq!(
        refused("interfaces: [{name: wan, identifier: pci-address}]"),
        "interfaces[0].identifier: wan is to be known by its pci-address, which isn't written"
    );
}

/// At start, two cards have each other's names.
#[test]
fn swapped_names() {
    let found = identified(
        "
interfaces:
- {name: v1, type: ethernet, identifier: pci-address, pci-address: '0000:00:03.0'}
- {name: eth0, type: veth, identifier: mac-address, mac-address: '02:00:00:00:00:02'}
- {name: br1, type: linux-bridge, bridge: {port: [{name: v1}]}}
routes: {config: [{destination: 192.0.2.0/24, next-hop-interface: eth0}]}
",
        MissingInterfaces::Await,
    )
    .unwrap();
    let names: Vec<&str> = found
        .interfaces
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["eth0", "v1", "br1"]);
    assert_eq!(found.interfaces[2].port_names(), Some(vec!["eth0"]));
    let route = &found.config_routes()[0];
    assert_eq!(route.next_hop_interface.as_deref(), Some("v1"));
}

#[test]
fn references_by_every_name() {
    let found = identified(
        "
interfaces:
- {name: wan, identifier: pci-address, pci-address: '0000:00:03.0', controller: br0}
- {name: wan.5, type: vlan, vlan: {base-iface: wan, id: 5}}
- {name: br1, type: linux-bridge, bridge: {port: [{name: enp0s3}, {name: v1}, {name: nobody}]}}
routes:
  config:
  - {destination: 192.0.2.0/24, next-hop-interface: lan}
",
        MissingInterfaces::Refuse,
    )
    .unwrap();
    assert_eq!(found.interfaces[1].base_interface(), Some("eth0"));
    assert_eq!(
        found.interfaces[2].port_names(),
        Some(vec!["eth0", "v1", "nobody"])
    );
    // The profile that the file gives the link replaces the saved one.
    let through = |state: &NetworkState| state.config_routes()[0].next_hop_interface.clone();
    assert_eq!(through(&found).as_deref(), Some("lan"));
    let route = "routes: {config: [{destination: 192.0.2.0/24, next-hop-interface: NAME}]}";
    let found = identified(&route.replace("NAME", "lan"), MissingInterfaces::Refuse).unwrap();
    assert_eq!(through(&found).as_deref(), Some("eth0"));
    assert_eq!(
        refused(&route.replace("NAME", "twice")),
        "routes.config[0].next-hop-interface: twice is the profile of both br0 and eth1: write the interface's name"
    );
}

/// The kernel is asked for names that may be profiles.
#[test]
fn every_reference_to_an_unlisted_link_is_looked_up() {
    for (interface, expected) in [
        ("controller: br9", "br9"),
        (
            "type: bond, link-aggregation: {options: {primary: lan}}",
            "lan",
        ),
        ("type: vlan, vlan: {base-iface: wan, id: 5}", "wan"),
    ] {
        let state = state(&format!("interfaces: [{{name: x0, {interface}}}]"));
        assert_eq!(unlisted(&state), [expected], "{interface}");
    }
}

const FUNCTIONS: &str = "
interfaces:
- name: eth0
  type: ethernet
  pci-address: '0000:00:03.0'
  alt-names: [{name: enp0s3}]
  ethernet: {sr-iov: {total-vfs: 2, vfs: [{id: 0, iface-name: eth0v0}, {id: 1}]}}
- {name: eth0v0, type: ethernet}
- {name: v1, type: veth}
";

/// nmstate's names of virtual functions, whichever way their card is called.
#[test]
fn names_of_functions() {
    let (present, saved) = (state(FUNCTIONS), NetworkState::default());
    for card in ["eth0", "enp0s3", "wan"] {
        let written = "
interfaces:
- {name: wan, identifier: pci-address, pci-address: '0000:00:03.0'}
- {name: 'sriov:CARD:0', mtu: 1400}
- {name: br0, type: linux-bridge, bridge: {port: [{name: 'sriov:CARD:0'}]}}
routes: {config: [{destination: 192.0.2.0/24, next-hop-interface: 'sriov:CARD:0'}]}
";
        let written = state(&written.replace("CARD", card));
        assert!(names_functions(&written));
        let found = identify(&written, &present, &saved, MissingInterfaces::Refuse).unwrap();
        assert_eq!(found.interfaces[1].name, "eth0v0", "{card}");
        assert_eq!(found.interfaces[1].profile_name, None);
        assert_eq!(found.interfaces[2].port_names(), Some(vec!["eth0v0"]));
        let route = &found.config_routes()[0];
        assert_eq!(route.next_hop_interface.as_deref(), Some("eth0v0"));
    }
    for (name, why) in [
        ("sriov:eth0:1", "function 1 of eth0 has no interface here"),
        (
            "sriov:eth0:2",
            "eth0 has 2 virtual functions, with ids from 0",
        ),
        ("sriov:v1:0", "v1 is no network card with SR-IOV"),
        ("sriov:eth9:0", "interface eth9 doesn't exist"),
    ] {
        for text in [
            "interfaces: [{name: 'NAME'}]",
            "interfaces: [{name: v1, controller: 'NAME'}]",
        ] {
            let written = state(&text.replace("NAME", name));
            let error = identify(&written, &present, &saved, MissingInterfaces::Refuse);
            let error = error.unwrap_err();
            let expected = format!("{name} can't be found: {why}");
            assert!(error.message.starts_with(&expected), "{error}");
            // At start it may come later.
            assert_eq!(
                identify(&written, &present, &saved, MissingInterfaces::Await),
                Ok(written)
            );
        }
    }
}
