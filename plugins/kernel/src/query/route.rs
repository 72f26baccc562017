// SPDX-License-Identifier: Apache-2.0

//! From `RTM_NEWROUTE` to routes, of all tables but the local one: those with next hops, and those that drop packets.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteMetric, RouteNextHop,
    RouteNextHopFlags, RouteProtocol, RouteType as KernelType, RouteVia,
};
use nipart_netlink::{DumpSocket, NetlinkError, RouteFilter};
use nipart_schemas::route::{IpNetwork, Route, RouteType};

/// `RT_TABLE_LOCAL`: addresses of this host and broadcasts, which the kernel keeps by itself.
const LOCAL_TABLE: u32 = 255;
/// Through up to so many links routes are asked for link by link: each question walks all tables in the kernel, but
/// copies only what matches.
const TARGETED_LINKS_MAX: usize = 4;

/// A route whose links are still numbers. A multipath route has several hops.
#[derive(Debug)]
pub(super) struct ObservedRoute {
    route: Route,
    hops: Hops,
}

#[derive(Debug)]
enum Hops {
    One(Hop),
    Many(Vec<Hop>),
}

#[derive(Debug, Clone, Copy, Default)]
struct Hop {
    link: Option<u32>,
    gateway: Option<IpAddr>,
    onlink: bool,
    /// One more than the kernel's number, which counts from zero.
    weight: Option<u16>,
}

impl Hops {
    fn as_slice(&self) -> &[Hop] {
        match self {
            Self::One(hop) => std::slice::from_ref(hop),
            Self::Many(hops) => hops,
        }
    }
}

/// Reads all routes, or those that lead through one of the links.
pub(super) async fn read(
    dump: &DumpSocket,
    through: Option<&HashSet<u32>>,
    with_connected: bool,
) -> Result<Vec<ObservedRoute>, NetlinkError> {
    let wanted = move |header: &RouteHeader| {
        is_shown(header) && (with_connected || header.protocol != RouteProtocol::Kernel)
    };
    let Some(links) = through else {
        return dump
            .routes_map(RouteFilter::default(), wanted, observe)
            .await;
    };
    let mut routes = Vec::new();
    if links.len() > TARGETED_LINKS_MAX {
        let links = links.clone();
        let map = move |message| observe(message).filter(|route| leads_through(route, &links));
        routes = dump.routes_map(RouteFilter::default(), wanted, map).await?;
    } else {
        let mut asked = HashSet::new();
        // In a fixed order: the same network gives the same plan.
        for link in &BTreeSet::from_iter(links) {
            let filter = RouteFilter {
                interface: Some(**link),
                ..RouteFilter::default()
            };
            match dump.routes_map(filter, wanted, observe).await {
                // A multipath route comes once for each of its links, and one through a VRF's port with the VRF, too.
                Ok(found) => {
                    let own = HashSet::from([**link]);
                    routes.extend(found.into_iter().filter(|route| {
                        leads_through(route, &own) && !leads_through(route, &asked)
                    }));
                }
                // The link has gone since.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
            asked.insert(**link);
        }
    }
    Ok(routes)
}

fn leads_through(route: &ObservedRoute, links: &HashSet<u32>) -> bool {
    let mut hops = route.hops.as_slice().iter();
    hops.any(|hop| hop.link.is_some_and(|link| links.contains(&link)))
}

/// Numbers of all links that the routes lead through.
pub(super) fn interfaces(routes: &[ObservedRoute]) -> HashSet<u32> {
    routes
        .iter()
        .flat_map(|route| route.hops.as_slice())
        .filter_map(|hop| hop.link)
        .collect()
}

/// Names the links; each hop of a multipath route becomes a route.
pub(super) fn assemble(observed: Vec<ObservedRoute>, names: &HashMap<u32, String>) -> Vec<Route> {
    let mut routes = Vec::with_capacity(observed.len());
    for ObservedRoute { route, hops } in observed {
        let with_hop = |route: Route, hop: &Hop| Route {
            next_hop_interface: hop.link.and_then(|link| names.get(&link).cloned()),
            next_hop_address: hop.gateway,
            onlink: hop.onlink.then_some(true),
            // The kernel joins what different routers of one metric have advertised; each is a route all the same.
            weight: hop.weight.filter(|_| !route.is_advertised()),
            ..route
        };
        match &hops {
            Hops::One(hop) => routes.push(with_hop(route, hop)),
            Hops::Many(hops) => {
                routes.extend(hops.iter().map(|hop| with_hop(route.clone(), hop)));
            }
        }
    }
    routes
}

/// Whether a route with this header is shown, as far as the header tells.
fn is_shown(header: &RouteHeader) -> bool {
    let is_learned = header.flags.contains(RouteFlags::Cloned);
    !is_learned
        && u32::from(header.table) != LOCAL_TABLE
        && !matches!(
            header.kind,
            KernelType::Local | KernelType::Broadcast | KernelType::Anycast | KernelType::Multicast
        )
}

/// None for what isn't shown.
fn observe(message: RouteMessage) -> Option<ObservedRoute> {
    let header = message.header;
    let route_type = match header.kind {
        KernelType::Unicast => None,
        KernelType::BlackHole => Some(RouteType::Blackhole),
        KernelType::Unreachable => Some(RouteType::Unreachable),
        KernelType::Prohibit => Some(RouteType::Prohibit),
        KernelType::Throw => Some(RouteType::Throw),
        _ => return None,
    };
    let any: IpAddr = match header.address_family {
        AddressFamily::Inet => Ipv4Addr::UNSPECIFIED.into(),
        AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let mut destination = any;
    let mut table = u32::from(header.table);
    let mut hop = Hop {
        onlink: header.flags.contains(RouteFlags::Onlink),
        ..Hop::default()
    };
    let mut hops = None;
    let mut route = Route {
        metric: Some(0),
        protocol: Some(header.protocol.into()),
        route_type,
        ..Route::default()
    };
    for attribute in message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = ip_address(&address)?,
            RouteAttribute::Table(number) => table = number,
            RouteAttribute::Priority(metric) => route.metric = Some(metric),
            RouteAttribute::PrefSource(address) => route.source = ip_address(&address),
            RouteAttribute::MultiPath(list) => hops = Some(list.iter().map(Hop::of).collect()),
            RouteAttribute::Metrics(metrics) => take_metrics(&mut route, &metrics),
            RouteAttribute::CacheInfo(cache) => {
                route.expires = (cache.expires != 0).then_some(true)
            }
            other => hop.take(&other),
        }
    }
    if table == LOCAL_TABLE || destination.is_multicast() {
        return None;
    }
    route.table_id = Some(table);
    route.destination = Some(IpNetwork::containing(
        destination,
        header.destination_prefix_length,
    ));
    let hops = match (route_type, hops) {
        // IPv6 says that these lead to the loopback link.
        (Some(_), _) => Hops::One(Hop::default()),
        (None, Some(hops)) => Hops::Many(hops),
        (None, None) => Hops::One(hop),
    };
    Some(ObservedRoute { route, hops })
}

