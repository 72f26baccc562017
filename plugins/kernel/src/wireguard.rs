// SPDX-License-Identifier: Apache-2.0

//! Keys and peers of WireGuard links. Secrets never get into messages, whatever goes wrong.

use std::collections::HashSet;

use nipart_netlink::genl::wireguard::{Device, Peer};
use nipart_netlink::{GenericSocket, NetlinkError};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::wireguard::{AllowedIp, Endpoint, WireguardPeer, WireguardPeers};
use nipart_schemas::interface::{Interface, InterfaceType, Wireguard};
use nipart_schemas::key::{PublicKey, SecretKey};

use crate::error::from_netlink;

/// Completes those of the interfaces that are WireGuard links. One that has gone meanwhile stays incomplete.
pub(crate) async fn observe(
    generic: &GenericSocket,
    interfaces: &mut [Interface],
) -> Result<(), NetlinkError> {
    let is_ours =
        |interface: &&mut Interface| interface.interface_type == Some(InterfaceType::Wireguard);
    for interface in interfaces.iter_mut().filter(is_ours) {
        match generic.wireguard(&interface.name).await {
            Ok(device) => interface.wireguard = Some(Box::new(shown(device))),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Changes what the section says and isn't so yet: a peer that stays keeps its session.
pub(crate) async fn configure(
    generic: &GenericSocket,
    interface: &str,
    section: &Wireguard,
) -> Result<(), NipartError> {
    let present = generic
        .wireguard(interface)
        .await
        .map_err(|error| from_netlink(&error))?;
    let changes = changes(section, &present);
    generic
        .set_wireguard(interface, &changes)
        .await
        .map_err(|error| from_netlink(&error))
}

fn changes(wanted: &Wireguard, present: &Device) -> Device {
    let private_key = wanted
        .private_key
        .as_ref()
        .and_then(SecretKey::bytes)
        .copied();
    let mut changes = Device {
        private_key: private_key.filter(|key| *key != present.private_key.unwrap_or_default()),
        public_key: None,
        listen_port: wanted
            .listen_port
            .filter(|port| Some(*port) != present.listen_port),
        fwmark: wanted
            .fwmark
            .filter(|mark| *mark != present.fwmark.unwrap_or_default()),
        peers: Vec::new(),
    };
    let Some(WireguardPeers(wanted)) = &wanted.peer else {
        return changes;
    };
    let named: HashSet<_> = wanted.iter().map(|peer| *peer.public_key.bytes()).collect();
    let gone = present
        .peers
        .iter()
        .filter(|peer| !named.contains(&peer.public_key));
    changes.peers.extend(gone.map(|peer| Peer {
        public_key: peer.public_key,
        remove: true,
        ..Peer::default()
    }));
    let is_new = |peer: &Peer| {
        !present
            .peers
            .iter()
            .any(|known| known.public_key == peer.public_key)
    };
    let orders = wanted.iter().map(|peer| order(peer, present));
    changes
        .peers
        .extend(orders.filter(|peer| is_new(peer) || *peer != untouched(peer)));
    changes
}

fn untouched(peer: &Peer) -> Peer {
    Peer {
        public_key: peer.public_key,
        ..Peer::default()
    }
}

/// What of the peer is to be changed.
fn order(wanted: &WireguardPeer, present: &Device) -> Peer {
    let public_key = *wanted.public_key.bytes();
    let known = present
        .peers
        .iter()
        .find(|peer| peer.public_key == public_key);
    let preshared_key = wanted
        .preshared_key
        .as_ref()
        .and_then(SecretKey::bytes)
        .copied();
    let allowed_ips = wanted.allowed_ips.as_ref().map(|list| {
        let networks: Vec<_> = list
            .iter()
            .map(|entry| entry.masked())
            .map(|entry| (entry.ip, entry.prefix_length))
            .collect();
        networks
    });
    let are_there = |networks: &Vec<_>| {
        let there = known.and_then(|peer| peer.allowed_ips.as_ref());
        let there: HashSet<_> = there.into_iter().flatten().collect();
        networks.iter().collect::<HashSet<_>>() == there
    };
    Peer {
        public_key,
        preshared_key: preshared_key.filter(|key| {
            *key != known
                .and_then(|peer| peer.preshared_key)
                .unwrap_or_default()
        }),
        endpoint: wanted
            .endpoint
            .map(|endpoint| endpoint.0)
            .filter(|endpoint| known.and_then(|peer| peer.endpoint) != Some(*endpoint)),
        persistent_keepalive: wanted.persistent_keepalive.filter(|seconds| {
            known
                .and_then(|peer| peer.persistent_keepalive)
                .unwrap_or(0)
                != *seconds
        }),
        allowed_ips: allowed_ips.filter(|networks| !are_there(networks)),
        remove: false,
    }
}

fn shown(device: Device) -> Wireguard {
    let mut peers: Vec<WireguardPeer> = device.peers.into_iter().map(shown_peer).collect();
    peers.sort_unstable_by_key(|peer| peer.public_key);
    Wireguard {
        private_key: device.private_key.map(SecretKey::new),
        public_key: device
            .public_key
            .filter(|key| *key != [0; 32])
            .map(PublicKey::new),
        listen_port: device.listen_port,
        fwmark: device.fwmark,
        peer: Some(WireguardPeers(peers)),
    }
}

fn shown_peer(peer: Peer) -> WireguardPeer {
    let networks = peer.allowed_ips.unwrap_or_default().into_iter();
    let mut networks: Vec<AllowedIp> = networks
        .map(|(ip, prefix_length)| AllowedIp { ip, prefix_length })
        .collect();
    networks.sort_unstable();
    WireguardPeer {
        public_key: PublicKey::new(peer.public_key),
        preshared_key: peer.preshared_key.map(SecretKey::new),
        endpoint: peer.endpoint.map(Endpoint),
        persistent_keepalive: peer.persistent_keepalive,
        allowed_ips: Some(networks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Wireguard {
        nipart_schemas::yaml::parse(text).unwrap()
    }

    const KEY: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
    const OTHER: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

    #[test]
    fn only_what_differs_is_changed() {
        let wanted = section(&format!(
            "{{private-key: {KEY}, listen-port: 7, peer: [{{public-key: {KEY}, allowed-ips: [{{ip: 10.0.0.1, prefix-length: 8}}]}}]}}"
        ));
        let first = changes(&wanted, &Device::default());
        assert!(
            first.private_key.is_some() && first.listen_port == Some(7) && first.peers.len() == 1
        );
        // What is shown of it is wanted anyway; the peer that isn't listed goes.
        let mut present = first.clone();
        present.peers.push(order(
            &section(&format!("{{peer: [{{public-key: {OTHER}}}]}}"))
                .peer
                .unwrap()
                .0[0],
            &Device::default(),
        ));
        let again = changes(&wanted, &present);
        assert!(again.private_key.is_none() && again.listen_port.is_none());
        assert!(matches!(
            again.peers.as_slice(),
            [Peer { remove: true, .. }]
        ));
        let shown = shown(first.clone());
        assert!(changes(&shown, &first) == Device::default());
    }
}
