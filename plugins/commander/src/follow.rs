// SPDX-License-Identifier: Apache-2.0

//! What has to go on for an interface after it was made so: pure.

mod dhcp;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use nipart_schemas::event::Role;
use nipart_schemas::interface::{DriftPolicy, Interface, InterfaceState, WaitIp};
use nipart_schemas::lease::{DhcpConfig, LeaseKey, LeaseProtocol};
use nipart_schemas::monitor::{LinkCondition, MonitorRule};

use crate::chain::show::Known;
use crate::transaction::Outcome;

/// What is followed, by interface.
#[derive(Debug, Default)]
pub(crate) struct Followed(BTreeMap<String, Follow>);

/// One followed interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Follow {
    /// The clients that run whenever the link is up, of DHCP and of routers, at most one for each protocol.
    pub(crate) dhcp: Vec<DhcpConfig>,
    /// What we know of the link.
    pub(crate) condition: Option<LinkCondition>,
    /// Settings of the hardware are set by us.
    pub(crate) has_hardware: bool,
    /// Its addresses are endpoints of multipath TCP, which the kernel keeps when the link goes.
    pub(crate) has_endpoints: bool,
    /// Its ends agree upon keys: the kernel forgets routes and addresses when whoever does that takes the link down.
    pub(crate) agrees_upon_keys: bool,
    /// Somebody has to be watched closely: what others change is undone, or saved.
    pub(crate) is_guarded: bool,
    /// What an apply waits for.
    pub(crate) awaited_addresses: Option<WaitIp>,
}

impl Follow {
    /// Whether something goes on that depends on whether the link is up.
    fn is_served(&self) -> bool {
        !self.dhcp.is_empty() || self.agrees_upon_keys
    }

    /// Whether what is saved is brought back when the link comes up. Who only listens to routers has lost nothing that
    /// they won't say again.
    fn is_restored_when_up(&self) -> bool {
        let mut clients = self.dhcp.iter().map(|config| config.key().protocol);
        self.agrees_upon_keys
            || clients.any(|protocol| protocol != LeaseProtocol::RouterAdvertisement)
    }
}

/// What changed by following something else.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FollowChanges {
    /// The monitor needs other rules.
    pub(crate) rules: bool,
    /// Clients to start, or to restart with other settings, now.
    pub(crate) start: Vec<DhcpConfig>,
    /// Clients to stop.
    pub(crate) stop: Vec<LeaseKey>,
}

impl Followed {
    /// Takes in the outcome of a transaction about `names`.
    pub(crate) fn update(&mut self, names: &BTreeSet<String>, outcome: &Outcome) -> FollowChanges {
        let mut changes = FollowChanges::default();
        let merged = outcome.merged.by_name();
        let pending: BTreeSet<&str> = outcome.pending.iter().map(String::as_str).collect();
        for name in names {
            let before = self.0.get(name).cloned();
            match merged
                .get(name.as_str())
                .filter(|interface| interface.wanted_state() == InterfaceState::Up)
            {
                Some(interface) => {
                    let ran = before.as_ref().map(|before| before.dhcp.as_slice());
                    let ran = ran.unwrap_or_default();
                    let mut dhcp = dhcp::clients(interface);
                    if is_mere_port(interface, &merged, outcome) {
                        // The kernel shows the switch there, too, and listens to nobody.
                        let routers = LeaseProtocol::RouterAdvertisement;
                        dhcp.retain(|config| config.key().protocol != routers);
                    }
                    for config in &mut dhcp {
                        let key = config.key();
                        let known = ran.iter().find(|ran| ran.key() == key);
                        let known = known.and_then(DhcpConfig::previous_address);
                        config.set_previous_address(
                            known.or_else(|| {
                                dhcp::leased_address(outcome.observed.read().ok()?, &key)
                            }),
                        );
                    }
                    let condition =
                        before
                            .as_ref()
                            .and_then(|before| before.condition)
                            .or_else(|| {
                                (!pending.contains(name.as_str())).then_some(LinkCondition::Present)
                            });
                    let after = Follow {
                        dhcp,
                        condition,
                        has_hardware: interface.has_hardware(),
                        has_endpoints: interface.wants_endpoints(),
                        agrees_upon_keys: interface.agrees_upon_keys(),
                        is_guarded: interface.drift.unwrap_or_default() != DriftPolicy::Report,
                        awaited_addresses: interface.awaited_addresses(),
                    };
                    let goes_on = |ran: &&DhcpConfig| {
                        let key = ran.key();
                        after.dhcp.iter().any(|config| config.key() == key)
                    };
                    let stopped = ran.iter().filter(|ran| !goes_on(ran));
                    changes.stop.extend(stopped.map(DhcpConfig::key));
                    // Of a link that is known to be up, the monitor tells nothing.
                    if after.condition == Some(LinkCondition::Up) {
                        let new = after.dhcp.iter().filter(|config| !ran.contains(config));
                        changes.start.extend(new.cloned());
                    }
                    let needs = |follow: &Follow| {
                        (follow.is_served(), follow.has_endpoints, follow.is_guarded)
                    };
                    changes.rules |= before.as_ref().map(needs) != Some(needs(&after));
                    self.0.insert(name.clone(), after);
                }
                None => {
                    if let Some(before) = self.0.remove(name) {
                        changes.rules = true;
                        changes.stop.extend(before.dhcp.iter().map(DhcpConfig::key));
                    }
                }
            }
        }
        changes
    }

