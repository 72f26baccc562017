// SPDX-License-Identifier: Apache-2.0

//! What holds for every network and every wanted state.
//!
//! A network comes about by applying a random state and letting others do random things to it. Then a second random
//! state is applied. One that is refused proves nothing; enough of them must not be.

use std::cell::Cell;

use nipart_random::Kinds;
use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType};
use nipart_schemas::lease::Lease;
use nipart_schemas::mac_address::MacAddress;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::route::Route;
use nipart_schemas::route_rule::AbsentRules;
use nipart_state::decide;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::model::{Model, difference};

/// As often as the commander tries.
const UNDO_ROUNDS: usize = 4;

fn bare() -> Model {
    let ethernet = |name: &str| Interface {
        interface_type: Some(InterfaceType::Ethernet),
        state: Some(InterfaceState::Down),
        mac_address: Some(MacAddress::new(&[2, 0, 0, 0, 0, 0x99])),
        ..Interface::named(name)
    };
    let dummy = Interface {
        interface_type: Some(InterfaceType::Other("dummy".to_string())),
        mac_address: Some(MacAddress::new(&[2, 0, 0, 0, 0, 0x98])),
        ..Interface::named(nipart_random::FOREIGN[0])
    };
    Model::of(&NetworkState {
        interfaces: vec![ethernet("eth0"), ethernet("eth1"), dummy],
        ..NetworkState::default()
    })
}

fn request(desired: &NetworkState, model: &Model, saved: &NetworkState) -> DecisionRequest {
    DecisionRequest {
        desired: desired.clone(),
        observed: model.observed().into(),
        saved: saved.clone(),
        ..DecisionRequest::default()
    }
}

/// A network with a history.
struct World {
    model: Model,
    saved: NetworkState,
    desired: NetworkState,
    leases: Vec<Lease>,
}

impl World {
    fn new(
        first: &NetworkState,
        foreign: &[Operation],
        desired: NetworkState,
        leases: Vec<Lease>,
        drops_secondary_addresses: bool,
    ) -> Self {
        let mut model = bare();
        model.drops_secondary_addresses = drops_secondary_addresses;
        let mut saved = NetworkState::default();
        if let Ok(decision) = decide(&request(first, &model, &saved)) {
            let mut tried = model.clone();
            if tried.execute(&decision.plan).is_ok() {
                model = tried;
                saved = first.laid_over(&saved);
            }
        }
        for operation in foreign {
            // What can't be done isn't done.
            let mut tried = model.clone();
            if tried.apply(operation).is_ok() {
                model = tried;
            }
        }
        let mut desired = desired;
        desired.revive(&model.observed(), &saved);
        Self {
            model,
            saved,
            desired,
            leases,
        }
    }

    fn request(&self, model: &Model) -> DecisionRequest {
        DecisionRequest {
            leases: self.leases.clone(),
            ..request(&self.desired, model, &self.saved)
        }
    }

    /// The plan for the second state; none when it is refused.
    fn plan(&self) -> Option<Plan> {
        decide(&self.request(&self.model))
            .ok()
            .map(|decision| decision.plan)
    }
}

type Check = fn(&World, &Plan) -> Result<(), String>;

