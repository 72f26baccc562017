// SPDX-License-Identifier: Apache-2.0

//! The attributes of the family `wireguard`, read and written. Nothing here implements `Debug`: it holds secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::genl::attribute::{Attribute, Attributes, read, read_u8, read_u16, read_u32};

pub(super) const WGDEVICE_A_IFNAME: u16 = 2;
const WGDEVICE_A_PRIVATE_KEY: u16 = 3;
const WGDEVICE_A_PUBLIC_KEY: u16 = 4;
const WGDEVICE_A_LISTEN_PORT: u16 = 6;
const WGDEVICE_A_FWMARK: u16 = 7;
const WGDEVICE_A_PEERS: u16 = 8;
const WGPEER_A_PUBLIC_KEY: u16 = 1;
const WGPEER_A_PRESHARED_KEY: u16 = 2;
const WGPEER_A_FLAGS: u16 = 3;
const WGPEER_A_ENDPOINT: u16 = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5;
const WGPEER_A_ALLOWEDIPS: u16 = 9;
const WGALLOWEDIP_A_FAMILY: u16 = 1;
const WGALLOWEDIP_A_IPADDR: u16 = 2;
const WGALLOWEDIP_A_CIDR_MASK: u16 = 3;
const WGPEER_F_REMOVE_ME: u32 = 1;
const WGPEER_F_REPLACE_ALLOWEDIPS: u32 = 2;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Networks of a peer in one message: some 14 kB.
const NETWORKS_MAX: usize = 512;
/// Bytes of peers in one message; the length of an attribute has 16 bits.
const PEERS_BYTES_MAX: usize = 32 * 1024;

/// A key's bytes.
pub type Key = [u8; 32];

/// A link. What is none isn't there, or isn't changed.
#[derive(Default, Clone, PartialEq)]
pub struct Device {
    /// Its secret.
    pub private_key: Option<Key>,
    /// What follows from that; never sent.
    pub public_key: Option<Key>,
    /// UDP port.
    pub listen_port: Option<u16>,
    /// Mark of packets.
    pub fwmark: Option<u32>,
    /// Its peers, or those that change.
    pub peers: Vec<Peer>,
}

/// A peer. What is none isn't there, or isn't changed.
#[derive(Default, Clone, PartialEq)]
pub struct Peer {
    /// What it is known by.
    pub public_key: Key,
    /// A secret shared with it; zeros take it away.
    pub preshared_key: Option<Key>,
    /// Where it is.
    pub endpoint: Option<SocketAddr>,
    /// Seconds, 0 for never.
    pub persistent_keepalive: Option<u16>,
    /// All that is sent to it.
    pub allowed_ips: Option<Vec<AllowedIp>>,
    /// It is to go.
    pub remove: bool,
}

/// A network and its length.
pub type AllowedIp = (IpAddr, u8);

/// Cuts the changes into messages.
pub(super) fn pieces(interface: &str, device: &Device) -> Vec<Vec<u8>> {
    let named = || {
        let mut attributes = Attributes::default();
        attributes.text(WGDEVICE_A_IFNAME, interface);
        attributes
    };
    let mut first = named();
    if let Some(key) = &device.private_key {
        first.value(WGDEVICE_A_PRIVATE_KEY, key);
    }
    if let Some(port) = device.listen_port {
        first.value(WGDEVICE_A_LISTEN_PORT, &port.to_ne_bytes());
    }
    if let Some(mark) = device.fwmark {
        first.value(WGDEVICE_A_FWMARK, &mark.to_ne_bytes());
    }
    let mut messages = Vec::new();
    let (mut message, mut peers) = (first, Attributes::default());
    for peer in device.peers.iter().flat_map(peer_pieces) {
        if peers.length() > 0 && peers.length() + peer.length() > PEERS_BYTES_MAX {
            message.nested(WGDEVICE_A_PEERS, &std::mem::take(&mut peers));
            messages.push(std::mem::replace(&mut message, named()).bytes());
        }
        peers.nested(0, &peer);
    }
    if peers.length() > 0 {
        message.nested(WGDEVICE_A_PEERS, &peers);
    }
    messages.push(message.bytes());
    messages
}

