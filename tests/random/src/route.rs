// SPDX-License-Identifier: Apache-2.0

//! Random routes.

use nipart_schemas::interface::InterfaceState;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::{Route, RouteState, RouteType};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::Kinds;
use crate::ip::{address_of, ipv4, ipv6};

fn route(kinds: Kinds) -> impl Strategy<Value = Route> {
    let destinations = vec!["10.1.0.0/16", "0.0.0.0/0", "2001:db8:ff::/48", "::/0"];
    (
        select(destinations),
        select(kinds.names()),
        weighted(0.6, 200_u8..202),
        weighted(0.5, 5_u32..8),
        weighted(0.2, Just(())),
        weighted(0.25, any::<(bool, bool)>()),
    )
        .prop_map(|(destination, name, gateway, metric, source, absent)| {
            let mut route = Route {
                destination: Some(destination.parse().unwrap()),
                next_hop_interface: Some(name.to_string()),
                metric,
                ..Route::default()
            };
            let address = |host| address_of(destination, name, host);
            match absent {
                Some((with_destination, with_interface)) => {
                    route.state = Some(RouteState::Absent);
                    route.destination.take_if(|_| !with_destination);
                    route.next_hop_interface.take_if(|_| !with_interface);
                }
                None => {
                    route.next_hop_address = gateway.map(address);
                    route.source = source.map(|()| address(1));
                }
            }
            route
        })
}

/// One entry, or the next hops of a route, or one that leads nowhere.
pub(crate) fn routes(kinds: Kinds) -> impl Strategy<Value = Vec<Route>> {
    let destinations = || select(vec!["10.1.0.0/16", "10.2.0.0/16", "2001:db8:ff::/48"]);
    let metric = || weighted(0.5, 5_u32..7);
    let hop = move || (select(kinds.names()), 200_u8..202, 1_u16..3);
    let several = (destinations(), metric(), vec(hop(), 1..4)).prop_map(
        |(destination, metric, hops): (&str, Option<u32>, Vec<(&'static str, u8, u16)>)| {
            let mut routes: Vec<Route> = Vec::new();
            for (name, gateway, weight) in hops {
                let route = Route {
                    destination: Some(destination.parse().unwrap()),
                    next_hop_interface: Some(name.to_string()),
                    next_hop_address: Some(address_of(destination, name, gateway)),
                    metric,
                    weight: Some(weight),
                    ..Route::default()
                };
                routes.retain(|known| known.key() != route.key());
                routes.push(route);
            }
            routes
        },
    );
    let types = select(vec![
        RouteType::Blackhole,
        RouteType::Unreachable,
        RouteType::Throw,
        RouteType::Prohibit,
    ]);
    let nowhere = (destinations(), metric(), types).prop_map(|(destination, metric, kind)| {
        vec![Route {
            destination: Some(destination.parse().unwrap()),
            metric,
            route_type: Some(kind),
            ..Route::default()
        }]
    });
    let one =
        (route(kinds), weighted(0.2, select(vec![1400_u32, 1450]))).prop_map(|(route, mtu)| {
            let mtu = mtu.filter(|_| !route.is_absent());
            vec![Route { mtu, ..route }]
        });
    prop_oneof![6 => one, 2 => several, 1 => nowhere]
}

/// A route needs its link, and a gateway and a source an address of the link, in the same state.
pub(crate) fn is_possible(state: &NetworkState, route: &Route) -> bool {
    if route.route_type.is_some() {
        return true;
    }
    let name = route.next_hop_interface.as_deref().unwrap_or_default();
    let Some(interface) = state.interface(name) else {
        return false;
    };
    let has_first = if route.is_ipv6() {
        let list = interface
            .ipv6
            .as_ref()
            .and_then(|ipv6| ipv6.address.as_ref());
        list.is_some_and(|list| list.iter().any(|address| address.ip == ipv6(name, 1)))
    } else {
        let list = interface
            .ipv4
            .as_ref()
            .and_then(|ipv4| ipv4.address.as_ref());
        list.is_some_and(|list| list.iter().any(|address| address.ip == ipv4(name, 1)))
    };
    interface.wanted_state() == InterfaceState::Up
        && (has_first || (route.next_hop_address.is_none() && route.source.is_none()))
}