fn for_every_world(cases: u32, check: Check) {
    let accepted = Cell::new(0);
    let strategy = (
        nipart_random::desired(Kinds::All),
        nipart_random::foreign(Kinds::All),
        nipart_random::desired(Kinds::All),
        nipart_random::leases(),
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(first, foreign, desired, leases, drops)| {
        let world = World::new(&first, &foreign, desired, leases, drops);
        let Some(plan) = world.plan() else {
            return Ok(());
        };
        accepted.set(accepted.get() + 1);
        check(&world, &plan)
            .map_err(|problem| TestCaseError::fail(explain(&world, &plan, &problem)))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(
        accepted.get() * 6 > cases,
        "only {} of {cases} states were accepted",
        accepted.get()
    );
}

fn explain(world: &World, plan: &Plan, problem: &str) -> String {
    let text = |state: &NetworkState| nipart_schemas::yaml::to_string(state).unwrap();
    let mut operations = String::new();
    for wave in &plan.waves {
        for operation in wave {
            operations.push_str(&format!("{operation}\n"));
        }
        operations.push('\n');
    }
    format!(
        "{problem}\n--- desired\n{}--- observed\n{}--- saved\n{}--- plan\n{operations}",
        text(&world.desired),
        text(&world.model.observed()),
        text(&world.saved)
    )
}

/// A refusal that the state has earned: of the kernel, and of nobody else.
fn is_users_fault(problem: &str) -> bool {
    problem.contains("user: ")
}

#[test]
fn what_was_planned_leaves_nothing_to_do() {
    for_every_world(3000, |world, plan| {
        let mut model = world.model.clone();
        match model.execute(plan) {
            Err(problem) if is_users_fault(&problem) => return Ok(()),
            other => other?,
        }
        let again = decide(&world.request(&model))
            .map_err(|error| format!("refused afterwards: {error}"))?;
        let left: Vec<String> = again.plan.operations().map(ToString::to_string).collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("left to do:\n{}", left.join("\n")))
        }
    });
}

#[test]
fn what_was_applied_and_saved_is_nothing_new() {
    for_every_world(1000, |world, plan| {
        let mut model = world.model.clone();
        if model.execute(plan).is_err() {
            return Ok(());
        }
        let saved = world.desired.laid_over(&world.saved);
        let again = DecisionRequest {
            saved,
            ..world.request(&model)
        };
        let again = decide(&again).map_err(|error| format!("refused afterwards: {error}"))?;
        if again.plan.is_empty() {
            Ok(())
        } else {
            Err(format!("not nothing: {:?}", again.plan))
        }
    });
}

#[test]
fn the_saved_state_can_be_brought_back() {
    for_every_world(1000, |world, plan| {
        let mut model = world.model.clone();
        if model.execute(plan).is_err() {
            return Ok(());
        }
        let saved = world.desired.laid_over(&world.saved);
        let start = DecisionRequest {
            missing: MissingInterfaces::Await,
            ..request(&saved, &bare(), &saved)
        };
        let decision = match decide(&start) {
            Ok(decision) => decision,
            // Two wishes of different times may exclude each other: what is saved is then brought back in pieces.
            Err(error) if error.message.contains("stacked upon itself") => return Ok(()),
            Err(error) if error.message.contains("at once") => return Ok(()),
            Err(error) => return Err(format!("refused at start: {error}")),
        };
        match bare().execute(&decision.plan) {
            // Routes may have needed addresses that nobody wrote down.
            Err(problem)
                if !is_users_fault(&problem)
                    && !problem.contains("can't be reached")
                    && !problem.contains("no local address") =>
            {
                Err(problem)
            }
            _ => Ok(()),
        }
    });
}

#[test]
fn a_plan_is_undone_wherever_it_stopped() {
    for_every_world(1500, |world, plan| {
        let before = world.model.observed();
        let operations: Vec<&Operation> = plan.operations().collect();
        let mut model = world.model.clone();
        for done in 0..=operations.len() {
            undo(&model, &before, &world.model, plan)
                .map_err(|problem| format!("after {done} operations: {problem}"))?;
            match operations.get(done) {
                Some(operation) if model.apply(operation).is_err() => break,
                _ => {}
            }
        }
        Ok(())
    });
}

fn undo(model: &Model, before: &NetworkState, expected: &Model, plan: &Plan) -> Result<(), String> {
    let mut model = model.clone();
    for round in 0..UNDO_ROUNDS {
        let decision = decide(&DecisionRequest {
            desired: before.clone(),
            observed: model.observed().into(),
            undo: Some(plan.clone()),
            ..DecisionRequest::default()
        });
        let undo = decision.map_err(|error| format!("refused: {error}"))?.plan;
        if undo.is_empty() {
            let (is, was) = (model.without_order(), expected.without_order());
            let (first, before) = (model.primary_addresses(), expected.primary_addresses());
            if first != before {
                return Err(format!("primary are {first:?}, and were {before:?}"));
            }
            return if is == was {
                Ok(())
            } else {
                Err(format!("not as before:\n{}", difference(&was, &is)))
            };
        }
        model
            .execute(&undo)
            .map_err(|problem| format!("undo, round {round}: {problem}"))?;
    }
    Err("the undo doesn't end".to_string())
}