/// A peer with many networks is continued in further pieces.
fn peer_pieces(peer: &Peer) -> Vec<Attributes> {
    let mut first = Attributes::default();
    first.value(WGPEER_A_PUBLIC_KEY, &peer.public_key);
    if peer.remove {
        first.value(WGPEER_A_FLAGS, &WGPEER_F_REMOVE_ME.to_ne_bytes());
        return vec![first];
    }
    if let Some(key) = &peer.preshared_key {
        first.value(WGPEER_A_PRESHARED_KEY, key);
    }
    if let Some(endpoint) = peer.endpoint {
        first.value(WGPEER_A_ENDPOINT, &socket_address(endpoint));
    }
    if let Some(seconds) = peer.persistent_keepalive {
        first.value(
            WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
            &seconds.to_ne_bytes(),
        );
    }
    let Some(networks) = &peer.allowed_ips else {
        return vec![first];
    };
    first.value(WGPEER_A_FLAGS, &WGPEER_F_REPLACE_ALLOWEDIPS.to_ne_bytes());
    let mut pieces = Vec::new();
    let mut piece = first;
    for chunk in networks.chunks(NETWORKS_MAX) {
        piece.nested(WGPEER_A_ALLOWEDIPS, &allowed_ips(chunk));
        pieces.push(piece);
        piece = Attributes::default();
        piece.value(WGPEER_A_PUBLIC_KEY, &peer.public_key);
    }
    if pieces.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn allowed_ips(networks: &[AllowedIp]) -> Attributes {
    let mut list = Attributes::default();
    for (ip, length) in networks {
        let mut entry = Attributes::default();
        match ip {
            IpAddr::V4(ip) => {
                entry.value(WGALLOWEDIP_A_FAMILY, &AF_INET.to_ne_bytes());
                entry.value(WGALLOWEDIP_A_IPADDR, &ip.octets());
            }
            IpAddr::V6(ip) => {
                entry.value(WGALLOWEDIP_A_FAMILY, &AF_INET6.to_ne_bytes());
                entry.value(WGALLOWEDIP_A_IPADDR, &ip.octets());
            }
        }
        entry.value(WGALLOWEDIP_A_CIDR_MASK, &[*length]);
        list.nested(0, &entry);
    }
    list
}

/// `struct sockaddr_in` or `struct sockaddr_in6`.
fn socket_address(address: SocketAddr) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(28);
    match address {
        SocketAddr::V4(address) => {
            bytes.extend_from_slice(&AF_INET.to_ne_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            bytes.extend_from_slice(&address.ip().octets());
            bytes.extend_from_slice(&[0; 8]);
        }
        SocketAddr::V6(address) => {
            bytes.extend_from_slice(&AF_INET6.to_ne_bytes());
            bytes.extend_from_slice(&address.port().to_be_bytes());
            bytes.extend_from_slice(&address.flowinfo().to_be_bytes());
            bytes.extend_from_slice(&address.ip().octets());
            bytes.extend_from_slice(&address.scope_id().to_ne_bytes());
        }
    }
    bytes
}

fn read_socket_address(value: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(value.get(2..4)?.try_into().ok()?);
    match read_u16(value)? {
        AF_INET => {
            let octets: [u8; 4] = value.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv4Addr::from(octets).into(), port))
        }
        AF_INET6 => {
            let octets: [u8; 16] = value.get(8..24)?.try_into().ok()?;
            let scope = read_u32(value.get(24..)?)?;
            let address = SocketAddrV6::new(Ipv6Addr::from(octets), port, 0, scope);
            Some(SocketAddr::V6(address))
        }
        _ => None,
    }
}

