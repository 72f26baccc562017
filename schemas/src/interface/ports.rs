// SPDX-License-Identifier: Apache-2.0

//! The lists of ports of controllers, whatever the section that has them.

use super::{BridgePort, Interface};
use crate::overlay::Overlay;

impl Interface {
    /// Its ports, when it is a controller whose list is written.
    pub fn port_names(&self) -> Option<Vec<&str>> {
        let of_bridge = self.bridge.as_ref().and_then(|bridge| {
            let ports = bridge.port.as_ref()?.iter();
            Some(ports.map(|port| port.name.as_str()).collect())
        });
        of_bridge
            .or_else(|| names(self.link_aggregation.as_ref()?.port.as_deref()))
            .or_else(|| names(self.vrf.as_ref()?.port.as_deref()))
    }

    /// The path of the list's entry inside the interface, for errors.
    pub fn port_path(&self, index: usize) -> String {
        if self.bridge.is_some() {
            format!("bridge.port[{index}].name")
        } else if self.link_aggregation.is_some() {
            format!("link-aggregation.port[{index}]")
        } else {
            format!("vrf.port[{index}]")
        }
    }

    /// The port of a bond that is active whenever it works.
    pub fn preferred_port(&self) -> Option<&str> {
        let options = self.link_aggregation.as_ref()?.options.as_ref()?;
        options.primary.as_deref().filter(|name| !name.is_empty())
    }

    /// Whether the list says that there be no other ports.
    pub fn allows_listed_ports_only(&self) -> bool {
        let bridge = self.bridge.as_ref();
        bridge.and_then(|bridge| bridge.allow_extra_ports) == Some(false)
    }

    /// The same without what a controller says of its ports: that is planned link by link.
    #[must_use]
    pub fn without_ports(mut self) -> Self {
        if let Some(bridge) = &mut self.bridge {
            bridge.port = None;
            bridge.allow_extra_ports = None;
        }
        if let Some(bond) = &mut self.link_aggregation {
            bond.port = None;
            bond.ports_config = None;
        }
        if let Some(vrf) = &mut self.vrf {
            vrf.port = None;
        }
        self
    }

    /// Takes from `below` what is said there, and not here, of ports that are on both lists.
    pub(crate) fn fill_ports_from(&mut self, below: &Self) {
        if let (Some(own), Some(below)) = (&mut self.bridge, &below.bridge) {
            fill_listed(own.port.as_mut(), below.port.as_deref(), |port| &port.name);
        }
        if let (Some(own), Some(below)) = (&mut self.link_aggregation, &below.link_aggregation) {
            let below = below.ports_config.as_deref();
            fill_listed(own.ports_config.as_mut(), below, |port| &port.name);
        }
    }

    /// Takes ports off a written list.
    pub fn retain_ports(&mut self, keep: impl Fn(&str) -> bool) {
        if let Some(list) = self.bridge.as_mut().and_then(|bridge| bridge.port.as_mut()) {
            list.retain(|port| keep(&port.name));
        }
        if let Some(bond) = &mut self.link_aggregation {
            if let Some(list) = &mut bond.port {
                list.retain(|port| keep(port));
            }
            if let Some(list) = &mut bond.ports_config {
                list.retain(|port| keep(&port.name));
            }
        }
        if let Some(list) = self.vrf.as_mut().and_then(|vrf| vrf.port.as_mut()) {
            list.retain(|port| keep(port));
        }
    }

    /// Puts a port onto a written list that doesn't have it yet.
    pub fn add_port(&mut self, name: &str) {
        let is_listed = |names: Vec<&str>| names.contains(&name);
        if self.port_names().is_none_or(is_listed) {
            return;
        }
        if let Some(list) = self.bridge.as_mut().and_then(|bridge| bridge.port.as_mut()) {
            list.push(BridgePort {
                name: name.to_string(),
                ..BridgePort::default()
            });
        }
        let of_bond = self
            .link_aggregation
            .as_mut()
            .and_then(|bond| bond.port.as_mut());
        let of_vrf = self.vrf.as_mut().and_then(|vrf| vrf.port.as_mut());
        if let Some(list) = of_bond.or(of_vrf) {
            list.push(name.to_string());
        }
    }
}

fn fill_listed<P: Overlay>(own: Option<&mut Vec<P>>, below: Option<&[P]>, name: fn(&P) -> &str) {
    for port in own.into_iter().flatten() {
        let mut known = below.into_iter().flatten();
        if let Some(same) = known.find(|other| name(other) == name(port)) {
            port.fill_from(same);
        }
    }
}

fn names(list: Option<&[String]>) -> Option<Vec<&str>> {
    Some(list?.iter().map(String::as_str).collect())
}