    /// The rules that tell us what we need to know.
    pub(crate) fn rules(&self) -> Vec<MonitorRule> {
        let rule = |(name, follow): (&String, &Follow)| {
            let mut interested = vec![LinkCondition::Present, LinkCondition::Changed];
            if follow.is_served() {
                interested.extend([LinkCondition::Up, LinkCondition::Down]);
            }
            if follow.is_served() || follow.has_endpoints {
                interested.push(LinkCondition::Absent);
            }
            if follow.is_guarded {
                interested.push(LinkCondition::Rerouted);
            }
            MonitorRule {
                interface: name.clone(),
                interested,
                known: follow.condition,
                followup: Role::Commander,
            }
        };
        self.0.iter().map(rule).collect()
    }

    /// Whether what is saved for the link is brought back when it comes up.
    pub(crate) fn is_restored_when_up(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Follow::is_restored_when_up)
    }

    /// Those of `names` that are followed.
    pub(crate) fn among(&self, mut names: Vec<String>) -> Vec<String> {
        names.retain(|name| self.0.contains_key(name));
        names
    }

    /// A link came into another condition. Returns the client that is to start or stop by that.
    pub(crate) fn link_changed(&mut self, name: &str, condition: LinkCondition) -> FollowChanges {
        let mut changes = FollowChanges::default();
        if let Some(follow) = self.0.get_mut(name) {
            follow.condition = Some(condition);
            match condition {
                LinkCondition::Up => changes.start.clone_from(&follow.dhcp),
                LinkCondition::Down | LinkCondition::Absent => {
                    changes.stop = follow.dhcp.iter().map(DhcpConfig::key).collect();
                }
                _ => {}
            }
        }
        changes
    }

    /// Remembers the address to ask for first next time.
    pub(crate) fn leased(&mut self, key: &LeaseKey, address: Option<IpAddr>) {
        let follow = self.0.get_mut(&key.interface);
        let mut clients = follow.into_iter().flat_map(|follow| &mut follow.dhcp);
        if let Some(config) = clients.find(|config| config.key() == *key) {
            config.set_previous_address(address);
        }
    }

    /// All clients that should be running.
    pub(crate) fn running_clients(&self) -> Vec<DhcpConfig> {
        let on_links_that_are_up = self
            .0
            .values()
            .filter(|follow| follow.condition == Some(LinkCondition::Up));
        on_links_that_are_up
            .flat_map(|follow| follow.dhcp.clone())
            .collect()
    }

    /// What only we know of the interfaces.
    pub(crate) fn known(&self) -> Known {
        let names = |is_so: fn(&Follow) -> bool| {
            let meant = self.0.iter().filter(move |(_, follow)| is_so(follow));
            meant.map(|(name, _)| name.clone())
        };
        Known {
            with_lease: {
                let clients = self.0.values().flat_map(|follow| &follow.dhcp);
                clients.map(DhcpConfig::key).collect()
            },
            with_hardware: names(|follow| follow.has_hardware).collect(),
            awaited_addresses: {
                let meant = |(name, follow): (&String, &Follow)| {
                    Some((name.clone(), follow.awaited_addresses?))
                };
                self.0.iter().filter_map(meant).collect()
            },
        }
    }
}

/// Whether the addresses of the interface belong to its controller.
fn is_mere_port(
    interface: &Interface,
    merged: &HashMap<&str, &Interface>,
    outcome: &Outcome,
) -> bool {
    let controller = interface.controller.as_deref();
    let Some(name) = controller.filter(|name| !name.is_empty()) else {
        return false;
    };
    let type_of = |interface: &Interface| interface.interface_type.clone();
    let wanted = merged.get(name).and_then(|known| type_of(known));
    let observed = || type_of(outcome.observed.read().ok()?.interface(name)?);
    wanted
        .or_else(observed)
        .is_some_and(|kind| !kind.leaves_addresses_to_ports())
}
