// SPDX-License-Identifier: Apache-2.0

//! Look-ups that every step of a decision needs.

use std::collections::{HashMap, HashSet};

use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::lease::Lease;
use nipart_schemas::network_state::NetworkState;

/// A decision's input, indexed by interface name.
pub(crate) struct Context<'a> {
    pub(crate) desired: &'a NetworkState,
    pub(crate) observed: &'a NetworkState,
    pub(crate) saved: &'a NetworkState,
    pub(crate) wanted: HashMap<&'a str, &'a Interface>,
    pub(crate) present: HashMap<&'a str, &'a Interface>,
    pub(crate) remembered: HashMap<&'a str, &'a Interface>,
    pub(crate) leases: HashMap<&'a str, &'a Lease>,
    /// Interfaces that come into being as the second end of a wanted veth pair.
    pub(crate) peers: HashMap<&'a str, &'a str>,
    pub(crate) missing: MissingInterfaces,
    pub(crate) without_lease: HashSet<&'a str>,
    pub(crate) explain: bool,
}

impl<'a> Context<'a> {
    pub(crate) fn new(request: &'a DecisionRequest) -> Self {
        let wanted = request.desired.by_name();
        let peers = request
            .desired
            .interfaces
            .iter()
            .filter(|interface| interface.wanted_state() == InterfaceState::Up)
            .filter_map(|interface| Some((interface.veth_peer()?, interface.name.as_str())))
            .collect();
        Self {
            desired: &request.desired,
            observed: &request.observed,
            saved: &request.saved,
            wanted,
            present: request.observed.by_name(),
            remembered: request.saved.by_name(),
            leases: request
                .leases
                .iter()
                .map(|lease| (lease.interface.as_str(), lease))
                .collect(),
            peers,
            missing: request.missing,
            without_lease: request.without_lease.iter().map(String::as_str).collect(),
            explain: request.explain,
        }
    }

    /// The type that an interface has or is to get.
    pub(crate) fn type_of(&self, name: &str) -> Option<&'a InterfaceType> {
        let present = self
            .present
            .get(name)
            .and_then(|interface| interface.interface_type.as_ref());
        let wanted = self
            .wanted
            .get(name)
            .and_then(|interface| interface.interface_type.as_ref());
        present.or(wanted)
    }

    /// Whether the interface is there when the plan has been executed.
    pub(crate) fn will_exist(&self, name: &str) -> bool {
        match self.wanted.get(name) {
            Some(interface) => match interface.wanted_state() {
                InterfaceState::Absent | InterfaceState::Down => {
                    self.present.contains_key(name) && !self.is_removed(interface)
                }
                InterfaceState::Ignore => self.present.contains_key(name),
                InterfaceState::Up => {
                    self.present.contains_key(name)
                        || self.peers.contains_key(name)
                        || interface
                            .interface_type
                            .as_ref()
                            .is_some_and(InterfaceType::is_virtual)
                }
            },
            None => self.present.contains_key(name) || self.peers.contains_key(name),
        }
    }

    /// Whether `down` or `absent` deletes the link itself: virtual ones, but of a veth whose other end lives in
    /// another network namespace only one that Nipart made.
    pub(crate) fn is_removed(&self, interface: &Interface) -> bool {
        let name = interface.name.as_str();
        let is_virtual = self.type_of(name).is_some_and(InterfaceType::is_virtual);
        let Some(present) = self.present.get(name) else {
            return false;
        };
        if self.type_of(name) == Some(&InterfaceType::Veth) && present.veth_peer().is_none() {
            return self
                .remembered
                .get(name)
                .is_some_and(|remembered| remembered.veth_peer().is_some());
        }
        is_virtual
    }
}