#[test]
fn objects_of_others_survive() {
    for_every_world(2000, |world, plan| {
        let mut model = world.model.clone();
        if model.execute(plan).is_err() {
            return Ok(());
        }
        let (before, after) = (world.model.observed(), model.observed());
        for had in &before.interfaces {
            let Some(has) = after.interface(&had.name) else {
                if had.name == nipart_random::FOREIGN[0] {
                    return Err("the link of others is gone".to_string());
                }
                continue;
            };
            let wanted = world.desired.interface(&had.name);
            addresses_survive(had, has, wanted)?;
            alt_names_survive(had, has)?;
        }
        let survivors = before
            .running_routes()
            .iter()
            .filter(|route| route.protocol == Some(186));
        for route in survivors.filter(|route| is_reachable(&after, route)) {
            let mut same = after.running_routes().iter();
            // The last of several next hops is shown as a plain route.
            if !same.any(|other| other.key() == route.key()) && !is_named(&world.desired, route) {
                return Err(format!("route {route} of others is gone"));
            }
        }
        let absent = AbsentRules::of(world.desired.rules());
        let foreign = before.rules().iter().filter(|rule| !rule.is_marked());
        for rule in foreign.filter(|rule| !absent.take_away(rule, false)) {
            if !after.rules().contains(rule) {
                return Err(format!("rule {rule} of others is gone"));
            }
        }
        Ok(())
    });
}

fn addresses_survive(
    had: &Interface,
    has: &Interface,
    wanted: Option<&Interface>,
) -> Result<(), String> {
    let (ipv4, ipv6) = (
        wanted.and_then(|wanted| wanted.ipv4.as_ref()),
        wanted.and_then(|wanted| wanted.ipv6.as_ref()),
    );
    let clears_ipv4 = ipv4
        .is_some_and(|ipv4| ipv4.enabled == Some(false) || ipv4.allow_extra_address == Some(false));
    let loses_ipv6 = ipv6.is_some_and(|ipv6| ipv6.enabled == Some(false))
        || has.state == Some(InterfaceState::Down);
    let present = crate::model::addresses(has);
    for address in crate::model::addresses(had) {
        let is_gone = !present.iter().any(|other| other == &address);
        let may_go = if address.ip.is_ipv4() {
            clears_ipv4
        } else {
            loses_ipv6
        };
        if address.protocol.is_none() && is_gone && !may_go {
            return Err(format!(
                "address {address} of others on {} is gone",
                had.name
            ));
        }
    }
    Ok(())
}

fn alt_names_survive(had: &Interface, has: &Interface) -> Result<(), String> {
    let mut names = had
        .alt_names
        .iter()
        .flatten()
        .filter(|name| name.name.ends_with("foreign"));
    match names.find(|name| !has.alt_names.iter().flatten().any(|other| other == *name)) {
        Some(name) => Err(format!("the name {} of others is gone", name.name)),
        None => Ok(()),
    }
}

/// Whether the kernel could have the route: its link is up and has an address of the family.
fn is_reachable(after: &NetworkState, route: &Route) -> bool {
    let Some(name) = route.next_hop_interface.as_deref() else {
        return true;
    };
    let Some(link) = after.interface(name) else {
        return false;
    };
    let list = crate::model::addresses(link);
    let mut of_family = list
        .iter()
        .filter(|address| address.ip.is_ipv6() == route.is_ipv6());
    link.state == Some(InterfaceState::Up) && of_family.next().is_some()
}

fn is_named(desired: &NetworkState, route: &Route) -> bool {
    let mut absent = desired
        .config_routes()
        .iter()
        .filter(|entry| entry.is_absent());
    absent.any(|entry| entry.destination.is_some() && entry.matches(route))
}
