// SPDX-License-Identifier: Apache-2.0

//! WireGuard (an extension: nmstate hasn't got it).

mod peers;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::peers::WireguardPeers;
use crate::key::{PublicKey, SecretKey};
use crate::lenient;
use crate::overlay::overlay;

/// Section `wireguard`. Attributes `WGDEVICE_A_*` of `linux/wireguard.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wireguard {
    /// Shown as `<hidden>`, which also stands for the one that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretKey>,
    /// Shown only: what others need to know. Follows from the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// UDP port. 0 and default: the kernel chooses one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub listen_port: Option<u16>,
    /// Mark of the packets that carry the tunnel. 0 and default: none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub fwmark: Option<u32>,
    /// All peers: those that aren't listed are removed.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "peers")]
    pub peer: Option<WireguardPeers>,
}

overlay!(Wireguard {
    private_key,
    listen_port,
    fwmark,
    peer
} read_only { public_key });

impl Wireguard {
    /// All secrets.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut SecretKey> {
        let peers = self.peer.iter_mut().flat_map(|peers| peers.0.iter_mut());
        let preshared = peers.filter_map(|peer| peer.preshared_key.as_mut());
        self.private_key.iter_mut().chain(preshared)
    }

    /// Writes out that secrets which aren't there are not to be there: a key that isn't written says nothing.
    pub fn spell_out_missing_secrets(&mut self) {
        self.private_key.get_or_insert(SecretKey::NONE);
        for peer in self.peer.iter_mut().flat_map(|peers| peers.0.iter_mut()) {
            peer.preshared_key.get_or_insert(SecretKey::NONE);
        }
    }
}

/// A peer, known by its public key. `WGPEER_A_*` of `linux/wireguard.h`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WireguardPeer {
    /// Its public key.
    pub public_key: PublicKey,
    /// A secret that both have beside their keys. All zeros (43 `A` and `=`) remove it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preshared_key: Option<SecretKey>,
    /// Where it is reached: `ADDRESS:PORT`, `[IPV6]:PORT`. The kernel follows a peer that moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Seconds after which something is sent. 0 and default: off.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub persistent_keepalive: Option<u16>,
    /// What is sent to it and taken from it: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_ips: Option<Vec<AllowedIp>>,
}

/// A network behind a peer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AllowedIp {
    /// An address of it.
    pub ip: IpAddr,
    /// Its length in bits.
    #[serde(deserialize_with = "lenient::prefix_length")]
    pub prefix_length: u8,
}

impl AllowedIp {
    /// The same with the network's own address, as the kernel keeps it.
    #[must_use]
    pub fn masked(self) -> Self {
        let length = u32::from(self.prefix_length);
        let ip = match self.ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX
                    .checked_shl(32u32.saturating_sub(length))
                    .unwrap_or(0);
                IpAddr::V4((ip.to_bits() & mask).into())
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX
                    .checked_shl(128u32.saturating_sub(length))
                    .unwrap_or(0);
                IpAddr::V6((ip.to_bits() & mask).into())
            }
        };
        Self { ip, ..self }
    }
}

/// Address and port; no names, which may mean something else tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Endpoint(pub std::net::SocketAddr);

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<std::net::SocketAddr>() {
            Ok(address) if address.port() != 0 => Ok(Self(address)),
            _ => Err(format!(
                "{text:?} is not an endpoint: expected ADDRESS:PORT such as 192.0.2.1:51820 or [2001:db8::1]:51820"
            )),
        }
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0.to_string()
    }
}
