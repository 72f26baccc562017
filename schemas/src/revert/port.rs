// SPDX-License-Identifier: Apache-2.0

//! Links that a state makes ports: they leave the controller that they have, and lose their addresses without being told
//! so, except to a VRF.

use std::collections::{BTreeMap, HashMap};

use crate::interface::{Interface, InterfaceState, InterfaceType};
use crate::network_state::NetworkState;

/// Present links that get a controller that they don't have.
pub(super) struct NewPorts<'a> {
    /// By name.
    ports: BTreeMap<&'a str, NewPort<'a>>,
}

struct NewPort<'a> {
    present: &'a Interface,
    /// The one that it gets.
    controller: String,
    loses_addresses: bool,
}

impl<'a> NewPorts<'a> {
    pub(super) fn of(desired: &NetworkState, present: &HashMap<&'a str, &'a Interface>) -> Self {
        let up = desired
            .interfaces
            .iter()
            .filter(|interface| interface.wanted_state() == InterfaceState::Up);
        let attached = up.flat_map(|interface| {
            let name = interface.name.as_str();
            let own = interface
                .controller
                .as_deref()
                .map(|controller| (name, controller));
            let ports = interface.port_names().into_iter().flatten();
            own.into_iter().chain(ports.map(move |port| (port, name)))
        });
        let wanted = desired.by_name();
        let leaves_addresses = |controller: &str| {
            let listed = [wanted.get(controller), present.get(controller)].into_iter();
            let mut types = listed
                .flatten()
                .filter_map(|interface| interface.interface_type.as_ref());
            types.any(InterfaceType::leaves_addresses_to_ports)
        };
        let ports = attached.filter_map(|(port, controller)| {
            let (name, present) = present.get_key_value(port)?;
            let is_new =
                !controller.is_empty() && present.controller.as_deref() != Some(controller);
            let port = || NewPort {
                present,
                controller: controller.to_string(),
                loses_addresses: !leaves_addresses(controller),
            };
            is_new.then(|| (*name, port()))
        });
        Self {
            ports: ports.collect(),
        }
    }

    /// The state, which says of those that leave a controller that they get another, and of those that lose their
    /// addresses that they have none.
    pub(super) fn spelled_out(&self, desired: &NetworkState) -> NetworkState {
        let mut desired = desired.clone();
        for interface in &mut desired.interfaces {
            let Some(port) = self.ports.get(interface.name.as_str()) else {
                continue;
            };
            let present = port.present;
            if present.controller.is_some() {
                let controller = || port.controller.clone();
                interface.controller.get_or_insert_with(controller);
            }
            if !port.loses_addresses {
                continue;
            }
            if has_ipv4(present) {
                let section = interface.ipv4.get_or_insert_default();
                section.address.get_or_insert_default();
            }
            if has_ipv6(present) {
                let section = interface.ipv6.get_or_insert_default();
                section.address.get_or_insert_default();
            }
        }
        desired
    }

    /// What those have now that `desired` doesn't list.
    pub(super) fn unlisted(&self, desired: &NetworkState) -> Vec<Interface> {
        let listed = desired.by_name();
        let unlisted = self
            .ports
            .iter()
            .filter(|(name, _)| !listed.contains_key(*name));
        let back = unlisted.map(|(name, port)| {
            let present = port.present;
            let (ipv4, ipv6) = (present.ipv4.clone(), present.ipv6.clone());
            Interface {
                controller: present.controller.clone(),
                ipv4: ipv4.filter(|_| port.loses_addresses && has_ipv4(present)),
                ipv6: ipv6.filter(|_| port.loses_addresses && has_ipv6(present)),
                ..Interface::named(*name)
            }
        });
        let says_something = |back: &Interface| {
            back.controller.is_some() || back.ipv4.is_some() || back.ipv6.is_some()
        };
        back.filter(says_something).collect()
    }
}

fn has_ipv4(interface: &Interface) -> bool {
    let list = interface.ipv4.iter().flat_map(|ipv4| &ipv4.address);
    list.flatten().next().is_some()
}

/// Link-local ones come by themselves.
fn has_ipv6(interface: &Interface) -> bool {
    let list = interface.ipv6.iter().flat_map(|ipv6| &ipv6.address);
    let mut list = list.flatten();
    list.any(|address| !address.ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use crate::network_state::NetworkState;
    use crate::revert::revert_of;

    fn state(text: &str) -> NetworkState {
        crate::yaml::parse(text).unwrap()
    }

    /// A port loses its addresses to no one, and unasked: they are asked back. Its route goes with them.
    #[test]
    fn addresses_of_new_ports_come_back() {
        let current = state(
            "
interfaces:
- {name: v1, type: veth, state: up, ipv4: {enabled: true, address: [{ip: 192.0.2.1, prefix-length: 24}]}, ipv6: {enabled: true, address: [{ip: 'fe80::1', prefix-length: 64}]}}
routes: {running: [{destination: 198.51.100.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.9}]}
",
        );
        let bridge = "{name: br0, type: linux-bridge}";
        let address = "ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]";
        let route =
            "{destination: 198.51.100.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.9}";
        let by_key = state(&format!(
            "interfaces: [{{name: v1, controller: br0}}, {bridge}]"
        ));
        let expected = state(&format!(
            "
interfaces: [{{name: v1, type: veth, state: up, controller: '', {address}}}}}, {{name: br0, type: linux-bridge, state: absent}}]
routes: {{config: [{route}]}}
"
        ));
        assert_eq!(revert_of(&by_key, &current), expected);
        let by_list =
            state("interfaces: [{name: br0, type: linux-bridge, bridge: {port: [{name: v1}]}}]");
        let expected = state(&format!(
            "interfaces: [{{name: br0, type: linux-bridge, state: absent}}, {{name: v1, {}}}]",
            address
                .replace("{address", "{enabled: true, address")
                .to_string()
                + "}"
        ));
        let reverted = revert_of(&by_list, &current);
        assert_eq!(reverted.interfaces, expected.interfaces);
        // A port of another bridge is asked back, whether it is listed or not.
        let as_port = state(
            "
interfaces:
- {name: br1, type: linux-bridge, state: up, bridge: {port: [{name: v1}]}}
- {name: v1, type: veth, state: up, controller: br1}
",
        );
        for own in ["", ", {name: v1, mtu: 1400}"] {
            let list = "{name: br0, type: linux-bridge, bridge: {port: [{name: v1}]}}";
            let reverted = revert_of(&state(&format!("interfaces: [{list}{own}]")), &as_port);
            let port = reverted.interface("v1").unwrap();
            assert_eq!(port.controller.as_deref(), Some("br1"), "{own}");
        }
        // A VRF leaves addresses to its ports.
        let vrf =
            state("interfaces: [{name: red, type: vrf, vrf: {port: [v1], route-table-id: 7}}]");
        let reverted = revert_of(&vrf, &current);
        assert_eq!(reverted.interfaces.len(), 1, "{reverted:?}");
    }
}
