// SPDX-License-Identifier: Apache-2.0

//! Links that are wanted again: one that was set down, or that is remembered and was deleted by somebody, comes back with
//! what was saved of it under what is wanted now. So what is saved afterwards is what was applied.

use std::net::IpAddr;

use super::NetworkState;
use crate::interface::{Interface, InterfaceState};
use crate::route::{IpNetwork, Route, Routes};

impl NetworkState {
    /// Whether it isn't all that is saved of the interfaces that it wants up: only then there is something to
    /// [revive](Self::revive).
    pub fn leaves_out(&self, saved: &Self) -> bool {
        let remembered = saved.by_name();
        let is_up = |wanted: &&Interface| wanted.wanted_state() == InterfaceState::Up;
        let mut wanted = self.interfaces.iter().filter(is_up);
        wanted.any(|wanted| {
            let saved = remembered.get(wanted.name.as_str());
            saved.is_some_and(|saved| *saved != wanted)
        })
    }

    /// Fills the interfaces that are wanted up, and are not observed or were saved as down, from what was saved of them, with
    /// the routes through them that need no more than their addresses. Returns whether any was.
    pub fn revive(&mut self, observed: &Self, saved: &Self) -> bool {
        let present = observed.by_name();
        let remembered = saved.by_name();
        let (revived, below): (Vec<usize>, Vec<_>) = self
            .interfaces
            .iter()
            .enumerate()
            .filter(|(_, wanted)| wanted.wanted_state() == InterfaceState::Up)
            .filter_map(|(index, wanted)| {
                let name = wanted.name.as_str();
                let saved = *remembered.get(name)?;
                let was_down = saved.wanted_state() == InterfaceState::Down;
                let is_back = was_down || !present.contains_key(name);
                (is_back && saved != wanted).then(|| (index, saved.clone()))
            })
            .unzip();
        if revived.is_empty() {
            return false;
        }
        let filled = self.laid_over(&Self {
            routes: Routes::of(saved.config_routes().to_vec()),
            interfaces: below,
            ..Self::default()
        });
        let interfaces = filled.by_name();
        let mut routes = Vec::new();
        for index in revived {
            let wanted = &mut self.interfaces[index];
            if let Some(interface) = interfaces.get(wanted.name.as_str()) {
                // A controller that this state removes isn't forgotten, but refused.
                let written = wanted.controller.take();
                *wanted = (*interface).clone();
                wanted.controller = written.or(wanted.controller.take());
                routes.extend(filled.routes_by_addresses_of(wanted).cloned());
            }
        }
        routes.retain(|route| !self.config_routes().contains(route));
        if !routes.is_empty() {
            let section = self.routes.get_or_insert_default();
            section.config.get_or_insert_default().extend(routes);
        }
        true
    }

    /// The routes through the interface that lead to its networks, or over gateways in them. Others have to wait, such as
    /// for a lease.
    fn routes_by_addresses_of<'s>(
        &'s self,
        interface: &'s Interface,
    ) -> impl Iterator<Item = &'s Route> {
        let is_reached = |gateway: IpAddr| {
            interface.addresses().any(|address| {
                IpNetwork::containing(address.ip, address.prefix_length).contains(gateway)
            })
        };
        let has_family = |route: &Route| {
            let mut addresses = interface.addresses();
            addresses.any(|address| address.ip.is_ipv6() == route.is_ipv6())
        };
        let through = |route: &&Route| route.next_hop_interface.as_ref() == Some(&interface.name);
        let routes = self.config_routes().iter().filter(through);
        routes.filter(move |route| match route.next_hop_address {
            _ if route.is_hop() => false,
            Some(gateway) => is_reached(gateway),
            None => has_family(route),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(text: &str) -> NetworkState {
        crate::yaml::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_there_comes_back_as_it_was_saved() {
        let saved = state(
            "interfaces: [{name: vx1, type: vxlan, state: down, mtu: 1400, vxlan: {id: 3, local: 192.0.2.1}},
                          {name: br0, type: linux-bridge}]",
        );
        let observed = state("interfaces: [{name: br0, type: linux-bridge, mtu: 1500}]");
        let mut desired = state(
            "interfaces: [{name: br0, mtu: 1300}, {name: vx1, vxlan: {id: 4}}, {name: new, type: dummy}]",
        );
        assert!(desired.revive(&observed, &saved));
        let expected = state(
            "interfaces: [{name: br0, mtu: 1300},
                          {name: vx1, type: vxlan, mtu: 1400, vxlan: {id: 4, local: 192.0.2.1}},
                          {name: new, type: dummy}]",
        );
        assert_eq!(desired, expected);
        assert!(
            !desired.revive(&observed, &desired.clone()),
            "once is enough"
        );
    }

    #[test]
    fn what_was_down_comes_back_as_it_was_saved() {
        let saved = state(
            "interfaces: [{name: eth0, state: down, mtu: 1400, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}},
                          {name: eth1, mtu: 1400}]",
        );
        let observed = state("interfaces: [{name: eth0, state: down}, {name: eth1, state: down}]");
        let mut desired = state("interfaces: [{name: eth0, mtu: 1300}, {name: eth1}]");
        assert!(desired.revive(&observed, &saved));
        let expected = state(
            "interfaces: [{name: eth0, mtu: 1300, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}, {name: eth1}]",
        );
        assert_eq!(desired, expected);
    }

    #[test]
    fn routes_come_back_that_need_nothing_else() {
        let saved = state(
            "
interfaces: [{name: v1, type: veth, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}, {name: v3}]
routes:
  config:
  - {destination: 198.51.100.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.9}
  - {destination: 203.0.113.0/24, next-hop-interface: v1, next-hop-address: 192.0.2.9}
  - {destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: 172.16.0.1}
  - {destination: 10.0.0.0/8, next-hop-interface: v3}
  - {destination: '2001:db8::/32', next-hop-interface: v1}
",
        );
        let observed = state("interfaces: [{name: v3, type: veth}]");
        let absent = "{state: absent, destination: 203.0.113.0/24}";
        let mut desired = state(&format!(
            "{{interfaces: [{{name: v1}}, {{name: v3}}], routes: {{config: [{absent}]}}}}"
        ));
        assert!(desired.revive(&observed, &saved));
        let (first, back) = desired.config_routes().split_first().unwrap();
        assert!(first.is_absent());
        assert_eq!(back, &saved.config_routes()[..1]);
    }

    #[test]
    fn what_is_written_stays() {
        let saved = state("interfaces: [{name: vx1, type: vxlan, vxlan: {id: 3}}]");
        let text = "interfaces: [{name: vx1, controller: br0}, {name: br0, state: absent}]";
        let mut desired = state(text);
        assert!(desired.revive(&NetworkState::default(), &saved));
        assert_eq!(desired.interfaces[0].controller.as_deref(), Some("br0"));
    }

    #[test]
    fn what_goes_is_not_filled() {
        let saved = state("interfaces: [{name: vx1, type: vxlan, vxlan: {id: 3}}]");
        for text in ["absent", "down", "ignore"] {
            let mut desired = state(&format!("interfaces: [{{name: vx1, state: {text}}}]"));
            assert!(!desired.revive(&NetworkState::default(), &saved), "{text}");
        }
    }
}
