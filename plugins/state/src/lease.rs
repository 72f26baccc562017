// SPDX-License-Identifier: Apache-2.0

//! What a lease means for an interface: of a DHCP server, or of routers.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{
    DEFAULT_METRIC_OF_LEASES, Ipv4, Ipv6, PROTOCOL_DHCP, PROTOCOL_ROUTER_ADVERTISEMENT,
};
use nipart_schemas::lease::{AdvertisedLease, ClientId, Dhcpv4Lease, Duid};
use nipart_schemas::route::{DEFAULT_METRIC_IPV6, IpNetwork, Route};

/// Routes that the lease brings, as far as `auto-gateway` and `auto-routes` let it. Classless routes take the place
/// of the router option (RFC 3442); an unreachable router is first made reachable on the link.
pub fn routes_of_lease(lease: &Dhcpv4Lease, ipv4: &Ipv4) -> Vec<Route> {
    let with_gateway = ipv4.auto_gateway != Some(false);
    let with_routes = ipv4.auto_routes != Some(false);
    let subnet = IpNetwork::containing(lease.address.into(), lease.prefix_length);
    let mut routes = Vec::new();
    let mut add = |destination: IpNetwork, gateway: Option<IpAddr>| {
        let route = Route {
            destination: Some(destination),
            next_hop_interface: Some(lease.interface.clone()),
            next_hop_address: gateway,
            metric: Some(ipv4.auto_route_metric.unwrap_or(DEFAULT_METRIC_OF_LEASES)),
            table_id: ipv4.auto_route_table_id,
            protocol: Some(PROTOCOL_DHCP),
            ..Route::default()
        };
        if !routes.contains(&route) {
            routes.push(route);
        }
    };
    for classless in &lease.classless_routes {
        let destination =
            IpNetwork::containing(classless.destination.into(), classless.prefix_length);
        let allowed = if destination.is_default() {
            with_gateway
        } else {
            with_routes
        };
        if !allowed {
            continue;
        }
        if classless.gateway.is_unspecified() {
            add(destination, None);
        } else {
            let gateway = IpAddr::from(classless.gateway);
            if !subnet.contains(gateway) {
                add(IpNetwork::containing(gateway, 32), None);
            }
            add(destination, Some(gateway));
        }
    }
    if let Some(router) = lease
        .routers
        .first()
        .filter(|_| with_gateway && lease.classless_routes.is_empty())
    {
        let router = IpAddr::from(*router);
        if !subnet.contains(router) {
            add(IpNetwork::containing(router, 32), None);
        }
        add(
            IpNetwork::containing(IpAddr::from([0, 0, 0, 0]), 0),
            Some(router),
        );
    }
    routes
}

/// Routes of router advertisements that are ours to add, as far as `auto-gateway` and `auto-routes` let them. The default
/// route is the kernel's unless another one is asked for than it would make.
pub(crate) fn routes_of_advertisements(lease: &AdvertisedLease, ipv6: &Ipv6) -> Vec<Route> {
    let route = |destination: IpNetwork, gateway: Ipv6Addr| Route {
        destination: Some(destination),
        next_hop_interface: Some(lease.interface.clone()),
        next_hop_address: Some(gateway.into()),
        metric: Some(ipv6.auto_route_metric.unwrap_or(DEFAULT_METRIC_IPV6)),
        table_id: ipv6.auto_route_table_id,
        protocol: Some(PROTOCOL_ROUTER_ADVERTISEMENT),
        ..Route::default()
    };
    let is_ours = ipv6.takes_default_route() && ipv6.auto_gateway != Some(false);
    let default_router = lease.default_router.filter(|_| is_ours);
    let anywhere = IpNetwork::containing(Ipv6Addr::UNSPECIFIED.into(), 0);
    let mut routes: Vec<Route> = default_router
        .map(|router| route(anywhere, router))
        .into_iter()
        .collect();
    if ipv6.auto_routes != Some(false) {
        routes.extend(lease.routes.iter().map(|advertised| {
            let destination = advertised.destination.into();
            let network = IpNetwork::containing(destination, advertised.prefix_length);
            route(network, advertised.gateway)
        }));
    }
    routes
}

/// `IPV6_MIN_MTU`: below it the kernel takes IPv6 off the link.
pub(crate) const SMALLEST_IPV6_MTU: u32 = 1280;

