// SPDX-License-Identifier: Apache-2.0

//! Checks of what stands upon what: no link upon itself, none upon a link that goes.

use std::collections::{BTreeMap, HashMap, HashSet};

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};

use super::reference::base_path;
use crate::context::{Context, MAX_STACK};
use crate::goal::port;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    check_doomed(context)?;
    let stack = Stack::of(context);
    check_takers(context, &stack)?;
    check_loops(context, &stack)
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
fn check_loops(context: &Context<'_>, stack: &Stack<'_>) -> Result<(), NipartError> {
    let mut known_good = HashSet::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let mut on_the_way = Vec::new();
        if has_loop(
            &interface.name,
            &stack.below,
            &mut on_the_way,
            &mut known_good,
        ) {
            let path = format!("interfaces[{index}]");
            let path = match interface.base_interface() {
                Some(_) => base_path(interface, &path),
                None => format!("{path}.name"),
            };
            return Err(NipartError::invalid(path, describe(&on_the_way, stack)));
        }
    }
    Ok(())
}

/// A link hands what it receives to one taker (`rx_handler`): to its controller, or to the MAC VLANs over it.
fn check_takers(context: &Context<'_>, stack: &Stack<'_>) -> Result<(), NipartError> {
    for (above, base) in &stack.mac_vlans {
        let Some(controller) = stack.controllers.get(base) else {
            continue;
        };
        if context.leaves_addresses_to_ports(controller) {
            // A VRF takes packets, not frames.
            continue;
        }
        let named = |name: &&str| {
            let mut wanted = context.desired.interfaces.iter();
            wanted.position(|interface| interface.name == **name)
        };
        // One of them is in the state, or nothing is new.
        let Some(index) = [above, base, controller].into_iter().find_map(named) else {
            continue;
        };
        return Err(NipartError::invalid(
            format!("interfaces[{index}].name"),
            format!(
                "{base} can't be a port of {controller} and the base interface of {above} at once"
            ),
        ));
    }
    Ok(())
}

/// What is wrong with links that stand upon each other so, the uppermost first.
fn describe(on_the_way: &[&str], stack: &Stack<'_>) -> String {
    let name = on_the_way.first().copied().unwrap_or_default();
    let lowest = on_the_way.last().copied().unwrap_or_default();
    let below = stack.below.get(lowest).into_iter().flatten();
    match below.copied().find(|name| on_the_way.contains(name)) {
        Some(again) => format!(
            "{name} would be stacked upon itself: {} over {again}",
            on_the_way.join(" over ")
        ),
        None => format!(
            "{name} would stand upon more than {MAX_STACK} links, deeper than the kernel allows"
        ),
    }
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

/// What will stand upon what. What the state doesn't say stays as it is.
#[derive(Default)]
struct Stack<'a> {
    /// The base and the ports of each link.
    below: HashMap<&'a str, Vec<&'a str>>,
    /// The controller of each port.
    controllers: HashMap<&'a str, &'a str>,
    /// Each MAC VLAN with its base.
    mac_vlans: BTreeMap<&'a str, &'a str>,
}

impl<'a> Stack<'a> {
    fn of(context: &Context<'a>) -> Self {
        let mut stack = Self::default();
        let present = context.observed.interfaces.iter().filter(|present| {
            let name = present.name.as_str();
            !context.doomed.contains(name) && context.wanted_up(name).is_none()
        });
        let wanted = context.desired.interfaces.iter();
        let wanted = wanted.filter(|wanted| wanted.wanted_state() == InterfaceState::Up);
        for interface in present.chain(wanted) {
            stack.add(context, interface);
        }
        let controllers = context.desired.interfaces.iter();
        let is_up = |interface: &&Interface| interface.wanted_state() == InterfaceState::Up;
        for controller in controllers.filter(is_up) {
            for port in controller.port_names().into_iter().flatten() {
                stack.controllers.insert(port, &controller.name);
            }
        }
        for (port, controller) in &stack.controllers {
            stack.below.entry(controller).or_default().push(port);
        }
        stack
    }

    fn add(&mut self, context: &Context<'a>, interface: &'a Interface) {
        let name = interface.name.as_str();
        let was = context.present.get(name).copied();
        let of = |get: fn(&'a Interface) -> Option<&'a str>| get(interface).or(was.and_then(get));
        if let Some(base) = of(Interface::base_interface) {
            self.below.entry(name).or_default().push(base);
            if matches!(
                context.type_of(name),
                Some(InterfaceType::MacVlan | InterfaceType::MacVtap)
            ) {
                self.mac_vlans.insert(name, base);
            }
        }
        let further = interface.further_bases();
        self.below.entry(name).or_default().extend(further);
        let controller = of(|interface| interface.controller.as_deref());
        if let Some(controller) = controller.filter(|controller| {
            !controller.is_empty()
                && context.will_exist(controller)
                && !leaves(context, name, controller)
        }) {
            self.controllers.insert(name, controller);
        }
    }
}

/// Whether the port is taken out of the controller by its new list, or because it is wanted down.
fn leaves(context: &Context<'_>, port: &str, controller: &str) -> bool {
    let wanted = context.wanted.get(port);
    match wanted.map(|wanted| wanted.wanted_state()) {
        Some(InterfaceState::Down | InterfaceState::Absent) => {
            return port::is_ours(context, controller, port);
        }
        Some(InterfaceState::Ignore) => return false,
        Some(InterfaceState::Up) | None => {}
    }
    context
        .wanted_up(controller)
        .and_then(Interface::port_names)
        .is_some_and(|listed| !listed.contains(&port))
        && port::leaves(context, controller, port)
}
