// SPDX-License-Identifier: Apache-2.0

//! What each interface, route and rule is to become: the wanted state, with all that it implies, beside the present one.
//!
//! Here it is decided whose objects may go. [`crate::plan`] only puts the changes in order.

pub(crate) mod address;
mod advertised_route;
pub(crate) mod borrowed_mac_address;
pub(crate) mod copied_mac_address;
pub(crate) mod mptcp;
pub(crate) mod name;
pub(crate) mod port;
pub(crate) mod recreation;
pub(crate) mod restart;
pub(crate) mod route;
mod route_rule;
pub(crate) mod vlan;

use std::collections::BTreeMap;

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::mptcp::MptcpEndpoint;
use nipart_schemas::interface::{Identifier, Interface, InterfaceState, InterfaceType};
use nipart_schemas::ip::Address;
use nipart_schemas::route::Route;
use nipart_schemas::route_rule::RouteRule;

use self::name::{HostNameGoal, SourceGoal};
use self::route::Multipath;
use crate::context::Context;
use crate::{identity, kind, lease};

/// What happens to the link itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It comes into being.
    Create,
    /// It is deleted and created anew, for a change that the kernel can't make in place.
    Recreate,
    /// It stays and changes.
    Change,
    /// It goes.
    Delete,
}

/// What one link is to become.
#[derive(Debug, Clone)]
pub(crate) struct Goal<'a> {
    /// Only what is wanted: an omitted key stays as it is.
    pub(crate) wanted: Interface,
    pub(crate) present: Option<&'a Interface>,
    pub(crate) fate: Fate,
    /// Administrative state; none leaves it.
    pub(crate) up: Option<bool>,
    /// Addresses that must be there, in order, with their owner's mark.
    pub(crate) addresses: Vec<Address>,
    /// Addresses that must go.
    pub(crate) unwanted_addresses: Vec<Address>,
    /// MPTCP endpoints that must be there, sorted; none leaves them.
    pub(crate) endpoints: Option<Vec<MptcpEndpoint>>,
    /// Whether the kernel takes the living link down and up on the way: its routes and IPv6 addresses get lost.
    pub(crate) is_restarted: bool,
}

impl<'a> Goal<'a> {
    /// A goal without addresses, that leaves the administrative state.
    pub(crate) fn new(wanted: Interface, present: Option<&'a Interface>, fate: Fate) -> Self {
        Self {
            wanted,
            present,
            fate,
            up: None,
            addresses: Vec::new(),
            unwanted_addresses: Vec::new(),
            endpoints: None,
            is_restarted: false,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.wanted.name
    }

    /// The present link, unless it doesn't live on.
    pub(crate) fn surviving(&self) -> Option<&Interface> {
        match self.fate {
            Fate::Change => self.present,
            Fate::Create | Fate::Recreate | Fate::Delete => None,
        }
    }

    /// Whether the link is created by the plan.
    pub(crate) fn is_created(&self) -> bool {
        matches!(self.fate, Fate::Create | Fate::Recreate)
    }
}

/// Everything that is to become.
#[derive(Debug, Default)]
pub(crate) struct Goals<'a> {
    pub(crate) links: Vec<Goal<'a>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) unwanted_routes: Vec<Route>,
    /// Routes with several next hops that change.
    pub(crate) multipaths: Vec<Multipath>,
    /// Sources of name resolution that change.
    pub(crate) sources: Vec<SourceGoal>,
    /// The machine's names, if they change.
    pub(crate) host_name: Option<HostNameGoal>,
    pub(crate) rules: Vec<RouteRule>,
    pub(crate) unwanted_rules: Vec<RouteRule>,
    /// Numbers of links that are gone, whose MPTCP endpoints go, too.
    pub(crate) lost_endpoints: Vec<u32>,
    /// Interfaces that are awaited.
    pub(crate) pending: Vec<String>,
}

/// Works out the goals of a wanted state that was found valid.
pub(crate) fn resolve<'a>(context: &Context<'a>) -> Goals<'a> {
    let mut goals = Goals::default();
    let attachments = port::attachments(context);
    for interface in &context.desired.interfaces {
        match interface.wanted_state() {
            InterfaceState::Ignore => {}
            InterfaceState::Absent | InterfaceState::Down => {
                goals.links.extend(leaving(context, interface));
            }
            InterfaceState::Up => match arriving(context, interface, &attachments) {
                Some(goal) => goals.links.push(goal),
                None => goals.pending.push(interface.name.clone()),
            },
        }
    }
    port::unlisted(context, &attachments, &mut goals);
    recreation::cascade(context, &mut goals);
    restart::settle(context, &mut goals);
    vlan::settle(context, &mut goals);
    mptcp::resolve(context, &mut goals);
    route::resolve(context, &mut goals);
    name::resolve(context, &mut goals);
    route_rule::resolve(context, &mut goals);
    goals.pending.sort_unstable();
    goals.pending.dedup();
    goals
}