/// Puts the messages of a dump together: a peer with many networks is continued in the next message.
pub(super) fn read_devices(answers: &[Vec<u8>]) -> Device {
    let mut device = Device::default();
    for attribute in answers.iter().flat_map(|answer| read(answer)) {
        match attribute.kind {
            WGDEVICE_A_PRIVATE_KEY => device.private_key = read_key(attribute),
            WGDEVICE_A_PUBLIC_KEY => device.public_key = read_key(attribute),
            WGDEVICE_A_LISTEN_PORT => device.listen_port = read_u16(attribute.value),
            WGDEVICE_A_FWMARK => device.fwmark = read_u32(attribute.value),
            WGDEVICE_A_PEERS => {
                for peer in read(attribute.value).into_iter().filter_map(read_peer) {
                    match device.peers.last_mut() {
                        Some(last) if last.public_key == peer.public_key => {
                            let more = peer.allowed_ips.unwrap_or_default();
                            last.allowed_ips.get_or_insert_default().extend(more);
                        }
                        _ => device.peers.push(peer),
                    }
                }
            }
            _ => {}
        }
    }
    device
}

fn read_key(attribute: Attribute<'_>) -> Option<Key> {
    attribute.value.try_into().ok()
}

fn read_peer(entry: Attribute<'_>) -> Option<Peer> {
    let mut peer = Peer {
        allowed_ips: Some(Vec::new()),
        ..Peer::default()
    };
    let mut has_key = false;
    for attribute in read(entry.value) {
        match attribute.kind {
            WGPEER_A_PUBLIC_KEY => {
                peer.public_key = read_key(attribute)?;
                has_key = true;
            }
            WGPEER_A_PRESHARED_KEY => {
                peer.preshared_key = read_key(attribute).filter(|key| *key != [0; 32]);
            }
            WGPEER_A_ENDPOINT => peer.endpoint = read_socket_address(attribute.value),
            WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL => {
                peer.persistent_keepalive = read_u16(attribute.value);
            }
            WGPEER_A_ALLOWEDIPS => {
                let networks = read(attribute.value)
                    .into_iter()
                    .filter_map(read_allowed_ip);
                peer.allowed_ips = Some(networks.collect());
            }
            _ => {}
        }
    }
    has_key.then_some(peer)
}

fn read_allowed_ip(entry: Attribute<'_>) -> Option<AllowedIp> {
    let attributes = read(entry.value);
    let value = |kind: u16| {
        let mut attributes = attributes.iter();
        attributes
            .find(|attribute| attribute.kind == kind)
            .map(|attribute| attribute.value)
    };
    let address = value(WGALLOWEDIP_A_IPADDR)?;
    let ip = match read_u16(value(WGALLOWEDIP_A_FAMILY)?)? {
        AF_INET => IpAddr::from(<[u8; 4]>::try_from(address).ok()?),
        AF_INET6 => IpAddr::from(<[u8; 16]>::try_from(address).ok()?),
        _ => return None,
    };
    Some((ip, read_u8(value(WGALLOWEDIP_A_CIDR_MASK)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(first: u8, networks: u16) -> Peer {
        let mut public_key = [0; 32];
        public_key[0] = first;
        let networks = (0..networks).map(|number| {
            let [high, low] = number.to_be_bytes();
            (IpAddr::from([10, high, low, 0]), 24)
        });
        Peer {
            public_key,
            preshared_key: Some([7; 32]),
            endpoint: Some("[fe80::1%3]:51820".parse().unwrap()),
            persistent_keepalive: Some(25),
            allowed_ips: Some(networks.collect()),
            remove: false,
        }
    }

    /// What is written is read again as it was, however many messages it takes.
    #[test]
    fn there_and_back() {
        let device = Device {
            private_key: Some([9; 32]),
            public_key: None,
            listen_port: Some(51820),
            fwmark: Some(7),
            peers: vec![peer(1, 2), peer(2, 5000), peer(3, 0)],
        };
        let messages = pieces("wg0", &device);
        assert!(messages.len() > 1 && messages.iter().all(|message| message.len() < 65_000));
        assert!(read_devices(&messages) == device);
    }
}
