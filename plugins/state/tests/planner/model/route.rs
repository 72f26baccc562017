// SPDX-License-Identifier: Apache-2.0

//! Routes.

use std::net::IpAddr;

use nipart_schemas::ip::PROTOCOL_DHCP;
use nipart_schemas::route::Route;

use super::Model;

/// With the kernel's defaults written out, as it shows routes.
fn shown(route: &Route) -> Route {
    let key = route.key();
    Route {
        metric: Some(key.metric),
        table_id: Some(key.table_id),
        ..route.clone()
    }
}

impl Model {
    pub(super) fn add_route(&mut self, route: &Route) -> Result<(), String> {
        let route = shown(route);
        let name = route.next_hop_interface.as_deref().ok_or("no link")?;
        let link = self.link(name)?;
        if !self.is_up(name) {
            return Err(format!("{name} is down"));
        }
        let has_ipv6 = link.ipv6.as_ref().and_then(|ipv6| ipv6.enabled) != Some(false);
        if route.is_ipv6() && !has_ipv6 {
            return Err(format!("IPv6 is off on {name}"));
        }
        if let Some(source) = route.source
            && !self.has_local(source)
        {
            return Err(format!("{source} is no local address"));
        }
        if let Some(gateway) = route.next_hop_address
            && !self.reaches(name, gateway)
        {
            return Err(format!("gateway {gateway} can't be reached"));
        }
        let key = route.key();
        let refused = self.routes.iter().any(|known| {
            let other = known.key();
            let same_slot = (other.destination, other.table_id, other.metric)
                == (key.destination, key.table_id, key.metric);
            let may_share = route.protocol == Some(PROTOCOL_DHCP) && other != key;
            same_slot && !may_share
        });
        if refused {
            return Err("exists".to_string());
        }
        self.routes.push(route);
        Ok(())
    }

    fn reaches(&self, name: &str, gateway: IpAddr) -> bool {
        matches!(gateway, IpAddr::V6(ip) if ip.is_unicast_link_local())
            || self.routes.iter().any(|route| {
                route.next_hop_interface.as_deref() == Some(name)
                    && route.next_hop_address.is_none()
                    && route
                        .destination
                        .is_some_and(|network| network.contains(gateway))
            })
    }

    pub(super) fn remove_route(&mut self, route: &Route) {
        let key = route.key();
        let is_meant = |known: &Route| {
            let other = known.key();
            (known.destination, &other.next_hop_interface, other.table_id)
                == (route.destination, &key.next_hop_interface, key.table_id)
                && known.next_hop_address == route.next_hop_address
                && (route.metric.is_none() || other.metric == key.metric)
                && (route.source.is_none() || known.source == route.source)
                && (route.protocol.is_none() || known.protocol == route.protocol)
        };
        if let Some(position) = self.routes.iter().position(is_meant) {
            self.routes.remove(position);
        }
    }
}