/// The lease's MTU, unless the driver would refuse it or IPv6 would be lost by it: a server can't know either.
pub(crate) fn usable_mtu(
    lease: &Dhcpv4Lease,
    wanted: &Interface,
    present: Option<&Interface>,
) -> Option<u32> {
    let mtu = lease.mtu.map(u32::from)?;
    let limit = |get: fn(&Interface) -> Option<u32>| present.and_then(get);
    let smallest = limit(|present| present.min_mtu).unwrap_or(0);
    // The kernel says 0 where the driver has no upper limit.
    let largest = limit(|present| present.max_mtu)
        .filter(|mtu| *mtu > 0)
        .unwrap_or(u32::MAX);
    let switch = |interface: &Interface| interface.ipv6.as_ref().and_then(|ipv6| ipv6.enabled);
    let has_ipv6 = switch(wanted).or(present.and_then(switch)) != Some(false);
    (mtu >= smallest && mtu <= largest && !(has_ipv6 && mtu < SMALLEST_IPV6_MTU)).then_some(mtu)
}

/// Words with a meaning of their own for NetworkManager, which nobody means as text.
const OTHER_WORDS: [&str; 6] = ["mac", "perm-mac", "duid", "ipv6-duid", "stable", "none"];

/// What `dhcp-client-id` means: text that isn't bytes is sent as it is, with type 0 (RFC 2132 §9.14).
///
/// # Errors
/// Why it can't be one.
pub fn client_id(text: &str) -> Result<ClientId, String> {
    match text {
        "ll" => return Ok(ClientId::LinkLayer),
        "iaid+duid" => return Ok(ClientId::IaidAndDuid),
        word if OTHER_WORDS.contains(&word) => {
            return Err(format!(
                "client identifier {word} is not supported: write ll, iaid+duid, bytes such as 01:52:54:00:aa:bb:cc, or other text"
            ));
        }
        _ => {}
    }
    let bytes = bytes(text).unwrap_or_else(|| [&[0], text.as_bytes()].concat());
    if (2..=255).contains(&bytes.len()) {
        Ok(ClientId::Bytes(bytes))
    } else {
        Err(format!(
            "client identifier {text:?} is too short or too long: it has 1 to 254 characters"
        ))
    }
}

/// Hexadecimal bytes with colons between.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let byte = |part: &str| {
        let is_byte = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(part, 16).ok().filter(|_| is_byte)
    };
    let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
    bytes.filter(|_| text.contains(':'))
}

/// Bytes of a DUID: two of its type, and up to 128 (RFC 8415 §11.1).
const DUID_LENGTHS: RangeInclusive<usize> = 3..=130;

/// What `dhcp-duid` means.
///
/// # Errors
/// Why it can't be one.
pub fn duid(text: &str) -> Result<Duid, String> {
    match text {
        "uuid" => Ok(Duid::Uuid),
        "ll" => Ok(Duid::LinkLayer),
        "llt" => Ok(Duid::LinkLayerTime),
        "en" => Err(
            "a DUID of type en needs the number of an enterprise, and Nipart has none: write its bytes, as 00:02:00:00:ab:11:…"
                .to_string(),
        ),
        _ => match bytes(text) {
            Some(bytes) if DUID_LENGTHS.contains(&bytes.len()) => Ok(Duid::Bytes(bytes)),
            Some(bytes) => Err(format!(
                "a DUID has {} to {} bytes, not {}",
                DUID_LENGTHS.start(),
                DUID_LENGTHS.end(),
                bytes.len()
            )),
            None => Err(format!(
                "{text:?} is no DUID: write uuid, ll, llt, or bytes such as 00:03:00:01:52:54:00:aa:bb:cc"
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_and_duids() {
        for (text, expected) in [
            ("ll", ClientId::LinkLayer),
            ("iaid+duid", ClientId::IaidAndDuid),
            ("01:0a:FF", ClientId::Bytes(vec![1, 10, 255])),
            ("1", ClientId::Bytes(vec![0, b'1'])),
            ("01:0g", ClientId::Bytes(b"\x0001:0g".to_vec())),
            ("01:+1", ClientId::Bytes(b"\x0001:+1".to_vec())),
            (
                &"x".repeat(254),
                ClientId::Bytes([&[0], "x".repeat(254).as_bytes()].concat()),
            ),
        ] {
            assert_eq!(client_id(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("uuid", Duid::Uuid),
            ("ll", Duid::LinkLayer),
            ("llt", Duid::LinkLayerTime),
            ("00:02:fF", Duid::Bytes(vec![0, 2, 255])),
        ] {
            assert_eq!(duid(text), Ok(expected), "{text}");
        }
        for wrong in ["", "en", "00:03", "LL", "0:3:0:1", &["00"; 131].join(":")] {
            assert!(duid(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "stable", "mac", &"x".repeat(255)] {
            assert!(client_id(wrong).is_err(), "{wrong}");
        }
    }
}
