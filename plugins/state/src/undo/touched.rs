// SPDX-License-Identifier: Apache-2.0

//! What a plan may have changed, directly or through the kernel.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use nipart_schemas::dns::DnsSourceKey;
use nipart_schemas::interface::Interface;
use nipart_schemas::interface::ethtool::EthtoolFeatures;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::overlay::Overlay;
use nipart_schemas::route::{Route, RouteKey, RouteSlot};

use crate::context::Context;

/// The objects of a plan.
pub(super) struct Touched {
    /// Every interface, also those of which only addresses or routes were to change.
    pub(super) interfaces: BTreeSet<String>,
    /// Those whose links were to change.
    pub(super) links: BTreeSet<String>,
    /// Those that were to get ports.
    pub(super) controllers: BTreeSet<String>,
    /// Those whose own address was to change.
    pub(super) addressed: HashSet<String>,
    /// Those that the plan creates.
    pub(super) created: HashSet<String>,
    /// Addresses that the plan adds or replaces, with their interfaces.
    pub(super) added_addresses: HashSet<(String, (IpAddr, u8))>,
    /// Interfaces whose MPTCP endpoints were to change.
    pub(super) endpoints: HashSet<String>,
    /// Those whose way of making IPv6 addresses was to change: the kernel makes one at once.
    pub(super) self_addressed: HashSet<String>,
    /// Routes that the plan adds.
    pub(super) added_routes: HashSet<RouteKey>,
    /// Features that it turns on or off, by interface.
    features: HashMap<String, EthtoolFeatures>,
    /// Where it adds or removes routes.
    pub(super) slots: HashSet<RouteSlot>,
    /// Sources of name resolution.
    pub(super) sources: BTreeSet<DnsSourceKey>,
    /// Whether the machine's names were to change.
    pub(super) host_name: bool,
}

impl Touched {
    pub(super) fn by(undone: &Plan, context: &Context<'_>) -> Self {
        let mut touched = Self {
            interfaces: BTreeSet::new(),
            links: BTreeSet::new(),
            controllers: BTreeSet::new(),
            addressed: HashSet::new(),
            created: HashSet::new(),
            added_addresses: HashSet::new(),
            endpoints: HashSet::new(),
            self_addressed: HashSet::new(),
            added_routes: HashSet::new(),
            features: HashMap::new(),
            slots: HashSet::new(),
            sources: BTreeSet::new(),
            host_name: false,
        };
        let mut drags_others_along = Vec::new();
        for operation in undone.operations() {
            match operation {
                Operation::ChangeDns(source) => {
                    touched.sources.insert(source.key());
                    continue;
                }
                Operation::ChangeHostName(_) => {
                    touched.host_name = true;
                    continue;
                }
                _ => {}
            }
            let name = operation.interface().map(str::to_string);
            touched.interfaces.extend(name.clone());
            let (controller, address) = match operation {
                Operation::CreateLink { interface, .. } => (&interface.controller, &None),
                Operation::ChangeLink(changes) => (&changes.controller, &changes.mac_address),
                _ => (&None, &None),
            };
            touched.controllers.extend(controller.clone());
            touched
                .addressed
                .extend(name.clone().filter(|_| address.is_some()));
            for route in operation.routes() {
                touched.interfaces.extend(route.next_hop_interface.clone());
                touched.slots.insert(route.slot());
            }
            match operation {
                Operation::AddAddress { interface, address } => {
                    let key = (interface.clone(), address.key());
                    touched.added_addresses.insert(key);
                    continue;
                }
                Operation::ChangeMptcp { interface, .. } => {
                    touched.endpoints.insert(interface.clone());
                    continue;
                }
                Operation::AddRoute(route) => {
                    touched.added_routes.insert(route.key());
                    continue;
                }
                Operation::AddMultipathRoute(hops)
                | Operation::ReplaceRoute { wanted: hops, .. } => {
                    touched.added_routes.extend(hops.iter().map(Route::key));
                    continue;
                }
                Operation::RemoveAddress { .. }
                | Operation::RemoveRoute(_)
                | Operation::RemoveMultipathRoute(_) => continue,
                Operation::CreateLink { peer, .. } => {
                    let peer = peer.as_ref().map(|peer| peer.name.clone());
                    touched.links.extend(peer.clone());
                    touched.created.extend(peer);
                    touched.created.extend(name.clone());
                }
                Operation::ChangeHardware { interface } => {
                    let features = interface.ethtool.as_ref();
                    let features = features.and_then(|ethtool| ethtool.feature.clone());
                    let known = touched.features.entry(interface.name.clone());
                    known.or_default().fill_from(&features.unwrap_or_default());
                }
                Operation::ChangeIpv6(changes) if changes.addr_gen_mode.is_some() => {
                    touched.self_addressed.extend(name.clone());
                }
                Operation::DeleteLink { interface } => drags_others_along.push(interface.as_str()),
                // A smaller MTU is handed on to the links above.
                Operation::ChangeLink(changes) if changes.mtu.is_some() => {
                    drags_others_along.push(changes.interface.as_str());
                }
                _ => {}
            }
            touched.links.extend(name);
        }
        touched
            .links
            .extend(dragged_along(context, drags_others_along));
        touched.interfaces.extend(touched.links.iter().cloned());
        touched
    }
}

impl Touched {
    /// Features that follow others come and go with these: the kernel remembers what was wanted of them.
    pub(super) fn leave_other_features(&self, before: &mut Interface) {
        if let Some(ethtool) = &mut before.ethtool {
            ethtool
                .feature
                .keep_named(&self.features.get(&before.name).cloned());
        }
    }
}

/// What hung on these links before: ports, links stacked upon them, veth peers, and what hung on those.
fn dragged_along(context: &Context<'_>, changed: Vec<&str>) -> HashSet<String> {
    if changed.is_empty() {
        return HashSet::new();
    }
    let mut hanging: HashMap<&str, Vec<&str>> = HashMap::new();
    for before in &context.desired.interfaces {
        let on = [
            before.controller.as_deref(),
            before.base_interface(),
            before.veth_peer(),
        ];
        for below in on.into_iter().flatten() {
            hanging.entry(below).or_default().push(&before.name);
        }
    }
    // A pair is shown from both ends.
    let peers = context.desired.interfaces.iter().filter_map(|before| {
        let peer = Interface::veth_peer(before)?;
        Some((before.name.as_str(), peer))
    });
    for (name, peer) in peers {
        hanging.entry(name).or_default().push(peer);
    }
    let mut found = HashSet::new();
    let mut open = changed;
    while let Some(below) = open.pop() {
        for above in hanging.get(below).into_iter().flatten() {
            if found.insert((*above).to_string()) {
                open.push(above);
            }
        }
    }
    found
}
