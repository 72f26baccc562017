// SPDX-License-Identifier: Apache-2.0

//! WireGuard: everything changes in place. An order takes the whole section; the kernel plugin finds out which peers that
//! concerns.

use std::collections::{HashMap, HashSet};

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::wireguard::{AllowedIp, WireguardPeer};
use nipart_schemas::interface::{Interface, InterfaceType};

use super::Kind;

pub(super) struct Wireguard;

impl Kind for Wireguard {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Wireguard
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let Some(section) = &interface.wireguard else {
            return Ok(());
        };
        let path = format!("{path}.wireguard");
        let is_hidden = section
            .private_key
            .as_ref()
            .is_some_and(|key| key.is_hidden());
        if is_new && is_hidden {
            return Err(hidden(format!("{path}.private-key"), "a new link"));
        }
        let peers = section.peer.iter().flat_map(|peers| &peers.0);
        let mut keys = HashSet::new();
        let mut taken = HashMap::new();
        for (index, peer) in peers.enumerate() {
            let path = format!("{path}.peer[{index}]");
            if !keys.insert(peer.public_key) {
                return Err(NipartError::invalid(
                    format!("{path}.public-key"),
                    format!("peer {} is listed twice", peer.public_key),
                ));
            }
            if is_new
                && peer
                    .preshared_key
                    .as_ref()
                    .is_some_and(|key| key.is_hidden())
            {
                return Err(hidden(format!("{path}.preshared-key"), "a new peer"));
            }
            check_networks(peer, &path, &mut taken)?;
        }
        Ok(())
    }

    fn changes_whole_section(&self) -> bool {
        true
    }
}

fn hidden(path: String, what: &str) -> NipartError {
    NipartError::invalid(
        path,
        format!(
            "<hidden> stands for the key that there is, but {what} has none yet: write the key"
        ),
    )
}

/// The kernel gives a network that two peers want to the last one.
fn check_networks<'a>(
    peer: &'a WireguardPeer,
    path: &str,
    taken: &mut HashMap<AllowedIp, &'a WireguardPeer>,
) -> Result<(), NipartError> {
    for (index, network) in peer.allowed_ips.iter().flatten().enumerate() {
        let path = format!("{path}.allowed-ips[{index}]");
        let largest = if network.ip.is_ipv4() { 32 } else { 128 };
        if network.prefix_length > largest {
            return Err(NipartError::invalid(
                format!("{path}.prefix-length"),
                format!(
                    "prefix length {} is too large: the largest is {largest}",
                    network.prefix_length
                ),
            ));
        }
        let network = network.masked();
        if let Some(other) = taken.insert(network, peer) {
            return Err(NipartError::invalid(
                path,
                format!(
                    "{}/{} is listed twice, first for peer {}",
                    network.ip, network.prefix_length, other.public_key
                ),
            ));
        }
    }
    Ok(())
}
