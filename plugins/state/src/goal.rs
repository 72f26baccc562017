// SPDX-License-Identifier: Apache-2.0

//! What each interface and route is to become: the wanted state, with all that it implies, beside the present one.
//!
//! Here it is decided whose objects may go. [`crate::plan`] only puts the changes in order.

pub(crate) mod address;
mod port;
pub(crate) mod route;

use std::collections::{BTreeMap, HashMap};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::ip::Address;
use nipart_schemas::overlay::Overlay;
use nipart_schemas::route::Route;

use crate::context::Context;
use crate::kind;

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
}

impl Goal<'_> {
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
    route::resolve(context, &mut goals);
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
    let mut wanted = interface.clone();
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
    let lease = context.leases.get(name).copied();
    if wanted.wants_dhcpv4() && wanted.mtu.is_none() {
        wanted.mtu = lease.and_then(|lease| lease.mtu).map(u32::from);
    }
    let fate = match present {
        Some(present) if kind::needs_recreation(&kind::section_differences(&wanted, present)) => {
            wanted.fill_from(present);
            Fate::Recreate
        }
        Some(_) => Fate::Change,
        None => {
            let comes_as_peer = context.peers.contains_key(name);
            let is_virtual = wanted
                .interface_type
                .as_ref()
                .is_some_and(InterfaceType::is_virtual);
            let base_is_missing = wanted
                .base_interface()
                .is_some_and(|base| !context.will_exist(base));
            if !(comes_as_peer || is_virtual) || base_is_missing {
                return None;
            }
            if comes_as_peer {
                wanted.interface_type = Some(InterfaceType::Veth);
            }
            Fate::Create
        }
    };
    let (addresses, unwanted_addresses) = address::resolve(context, &wanted, present, fate);
    Some(Goal {
        wanted,
        present,
        fate,
        up: Some(true),
        addresses,
        unwanted_addresses,
    })
}

/// The goal of an interface that is wanted down or absent; none when there is nothing to take away.
fn leaving<'a>(context: &Context<'a>, interface: &Interface) -> Option<Goal<'a>> {
    let present = context.present.get(interface.name.as_str()).copied()?;
    let gone = Goal {
        wanted: Interface::named(&interface.name),
        present: Some(present),
        fate: Fate::Delete,
        up: None,
        addresses: Vec::new(),
        unwanted_addresses: Vec::new(),
    };
    if context.is_removed(interface) {
        return Some(gone);
    }
    // A link that we can't delete loses what we gave it.
    let is_ours = |address: &Address| address::is_ours(context, &interface.name, address);
    let mut wanted = gone.wanted.clone();
    if context
        .remembered
        .get(interface.name.as_str())
        .is_some_and(|saved| saved.controller.is_some())
        && present.controller.is_some()
    {
        wanted.controller = Some(String::new());
    }
    let down = interface.wanted_state() == InterfaceState::Down;
    Some(Goal {
        wanted,
        fate: Fate::Change,
        up: down.then_some(false),
        unwanted_addresses: address::all(present).filter(is_ours).collect(),
        ..gone
    })
}

/// How deep each link of the goals is stacked upon others of them: bases and controllers come first.
pub(crate) fn depths(goals: &Goals<'_>) -> HashMap<String, usize> {
    let by_name: HashMap<&str, &Goal<'_>> =
        goals.links.iter().map(|goal| (goal.name(), goal)).collect();
    fn depth_of(name: &str, by_name: &HashMap<&str, &Goal<'_>>, left: usize) -> usize {
        let Some(goal) = by_name.get(name).filter(|_| left > 0) else {
            return 0;
        };
        let shape = match goal.fate {
            Fate::Delete => goal.present.unwrap_or(&goal.wanted),
            _ => &goal.wanted,
        };
        let below = [shape.base_interface(), shape.controller.as_deref()];
        below
            .into_iter()
            .flatten()
            .filter(|below| by_name.contains_key(below))
            .map(|below| 1 + depth_of(below, by_name, left - 1))
            .max()
            .unwrap_or(0)
    }
    // Loops were refused; the kernel itself allows no more than eight levels (MAX_NEST_DEV).
    by_name
        .keys()
        .map(|name| ((*name).to_string(), depth_of(name, &by_name, 16)))
        .collect()
}
