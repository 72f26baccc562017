// SPDX-License-Identifier: Apache-2.0

//! Secrets of a state: hidden from clients, put back where a client says "as it is".

use super::NetworkState;
use crate::interface::Interface;
use crate::key::{Cak, SecretKey};
use crate::operation::{Operation, Plan};
use crate::overlay::Overlay;

impl Interface {
    /// Replaces each secret by `<hidden>`.
    pub fn hide_secrets(&mut self) {
        for secret in self
            .wireguard
            .iter_mut()
            .flat_map(|section| section.secrets_mut())
        {
            *secret = SecretKey::HIDDEN;
        }
        if let Some(key) = self.macsec_key_mut().filter(|key| !key.is_none()) {
            *key = Cak::HIDDEN;
        }
    }

    fn has_hidden_secrets(&self) -> bool {
        let key = self
            .macsec
            .as_ref()
            .and_then(|section| section.mka_cak.as_ref());
        if key.is_some_and(Cak::is_hidden) {
            return true;
        }
        let Some(section) = &self.wireguard else {
            return false;
        };
        let peers = section.peer.iter().flat_map(|peers| &peers.0);
        let preshared = peers.filter_map(|peer| peer.preshared_key.as_ref());
        let mut secrets = section.private_key.iter().chain(preshared);
        secrets.any(SecretKey::is_hidden)
    }
}

impl NetworkState {
    /// Replaces each secret by `<hidden>`.
    pub fn hide_secrets(&mut self) {
        self.interfaces.iter_mut().for_each(Interface::hide_secrets);
    }

    /// Whether a secret is wanted "as it is".
    #[must_use]
    pub fn has_hidden_secrets(&self) -> bool {
        self.interfaces.iter().any(Interface::has_hidden_secrets)
    }

    /// Puts the secrets of `other` in place of those that are hidden. Nothing else is taken from it.
    pub fn reveal_secrets(&mut self, other: &Self) {
        for interface in self
            .interfaces
            .iter_mut()
            .filter(|interface| interface.has_hidden_secrets())
        {
            let known = other.interface(&interface.name);
            if let Some(key) = interface.macsec_key_mut()
                && let Some(section) = known.and_then(|known| known.macsec.as_ref())
                && let Some(known) = &section.mka_cak
            {
                key.fill_from(known);
            }
            let known = known.and_then(|known| known.wireguard.as_ref());
            let (Some(section), Some(known)) = (&mut interface.wireguard, known) else {
                continue;
            };
            if section.private_key.is_some() {
                section.private_key.fill_from(&known.private_key);
            }
            let peers = section.peer.iter_mut().flat_map(|peers| peers.0.iter_mut());
            for peer in peers.filter(|peer| peer.preshared_key.is_some()) {
                let known = known
                    .peer
                    .as_ref()
                    .and_then(|peers| peers.find(&peer.public_key));
                if let Some(known) = known {
                    peer.preshared_key.fill_from(&known.preshared_key);
                }
            }
        }
    }
}

impl Plan {
    /// Replaces each secret by `<hidden>`.
    pub fn hide_secrets(&mut self) {
        for operation in self.waves.iter_mut().flatten() {
            if let Operation::CreateLink { interface, .. }
            | Operation::ChangeSection { interface } = operation
            {
                interface.hide_secrets();
            }
        }
    }
}
