// SPDX-License-Identifier: Apache-2.0

//! A list of peers is laid over another peer by peer: the list replaces, what a peer doesn't say stays.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AllowedIp, WireguardPeer};
use crate::key::{PublicKey, SecretKey};
use crate::overlay::{Difference, Overlay, Path};

/// Peers, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct WireguardPeers(pub Vec<WireguardPeer>);

impl WireguardPeers {
    /// The peer with this key.
    pub fn find(&self, key: &PublicKey) -> Option<&WireguardPeer> {
        self.0.iter().find(|peer| peer.public_key == *key)
    }
}

impl WireguardPeer {
    fn fill_from(&mut self, below: &Self) {
        self.preshared_key.fill_from(&below.preshared_key);
        self.endpoint = self.endpoint.or(below.endpoint);
        self.persistent_keepalive = self.persistent_keepalive.or(below.persistent_keepalive);
        if self.allowed_ips.is_none() {
            self.allowed_ips.clone_from(&below.allowed_ips);
        }
    }

    /// What of the peer is otherwise; its key alone when that is the secret.
    fn differing_keys(&self, current: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        let wanted_secret = self.preshared_key.as_ref();
        if wanted_secret.is_some_and(|key| !SecretKey::agrees(key, current.preshared_key.as_ref()))
        {
            keys.push("preshared-key");
        }
        if self.endpoint.is_some() && self.endpoint != current.endpoint {
            keys.push("endpoint");
        }
        let keepalive = self.persistent_keepalive;
        if keepalive.is_some_and(|seconds| seconds != current.persistent_keepalive.unwrap_or(0)) {
            keys.push("persistent-keepalive");
        }
        let networks = |list: &Option<Vec<AllowedIp>>| -> Option<BTreeSet<AllowedIp>> {
            Some(list.as_ref()?.iter().map(|entry| entry.masked()).collect())
        };
        let wanted = networks(&self.allowed_ips);
        if wanted.is_some() && wanted != Some(networks(&current.allowed_ips).unwrap_or_default()) {
            keys.push("allowed-ips");
        }
        keys
    }

    /// For people: without the secret.
    fn shown(&self, keys: Option<&[&str]>) -> Value {
        let has = |key: &str| keys.is_none_or(|keys| keys.contains(&key));
        let mut shown = json!({"public-key": self.public_key});
        if has("preshared-key") && self.preshared_key.is_some() {
            shown["preshared-key"] = json!(crate::key::HIDDEN);
        }
        if has("endpoint") && self.endpoint.is_some() {
            shown["endpoint"] = json!(self.endpoint);
        }
        if has("persistent-keepalive") && self.persistent_keepalive.is_some() {
            shown["persistent-keepalive"] = json!(self.persistent_keepalive);
        }
        if has("allowed-ips") && self.allowed_ips.is_some() {
            shown["allowed-ips"] = json!(self.allowed_ips);
        }
        shown
    }
}

impl Overlay for WireguardPeers {
    fn fill_from(&mut self, below: &Self) {
        for peer in &mut self.0 {
            if let Some(below) = below.find(&peer.public_key) {
                peer.fill_from(below);
            }
        }
    }

    fn keep_differences(&mut self, _current: &Self) {}

    fn keep_named(&mut self, _mask: &Self) {}

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        let mut push = |current: Value, desired: Value| {
            out.push(Difference {
                path: path.to_string(),
                current,
                desired,
            });
        };
        for peer in &self.0 {
            match current.find(&peer.public_key) {
                None => push(Value::Null, peer.shown(None)),
                Some(present) => {
                    let keys = peer.differing_keys(present);
                    if !keys.is_empty() {
                        push(present.shown(Some(&keys)), peer.shown(Some(&keys)));
                    }
                }
            }
        }
        for gone in current
            .0
            .iter()
            .filter(|peer| self.find(&peer.public_key).is_none())
        {
            push(gone.shown(Some(&[])), Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(text: &str) -> WireguardPeers {
        crate::yaml::parse(text).unwrap()
    }

    const KEY: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
    const OTHER: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

    #[test]
    fn what_a_peer_does_not_say_stays() {
        let below = peers(&format!(
            "[{{public-key: {KEY}, preshared-key: {OTHER}, persistent-keepalive: 25}}]"
        ));
        let mut upper = peers(&format!(
            "[{{public-key: {KEY}, preshared-key: <hidden>, allowed-ips: [{{ip: 10.0.0.1, prefix-length: 8}}]}}]"
        ));
        upper.fill_from(&below);
        assert_eq!(upper.0[0].preshared_key, below.0[0].preshared_key);
        assert_eq!(upper.0[0].persistent_keepalive, Some(25));
    }

    #[test]
    fn differences_never_show_secrets() {
        let wanted = peers(&format!(
            "[{{public-key: {KEY}, preshared-key: {OTHER}, allowed-ips: [{{ip: 10.1.2.3, prefix-length: 8}}]}}]"
        ));
        let mut out = Vec::new();
        let current = peers(&format!(
            "[{{public-key: {KEY}, allowed-ips: [{{ip: 10.0.0.0, prefix-length: 8}}]}}, {{public-key: {OTHER}}}]"
        ));
        wanted.differences(&current, Path::root("peer"), &mut out);
        let text: Vec<String> = out.iter().map(ToString::to_string).collect();
        let [changed, removed] = text.as_slice() else {
            panic!("{text:?}");
        };
        assert!(
            changed.contains(crate::key::HIDDEN) && !changed.contains(OTHER),
            "{changed}"
        );
        // The network is the same, however its address is written.
        assert!(!changed.contains("allowed-ips"), "{changed}");
        assert!(removed.contains("removed"), "{removed}");
    }
}