/// The goal of an interface that is wanted up; none when it has to be awaited.
fn arriving<'a>(
    context: &Context<'a>,
    interface: &Interface,
    attachments: &BTreeMap<&str, String>,
) -> Option<Goal<'a>> {
    let name = interface.name.as_str();
    let present = context.present.get(name).copied();
    if identity::is_another(interface, present) {
        return None;
    }
    let mut wanted = interface.clone();
    let has_fixed_address = present.unwrap_or(interface).has_fixed_mac_address();
    if wanted.identifier == Some(Identifier::MacAddress) || has_fixed_address {
        // It is what the link is known by, or as it is: not an address to be set.
        wanted.mac_address = None;
    }
    if let Some(controller) = attachments.get(name) {
        wanted.controller = Some(controller.clone());
    }
    if context.missing == MissingInterfaces::Await
        && wanted
            .controller
            .as_deref()
            .is_some_and(|name| !name.is_empty() && !context.will_exist(name))
    {
        wanted.controller = None;
    }
    copied_mac_address::resolve(context, &mut wanted);
    borrowed_mac_address::resolve(&mut wanted, present);
    port::adopt(context, &mut wanted, present);
    advertised_route::resolve(context, &mut wanted);
    let remembered = context.remembered.get(name);
    let is_mtu_free = wanted.mtu.is_none() && remembered.is_none_or(|known| known.mtu.is_none());
    if is_mtu_free && context.using_lease(name).is_some() {
        let lease = context.lease_ipv4(name);
        wanted.mtu = lease.and_then(|lease| lease::usable_mtu(lease, &wanted, present));
    }
    let mut bases = wanted
        .base_interface()
        .into_iter()
        .chain(wanted.further_bases());
    let base_is_missing = bases.any(|base| !context.will_exist(base));
    drop(bases);
    let fate = match present {
        Some(_) if context.doomed.contains(name) => return None,
        Some(present)
            if kind::needs_recreation(present, &kind::section_differences(&wanted, present)) =>
        {
            if base_is_missing {
                return None;
            }
            Fate::Recreate
        }
        Some(_) => Fate::Change,
        None => {
            let comes_as_peer = context.peers.contains_key(name);
            let comes_as_function = context.comes_as_function(name);
            if !(comes_as_peer || wanted.is_virtual() || comes_as_function) || base_is_missing {
                return None;
            }
            if comes_as_function {
                wanted.interface_type = Some(InterfaceType::Ethernet);
            } else if comes_as_peer {
                wanted.interface_type = Some(InterfaceType::Veth);
            } else if peer_is_elsewhere(context, &wanted) {
                return None;
            }
            Fate::Create
        }
    };
    let (addresses, unwanted_addresses) = address::resolve(context, &wanted, present);
    let mut goal = Goal {
        up: Some(true),
        addresses,
        unwanted_addresses,
        ..Goal::new(wanted, present, fate)
    };
    if fate == Fate::Recreate {
        recreation::complete(&mut goal);
    }
    Some(goal)
}

/// Whether the peer is there, so that the pair can't be created: this end lives in another network namespace.
pub(crate) fn peer_is_elsewhere(context: &Context<'_>, wanted: &Interface) -> bool {
    wanted
        .veth_peer()
        .and_then(|peer| context.present.get(peer))
        .is_some_and(|peer| peer.veth_peer().is_none())
}

/// The goal of an interface that is wanted down or absent; none when there is nothing to take away.
fn leaving<'a>(context: &Context<'a>, interface: &Interface) -> Option<Goal<'a>> {
    let name = interface.name.as_str();
    let present = context.present.get(name).copied()?;
    if identity::is_another(interface, Some(present)) {
        return None;
    }
    let mut wanted = Interface::named(name);
    if context.doomed.contains(name) {
        return Some(Goal::new(wanted, Some(present), Fate::Delete));
    }
    if context.is_left_down(interface) {
        return None;
    }
    // A link that we can't delete loses what we gave it.
    let is_ours = |address: &Address| address::is_ours(context, name, address);
    if let Some(controller) = &present.controller
        && port::is_ours(context, controller, name)
    {
        wanted.controller = Some(String::new());
    }
    advertised_route::leave(context, &mut wanted);
    let down = interface.wanted_state() == InterfaceState::Down;
    Some(Goal {
        up: down.then_some(false),
        unwanted_addresses: address::all(present).filter(is_ours).collect(),
        ..Goal::new(wanted, Some(present), Fate::Change)
    })
}
