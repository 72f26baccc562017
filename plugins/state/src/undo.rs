// SPDX-License-Identifier: Apache-2.0

//! Undoes a plan, however far it got: what it touched becomes again what it was.
//!
//! The wanted state is what was observed before. Comparing that with what is observed now also finds what the kernel
//! took away by itself: routes of a link that went down, addresses of one that was deleted. What others have added
//! meanwhile stays. Asked again after the undo, the answer must be an empty plan.

mod address;
mod bridge;
mod mptcp;
mod name;
mod route;
mod route_rule;
mod touched;

use std::net::Ipv6Addr;

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{
    AltName, AltNameState, BondPort, BridgePort, Interface, InterfaceState,
};
use nipart_schemas::ip::Address;
use nipart_schemas::operation::Plan;

use self::touched::Touched;
use crate::context::Context;
use crate::goal::address::all;
use crate::goal::{Fate, Goal, Goals, recreation, restart, vlan};
use crate::plan::PortOptions;
use crate::{kind, plan};

pub(crate) fn decide(request: &DecisionRequest, undone: &Plan) -> Result<Decision, NipartError> {
    let context = Context::new(request)?;
    let touched = Touched::by(undone, &context);
    let mut goals = Goals::default();
    for name in &touched.interfaces {
        let before = context.wanted.get(name.as_str()).copied();
        let now = context.present.get(name.as_str()).copied();
        goals.links.extend(restore(before, now, &touched));
    }
    restore_port_options::<BridgePort>(&context, &touched, &mut goals);
    restore_port_options::<BondPort>(&context, &touched, &mut goals);
    bridge::restore(&context, &touched, &mut goals);
    recreation::cascade(&context, &mut goals);
    restart::settle(&context, &mut goals);
    vlan::forget(&mut goals);
    vlan::settle(&context, &mut goals);
    mptcp::restore(&context, &touched, &mut goals);
    route::restore(&context, &touched, &mut goals);
    name::restore(&context, &touched, &mut goals);
    route_rule::restore(&context, undone, &mut goals);
    Ok(plan::build(&context, &goals))
}

fn restore<'a>(
    before: Option<&'a Interface>,
    now: Option<&'a Interface>,
    touched: &Touched,
) -> Option<Goal<'a>> {
    let Some(before) = before else {
        // What the plan didn't create is somebody else's.
        let now = now.filter(|now| touched.created.contains(&now.name))?;
        let gone = Interface::named(&now.name);
        return Some(Goal::new(gone, Some(now), Fate::Delete));
    };
    let (wanted, up, fate) = match now {
        Some(_) if !touched.links.contains(&before.name) => {
            (Interface::named(&before.name), None, Fate::Change)
        }
        _ => {
            let fate = match now {
                None => Fate::Create,
                Some(now)
                    if kind::needs_recreation(now, &kind::section_differences(before, now))
                        || kind::has_gained(before, now) =>
                {
                    Fate::Recreate
                }
                Some(_) => Fate::Change,
            };
            let up = before.wanted_state() == InterfaceState::Up;
            let mut wanted = as_before(before, now);
            if fate == Fate::Change {
                touched.leave_other_features(&mut wanted);
            }
            (wanted, Some(up), fate)
        }
    };
    let is_added = |address: &Address| {
        let key = (before.name.clone(), address.key());
        touched.added_addresses.contains(&key)
    };
    let kept: Vec<Address> = all(before)
        .map(|address| match same_address(now, &address) {
            // Its life times run on; only what the plan changed is put back.
            Some(present) if !is_added(&address) => present,
            _ => address,
        })
        .collect();
    let unwanted = now.into_iter().flat_map(all).filter(|address| {
        is_added(address) && !kept.iter().any(|kept| kept.key() == address.key())
    });
    let out_of_order = now.map_or(Vec::new(), |now| address::out_of_order(&kept, now));
    let made = now
        .filter(|now| touched.self_addressed.contains(&now.name))
        .map_or(Vec::new(), |now| address::made_meanwhile(before, now));
    Some(Goal {
        up,
        unwanted_addresses: unwanted.chain(out_of_order).chain(made).collect(),
        addresses: kept,
        ..Goal::new(wanted, now, fate)
    })
}

fn same_address(now: Option<&Interface>, address: &Address) -> Option<Address> {
    let mut present = now.into_iter().flat_map(all);
    present.find(|present| present.key() == address.key())
}

/// What is not there was not there: the keys that can be taken off again are written out.
fn as_before(before: &Interface, now: Option<&Interface>) -> Interface {
    let mut wanted = before.clone();
    wanted.controller.get_or_insert_default();
    wanted.description.get_or_insert_default();
    if let Some(ethernet) = &mut wanted.ethernet {
        ethernet.forget_negotiated();
    }
    if let Some(section) = &mut wanted.wireguard {
        section.spell_out_missing_secrets();
    }
    if let Some(section) = &mut wanted.macsec {
        section.spell_out_missing_key();
    }
    if let Some(ipv6) = &mut wanted.ipv6 {
        ipv6.token.get_or_insert(Ipv6Addr::UNSPECIFIED);
        let switch = |now: &Interface| now.ipv6.as_ref()?.accept_ra_defrtr;
        if now.and_then(switch).is_some() {
            ipv6.accept_ra_defrtr.get_or_insert(true);
        }
    }
    let names = wanted.alt_names.get_or_insert_default();
    let new = now
        .and_then(|now| now.alt_names.as_ref())
        .into_iter()
        .flatten();
    let removals: Vec<AltName> = new
        .filter(|alt_name| !names.iter().any(|known| known.name == alt_name.name))
        .map(|alt_name| AltName {
            name: alt_name.name.clone(),
            state: Some(AltNameState::Absent),
        })
        .collect();
    names.extend(removals);
    wanted
}

/// What a controller keeps about its ports is lost when they are detached, and belongs to none of the plan's interfaces
/// when it only names ports.
fn restore_port_options<'a, P: PortOptions>(
    context: &Context<'a>,
    touched: &Touched,
    goals: &mut Goals<'a>,
) {
    for name in &touched.links {
        let Some(controller) = context
            .wanted
            .get(name.as_str())
            .and_then(|before| before.controller.as_deref())
        else {
            continue;
        };
        let Some(options) = context
            .wanted
            .get(controller)
            .and_then(|before| P::list(before))
            .and_then(|ports| ports.iter().find(|port| port.name() == name))
        else {
            continue;
        };
        let Some(goal) = goal_mut(context, controller, goals) else {
            continue;
        };
        let ports = P::list_mut(&mut goal.wanted);
        if !ports.iter().any(|port| port.name() == name) {
            ports.push(options.clone());
        }
    }
}

/// What a link that is there is to become; it is left as it is where there is no goal yet.
fn goal_mut<'g, 'a>(
    context: &Context<'a>,
    name: &str,
    goals: &'g mut Goals<'a>,
) -> Option<&'g mut Goal<'a>> {
    let known = goals.links.iter().position(|goal| goal.name() == name);
    if known.is_none() {
        let now = context.present.get(name).copied()?;
        let goal = Goal::new(Interface::named(name), Some(now), Fate::Change);
        goals.links.push(goal);
    }
    let position = known.unwrap_or(goals.links.len() - 1);
    goals.links.get_mut(position)
}
