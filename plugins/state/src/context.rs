// SPDX-License-Identifier: Apache-2.0

//! Look-ups that every step of a decision needs.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::lease::Lease;
use nipart_schemas::network_state::NetworkState;

/// More links than this are never stacked: the kernel itself allows eight (`MAX_NEST_DEV`).
pub(crate) const MAX_STACK: usize = 16;

/// A decision's input, indexed by interface name.
pub(crate) struct Context<'a> {
    pub(crate) desired: &'a NetworkState,
    pub(crate) observed: &'a NetworkState,
    pub(crate) saved: &'a NetworkState,
    pub(crate) wanted: HashMap<&'a str, &'a Interface>,
    pub(crate) present: HashMap<&'a str, &'a Interface>,
    pub(crate) remembered: HashMap<&'a str, &'a Interface>,
    pub(crate) leases: HashMap<&'a str, &'a Lease>,
    /// Interfaces that come into being as the second end of a wanted veth pair, with the first.
    pub(crate) peers: HashMap<&'a str, &'a str>,
    /// Present links that the wanted state takes away, with those that the kernel takes away with them.
    pub(crate) doomed: HashSet<&'a str>,
    pub(crate) missing: MissingInterfaces,
    pub(crate) without_lease: HashSet<&'a str>,
    pub(crate) explain: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(request: &'a DecisionRequest) -> Self {
        let wanted = request.desired.by_name();
        let present = request.observed.by_name();
        let peers = request
            .desired
            .interfaces
            .iter()
            .filter(|interface| interface.wanted_state() == InterfaceState::Up)
            .filter_map(|interface| Some((interface.veth_peer()?, interface.name.as_str())))
            .filter(|(peer, name)| match present.get(name) {
                None => true,
                // A peer that isn't shown lives in another network namespace, and stays there.
                Some(present) => present.veth_peer().is_some_and(|other| other != *peer),
            })
            .collect();
        let mut context = Self {
            desired: &request.desired,
            observed: &request.observed,
            saved: &request.saved,
            wanted,
            present,
            remembered: request.saved.by_name(),
            leases: request
                .leases
                .iter()
                .map(|lease| (lease.interface.as_str(), lease))
                .collect(),
            peers,
            doomed: HashSet::new(),
            missing: request.missing,
            without_lease: request.without_lease.iter().map(String::as_str).collect(),
            explain: request.explain,
        };
        context.doomed = context.find_doomed();
        context
    }

    /// The interface, when it is wanted up.
    pub(crate) fn wanted_up(&self, name: &str) -> Option<&'a Interface> {
        let wanted = self.wanted.get(name).copied();
        wanted.filter(|interface| interface.wanted_state() == InterfaceState::Up)
    }

    /// The type that an interface has or is to get.
    pub(crate) fn type_of(&self, name: &str) -> Option<&'a InterfaceType> {
        let of = |interface: &&'a Interface| interface.interface_type.as_ref();
        let present = self.present.get(name).and_then(of);
        if present.is_none() && self.peers.contains_key(name) {
            return Some(&InterfaceType::Veth);
        }
        present.or_else(|| self.wanted.get(name).and_then(of))
    }

    /// Whether the interface is there when the plan has been executed.
    pub(crate) fn will_exist(&self, name: &str) -> bool {
        self.exists_after(name, MAX_STACK)
    }

    fn exists_after(&self, name: &str, left: usize) -> bool {
        if self.present.contains_key(name) {
            return !self.doomed.contains(name);
        }
        if self.peers.contains_key(name) {
            return true;
        }
        self.wanted_up(name).is_some_and(|interface| {
            interface
                .interface_type
                .as_ref()
                .is_some_and(InterfaceType::is_virtual)
                && interface
                    .base_interface()
                    .is_none_or(|base| left > 0 && self.exists_after(base, left - 1))
        })
    }

    /// Whether it is wanted down, is virtual and is down already: then it stays. So what is shown of a link that
    /// somebody else keeps down can be applied without deleting it.
    pub(crate) fn is_left_down(&self, interface: &Interface) -> bool {
        let name = interface.name.as_str();
        interface.wanted_state() == InterfaceState::Down
            && self.type_of(name).is_some_and(InterfaceType::is_virtual)
            && self
                .present
                .get(name)
                .is_some_and(|present| present.wanted_state() == InterfaceState::Down)
    }

    /// Whether `down` or `absent` deletes the link itself: virtual ones, but of a veth whose other end lives in
    /// another network namespace only one that Nipart made.
    pub(crate) fn is_removed(&self, interface: &Interface) -> bool {
        let name = interface.name.as_str();
        let is_virtual = self.type_of(name).is_some_and(InterfaceType::is_virtual);
        let Some(present) = self.present.get(name) else {
            return false;
        };
        if self.is_left_down(interface) {
            return false;
        }
        if self.type_of(name) == Some(&InterfaceType::Veth) && present.veth_peer().is_none() {
            return self
                .remembered
                .get(name)
                .is_some_and(|remembered| remembered.veth_peer().is_some());
        }
        is_virtual
    }

    fn find_doomed(&self) -> HashSet<&'a str> {
        let mut doomed: HashSet<&str> = HashSet::new();
        for interface in &self.desired.interfaces {
            match interface.wanted_state() {
                InterfaceState::Absent | InterfaceState::Down if self.is_removed(interface) => {
                    doomed.insert(&interface.name);
                }
                InterfaceState::Up => doomed.extend(self.abandoned_peer(interface)),
                _ => {}
            }
        }
        loop {
            let more: Vec<&str> = self
                .present
                .values()
                .filter(|present| !doomed.is_empty() && !doomed.contains(present.name.as_str()))
                .filter(|present| self.leans_on(present).any(|needed| doomed.contains(needed)))
                .map(|present| present.name.as_str())
                .collect();
            if more.is_empty() {
                return doomed;
            }
            doomed.extend(more);
        }
    }

    /// The other end of a pair that is created anew with another peer, unless it gets another peer itself.
    fn abandoned_peer(&self, interface: &Interface) -> Option<&'a str> {
        let old = self.present.get(interface.name.as_str())?.veth_peer()?;
        let new = interface.veth_peer()?;
        let finds_another = self
            .wanted_up(old)
            .and_then(Interface::veth_peer)
            .is_some_and(|peer| peer != interface.name);
        (old != new && !finds_another).then_some(old)
    }

    /// The links without which a present link can't live on: what it is stacked upon, and its veth peer.
    fn leans_on(&self, present: &'a Interface) -> impl Iterator<Item = &'a str> {
        let wanted = self.wanted_up(&present.name);
        let base = wanted
            .and_then(Interface::base_interface)
            .or_else(|| present.base_interface());
        let peer = wanted
            .and_then(Interface::veth_peer)
            .or_else(|| present.veth_peer());
        base.into_iter().chain(peer)
    }
}
