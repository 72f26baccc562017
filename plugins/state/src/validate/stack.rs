// SPDX-License-Identifier: Apache-2.0

//! Checks of what stands upon what: no link upon itself, none upon a link that goes.

use std::collections::{HashMap, HashSet};

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState};

use crate::context::{Context, MAX_STACK};

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    check_doomed(context)?;
    check_loops(context)
}

/// A link goes with its base, and a veth with its peer: it can't be wanted up then.
fn check_doomed(context: &Context<'_>) -> Result<(), NipartError> {
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let name = interface.name.as_str();
        if interface.wanted_state() != InterfaceState::Up || !context.doomed.contains(name) {
            continue;
        }
        let present = context.present.get(name).copied();
        let of = |get: fn(&Interface) -> Option<&str>| get(interface).or(present.and_then(get));
        let (role, other) = match of(Interface::base_interface) {
            Some(base) => ("base interface", base),
            None => ("peer", of(Interface::veth_peer).unwrap_or("another veth")),
        };
        return Err(NipartError::invalid(
            format!("interfaces[{index}].name"),
            format!(
                "{name} is wanted up, but goes with its {role} {other}, which this state removes or creates anew"
            ),
        ));
    }
    Ok(())
}

/// No interface may be stacked, over base interfaces and ports, upon itself.
fn check_loops(context: &Context<'_>) -> Result<(), NipartError> {
    let below = below(context);
    let mut known_good = HashSet::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let mut on_the_way = Vec::new();
        if has_loop(&interface.name, &below, &mut on_the_way, &mut known_good) {
            return Err(NipartError::invalid(
                format!("interfaces[{index}].name"),
                format!(
                    "{} would be stacked upon itself, or deeper than the kernel allows",
                    interface.name
                ),
            ));
        }
    }
    Ok(())
}

fn has_loop<'a>(
    name: &'a str,
    below: &HashMap<&str, Vec<&'a str>>,
    on_the_way: &mut Vec<&'a str>,
    known_good: &mut HashSet<&'a str>,
) -> bool {
    if known_good.contains(name) {
        return false;
    }
    if on_the_way.contains(&name) || on_the_way.len() > MAX_STACK {
        return true;
    }
    on_the_way.push(name);
    let mut lower = below.get(name).into_iter().flatten();
    if lower.any(|name| has_loop(name, below, on_the_way, known_good)) {
        return true;
    }
    on_the_way.pop();
    known_good.insert(name);
    false
}

/// What each link will stand upon: its base, its ports. What the state doesn't say stays as it is.
fn below<'a>(context: &Context<'a>) -> HashMap<&'a str, Vec<&'a str>> {
    let mut controllers: HashMap<&str, &str> = HashMap::new();
    let mut below: HashMap<&str, Vec<&str>> = HashMap::new();
    let present = context.observed.interfaces.iter().filter(|present| {
        let wanted = context.wanted.get(present.name.as_str());
        wanted.is_none_or(|wanted| wanted.wanted_state() == InterfaceState::Ignore)
    });
    let wanted = context.desired.interfaces.iter();
    let wanted = wanted.filter(|wanted| wanted.wanted_state() == InterfaceState::Up);
    for interface in present.chain(wanted) {
        let name = interface.name.as_str();
        let was = context.present.get(name).copied();
        let of = |get: fn(&'a Interface) -> Option<&'a str>| get(interface).or(was.and_then(get));
        if let Some(base) = of(Interface::base_interface) {
            below.entry(name).or_default().push(base);
        }
        if let Some(controller) = of(|interface| interface.controller.as_deref()) {
            controllers.entry(name).or_insert(controller);
        }
    }
    for controller in &context.desired.interfaces {
        for port in controller.port_names().into_iter().flatten() {
            controllers.insert(port, &controller.name);
        }
    }
    for (port, controller) in controllers {
        below.entry(controller).or_default().push(port);
    }
    below
}
