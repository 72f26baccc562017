// SPDX-License-Identifier: Apache-2.0

//! Routes. Of one with several next hops each is an entry with a weight.

use std::collections::HashSet;
use std::net::IpAddr;

use nipart_schemas::ip::PROTOCOL_DHCP;
use nipart_schemas::route::{Route, RouteSlot};

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
        if route.is_hop() {
            return Err("a route alone has no weight".to_string());
        }
        self.add_hops(std::slice::from_ref(route))
    }

    pub(super) fn add_multipath(&mut self, hops: &[Route]) -> Result<(), String> {
        let slots: HashSet<RouteSlot> = hops.iter().map(Route::slot).collect();
        if hops.len() < 2 || slots.len() != 1 || !hops.iter().all(Route::is_hop) {
            return Err("several next hops with a weight each belong to one route".to_string());
        }
        let mut plain = hops.iter().filter(|hop| hop.is_ipv6());
        if plain.any(|hop| hop.next_hop_address.is_none()) {
            return Err("an IPv6 route has several next hops only over gateways".to_string());
        }
        self.add_hops(hops)
    }

    /// The kernel replaces the first route that it finds in the place: there must be no choice.
    pub(super) fn replace_route(&mut self, hops: &[Route]) -> Result<(), String> {
        let slot = hops.first().map(Route::slot);
        let (in_place, others): (Vec<Route>, Vec<Route>) = self
            .routes
            .drain(..)
            .partition(|known| Some(known.slot()) == slot);
        self.routes = others;
        if in_place.len() > 1 && !in_place.iter().all(Route::is_hop) {
            return Err("which one is replaced?".to_string());
        }
        self.dead_hops
            .retain(|key| !in_place.iter().any(|known| known.key() == *key));
        match hops {
            [hop] => self.add_route(hop),
            hops => self.add_multipath(hops),
        }
    }

    fn add_hops(&mut self, hops: &[Route]) -> Result<(), String> {
        for hop in hops {
            self.check_hop(hop)?;
            let key = hop.key();
            let refused = self.routes.iter().any(|known| {
                let is_learned = hop.protocol == Some(PROTOCOL_DHCP) || hop.is_advertised();
                let may_share = is_learned && known.key() != key;
                known.slot() == hop.slot() && !may_share
            });
            if refused {
                return Err("exists".to_string());
            }
        }
        self.routes.extend(hops.iter().map(shown));
        Ok(())
    }

    fn check_hop(&self, route: &Route) -> Result<(), String> {
        if route.route_type.is_some() {
            let has_hop = route.next_hop_interface.is_some() || route.next_hop_address.is_some();
            return if has_hop {
                Err("it leads nowhere".to_string())
            } else {
                Ok(())
            };
        }
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
            && route.onlink != Some(true)
            && !self.reaches(name, gateway)
        {
            return Err(format!("gateway {gateway} can't be reached"));
        }
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
                && known.route_type == route.route_type
                && !known.is_hop()
                && (route.metric.is_none() || other.metric == key.metric)
                && (route.source.is_none() || known.source == route.source)
                && (route.protocol.is_none() || known.protocol == route.protocol)
        };
        if let Some(position) = self.routes.iter().position(is_meant) {
            self.routes.remove(position);
        }
    }

    pub(super) fn remove_multipath(&mut self, hops: &[Route]) {
        if let Some(first) = hops.first() {
            self.routes.retain(|known| {
                !(known.slot() == first.slot()
                    && known.is_hop()
                    && (first.protocol.is_none() || known.protocol == first.protocol))
            });
        }
    }

    /// Takes routes away. A next hop among several is only dead, until all are (`fib_sync_down_dev`,
    /// `fib6_ifdown`).
    pub(super) fn lose(&mut self, is_lost: impl Fn(&Route) -> bool) {
        let dead = self
            .routes
            .iter()
            .filter(|hop| hop.is_hop() && is_lost(hop));
        self.dead_hops.extend(dead.map(Route::key));
        let hops = self.routes.iter().filter(|route| route.is_hop());
        let alive: HashSet<RouteSlot> = hops
            .filter(|hop| !self.dead_hops.contains(&hop.key()))
            .map(Route::slot)
            .collect();
        self.routes.retain(|route| {
            if route.is_hop() {
                alive.contains(&route.slot())
            } else {
                !is_lost(route)
            }
        });
    }

    /// Dead next hops through a link that is usable again come to life.
    pub(super) fn revive(&mut self, name: &str) {
        self.dead_hops
            .retain(|key| key.next_hop_interface.as_deref() != Some(name));
    }

    /// A deleted link takes an IPv4 route along whatever its other next hops are; of IPv6 ones they stay.
    pub(super) fn lose_with_link(&mut self, name: &str) {
        let is_through = |route: &Route| route.next_hop_interface.as_deref() == Some(name);
        let cut = |route: &&Route| route.is_hop() && is_through(route);
        let cut: HashSet<RouteSlot> = self.routes.iter().filter(cut).map(Route::slot).collect();
        self.routes.retain(|route| {
            !(is_through(route)
                || (route.is_hop() && !route.is_ipv6() && cut.contains(&route.slot())))
        });
        self.revive(name);
        for slot in cut {
            let mut left = self.routes.iter_mut().filter(|route| route.slot() == slot);
            if let (Some(last), None) = (left.next(), left.next()) {
                last.weight = None;
            }
        }
    }
}
