// SPDX-License-Identifier: Apache-2.0

//! Operations on what controllers keep about their ports.

use std::collections::BTreeMap;

use nipart_schemas::interface::{BondPort, BridgePort, Interface};
use nipart_schemas::operation::Operation;
use nipart_schemas::overlay::{Overlay, Path};

use super::{Phase, Surroundings, Waves};
use crate::context::Context;
use crate::goal::{Fate, Goal, Goals, vlan};
use crate::kind;

/// What one kind of controller keeps about a port.
pub(crate) trait PortOptions: Overlay + Clone + 'static {
    /// Nothing about this port.
    fn unset(name: &str) -> Self;

    /// The port.
    fn name(&self) -> &str;

    /// The controller's list.
    fn list(controller: &Interface) -> Option<&[Self]>;

    /// The same to be changed; made where it isn't written.
    fn list_mut(controller: &mut Interface) -> &mut Vec<Self>;

    /// What changes them.
    fn operation(self) -> Operation;

    /// Takes out of what is there what a change of the controller changes along.
    fn forget_what_changes(&mut self, _controller: &Goal<'_>) {}
}

impl PortOptions for BridgePort {
    fn unset(name: &str) -> Self {
        Self {
            name: name.to_string(),
            ..Self::default()
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn list(controller: &Interface) -> Option<&[Self]> {
        controller.bridge.as_ref()?.port.as_deref()
    }

    fn list_mut(controller: &mut Interface) -> &mut Vec<Self> {
        let section = controller.bridge.get_or_insert_default();
        section.port.get_or_insert_default()
    }

    fn operation(self) -> Operation {
        Operation::ChangeBridgePort { port: self }
    }

    fn forget_what_changes(&mut self, controller: &Goal<'_>) {
        if vlan::changes_default(controller) {
            self.vlan = None;
        }
    }
}

impl PortOptions for BondPort {
    fn unset(name: &str) -> Self {
        Self {
            name: name.to_string(),
            ..Self::default()
        }
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn list(controller: &Interface) -> Option<&[Self]> {
        controller
            .link_aggregation
            .as_ref()?
            .ports_config
            .as_deref()
    }

    fn list_mut(controller: &mut Interface) -> &mut Vec<Self> {
        let section = controller.link_aggregation.get_or_insert_default();
        section.ports_config.get_or_insert_default()
    }

    fn operation(self) -> Operation {
        Operation::ChangeBondPort { port: self }
    }
}

/// Sets what is wanted of ports and isn't so. A link that is attached starts with the kernel's defaults.
pub(super) fn plan(
    context: &Context<'_>,
    goals: &Goals<'_>,
    surroundings: &Surroundings<'_>,
    waves: &mut Waves,
) {
    plan_options::<BridgePort>(context, goals, surroundings, waves);
    plan_options::<BondPort>(context, goals, surroundings, waves);
}

fn plan_options<P: PortOptions>(
    context: &Context<'_>,
    goals: &Goals<'_>,
    surroundings: &Surroundings<'_>,
    waves: &mut Waves,
) {
    let mut ports: BTreeMap<&str, (P, P)> = BTreeMap::new();
    for goal in goals.links.iter().filter(|goal| goal.fate != Fate::Delete) {
        let listed = P::list(&goal.wanted);
        let present: BTreeMap<&str, &P> = options(goal.surviving()).collect();
        for port in listed.into_iter().flatten() {
            if !will_be_attached(context, surroundings, port.name(), goal.name()) {
                continue;
            }
            let stays = surroundings
                .goals
                .get(port.name())
                .is_none_or(|goal| goal.surviving().is_some());
            let before = present.get(port.name()).filter(|_| stays);
            let mut before =
                before.map_or_else(|| P::unset(port.name()), |before| (*before).clone());
            before.forget_what_changes(goal);
            ports.insert(port.name(), (port.clone(), before));
        }
    }
    for goal in &goals.links {
        if let Some(had) = kept_options::<P>(context, surroundings, goal) {
            let entry = ports
                .entry(goal.name())
                .or_insert_with(|| (P::unset(goal.name()), P::unset(goal.name())));
            entry.0.fill_from(&had);
        }
    }
    for (mut port, before) in ports.into_values() {
        let mut differences = Vec::new();
        port.differences(&before, Path::root(""), &mut differences);
        if !differences.is_empty() {
            port.keep_differences(&before);
            waves.push(Phase::SettlePorts, port.operation());
        }
    }
}

/// Whether the link becomes or stays a port: an ignored or awaited one is listed, too.
fn will_be_attached(
    context: &Context<'_>,
    surroundings: &Surroundings<'_>,
    port: &str,
    controller: &str,
) -> bool {
    let goal = surroundings.goals.get(port);
    let wanted = goal.and_then(|goal| goal.wanted.controller.as_deref());
    let present = context.present.get(port);
    wanted.or_else(|| present?.controller.as_deref()) == Some(controller)
}

/// The options that a port had which is attached anew to the same controller, because one of them is created anew.
fn kept_options<P: PortOptions>(
    context: &Context<'_>,
    surroundings: &Surroundings<'_>,
    goal: &Goal<'_>,
) -> Option<P> {
    let controller = goal.wanted.controller.as_deref()?;
    let is_attached_anew = goal.fate == Fate::Recreate || surroundings.is_gone(controller);
    if !is_attached_anew || goal.present?.controller.as_deref() != Some(controller) {
        return None;
    }
    let had = context.present.get(controller)?;
    let becomes = surroundings.goals.get(controller).map(|goal| &goal.wanted);
    let had = becomes.map_or_else(
        || (*had).clone(),
        |becomes| kind::carried_over(becomes, had),
    );
    options::<P>(Some(&had))
        .find(|(name, _)| *name == goal.name())
        .map(|(_, port)| port.clone())
}

fn options<P: PortOptions>(controller: Option<&Interface>) -> impl Iterator<Item = (&str, &P)> {
    controller
        .and_then(P::list)
        .into_iter()
        .flatten()
        .map(|port| (port.name(), port))
}