/// `RTAX_LOCK` has a bit for each metric, numbered as the metrics are: this is `RTAX_MTU`.
const LOCKED_MTU: u32 = 1 << 2;

fn take_metrics(route: &mut Route, metrics: &[RouteMetric]) {
    for metric in metrics {
        match metric {
            RouteMetric::Lock(bits) => {
                route.lock_mtu = (bits & LOCKED_MTU != 0).then_some(true);
            }
            RouteMetric::Mtu(value) => route.mtu = Some(*value),
            RouteMetric::Advmss(value) => route.advmss = Some(*value),
            RouteMetric::Cwnd(value) => route.cwnd = Some(*value),
            RouteMetric::InitCwnd(value) => route.initcwnd = Some(*value),
            RouteMetric::InitRwnd(value) => route.initrwnd = Some(*value),
            RouteMetric::QuickAck(value) => route.quickack = (*value != 0).then_some(true),
            _ => {}
        }
    }
}

impl Hop {
    fn of(next_hop: &RouteNextHop) -> Self {
        let mut hop = Self {
            link: Some(next_hop.interface_index),
            gateway: None,
            onlink: next_hop.flags.contains(RouteNextHopFlags::Onlink),
            weight: Some(u16::from(next_hop.hops) + 1),
        };
        next_hop
            .attributes
            .iter()
            .for_each(|attribute| hop.take(attribute));
        hop
    }

    fn take(&mut self, attribute: &RouteAttribute) {
        match attribute {
            RouteAttribute::Oif(index) => self.link = Some(*index),
            RouteAttribute::Gateway(address) => self.gateway = ip_address(address),
            // A gateway of the other family (RFC 5549).
            RouteAttribute::Via(RouteVia::Inet(address)) => self.gateway = Some((*address).into()),
            RouteAttribute::Via(RouteVia::Inet6(address)) => self.gateway = Some((*address).into()),
            _ => {}
        }
    }
}

fn ip_address(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
