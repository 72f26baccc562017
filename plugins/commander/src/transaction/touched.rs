// SPDX-License-Identifier: Apache-2.0

//! What a transaction can have touched, read from its journal: pure.

use std::collections::BTreeSet;

use nipart_schemas::journal::Journal;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::request::QueryScope;
use nipart_schemas::route::Route;

use crate::lock::{self, LockSet};

/// Whether what is to be known of the route can't be found around one interface: an entry that names none may mean
/// any, routes that drop packets lead through none, and the other next hops of a route lead through others.
pub(super) fn reaches_beyond(route: &Route) -> bool {
    route.next_hop_interface.is_none() || route.is_hop()
}

/// The interfaces that the change is about.
pub(crate) fn touched_by(journal: &Journal) -> BTreeSet<String> {
    match &journal.checkpoint {
        Some(checkpoint) => checkpoint.commit.state.mentioned_interfaces(),
        None => planned(&journal.plan),
    }
}

/// What is locked while the plan is carried out.
pub(super) fn needed_by(plan: &Plan) -> LockSet {
    LockSet::Names(planned(plan))
}

/// What its undo locks.
pub(crate) fn locks_of(journal: &Journal) -> LockSet {
    let scope = scope_of(journal);
    match (&journal.checkpoint, scope.interfaces) {
        // As while it was made: what it mentions, and what goes along with that.
        (Some(checkpoint), _) => {
            lock::set_for(&checkpoint.commit.state).with(&needed_by(&journal.plan))
        }
        (None, Some(names)) if !scope.all_routes => {
            let any = |is_meant: fn(&Operation) -> bool| journal.plan.operations().any(is_meant);
            let of_machine = lock::of_machine(
                any(
                    |operation| matches!(operation, Operation::ChangeDns(source) if source.interface.is_none()),
                ),
                any(|operation| matches!(operation, Operation::ChangeHostName(_))),
                scope.rules,
            );
            LockSet::Names(names.into_iter().chain(of_machine).collect())
        }
        _ => LockSet::All,
    }
}

/// Where its undo looks.
pub(super) fn scope_of(journal: &Journal) -> QueryScope {
    let before = journal.before.interfaces.iter();
    let before = before.map(|interface| interface.name.clone());
    let names: BTreeSet<String> = before.chain(planned(&journal.plan)).collect();
    let mut routes = journal.plan.operations().flat_map(Operation::routes);
    QueryScope {
        interfaces: Some(names.into_iter().collect()),
        routes: true,
        dns: journal.before.dns_resolver.is_some(),
        all_routes: routes.any(reaches_beyond),
        rules: journal
            .plan
            .operations()
            .any(|operation| operation.rule().is_some()),
        hardware: journal.before.with_hardware(),
        ..QueryScope::default()
    }
}

fn planned(plan: &Plan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for operation in plan.operations() {
        names.extend(operation.interface().map(str::to_string));
        let hops = operation.routes();
        names.extend(hops.filter_map(|route| route.next_hop_interface.clone()));
        if let Operation::CreateLink {
            peer: Some(peer), ..
        } = operation
        {
            names.insert(peer.name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use nipart_schemas::journal::{Checkpoint, Commit};
    use nipart_schemas::network_state::NetworkState;
    use uuid::Uuid;

    use super::*;

    fn journal(routes: &str) -> Journal {
        let text = format!("routes: {{config: [{routes}]}}");
        let state: NetworkState = nipart_schemas::yaml::parse(&text).unwrap();
        let before = "interfaces: [{name: v0}]";
        Journal {
            id: Uuid::nil(),
            before: nipart_schemas::yaml::parse(before).unwrap(),
            begun: None,
            plan: Plan {
                waves: vec![vec![Operation::AddMultipathRoute(
                    state.config_routes().to_vec(),
                )]],
            },
            origin: None,
            checkpoint: None,
        }
    }

    #[test]
    fn what_goes_along_with_an_unconfirmed_change_is_locked_with_it() {
        let mut journal = journal("{destination: 192.0.2.0/24, next-hop-interface: v1}");
        let state = "interfaces: [{name: v0}]";
        journal.checkpoint = Some(Checkpoint {
            boot_id: String::new(),
            deadline_ms: 0,
            commit: Commit {
                state: nipart_schemas::yaml::parse(state).unwrap(),
                volatile: false,
            },
        });
        let names = ["v0", "v1"].map(str::to_string);
        assert_eq!(locks_of(&journal), LockSet::Names(names.into()));
    }

    #[test]
    fn every_next_hop_is_looked_at() {
        let hop = |interface: &str| {
            format!("{{destination: 192.0.2.0/24, next-hop-interface: {interface}, weight: 1}}")
        };
        let hops = journal(&format!("{}, {}", hop("v1"), hop("v2")));
        let scope = scope_of(&hops);
        let names = ["v0", "v1", "v2"].map(str::to_string);
        assert_eq!(scope.interfaces.as_deref(), Some(&names[..]));
        assert!(scope.all_routes);
        assert_eq!(locks_of(&hops), LockSet::All);
        let alone = journal("{destination: 192.0.2.0/24, next-hop-interface: v1}");
        assert!(!scope_of(&alone).all_routes);
        let names = ["v0", "v1"].map(str::to_string);
        assert_eq!(locks_of(&alone), LockSet::Names(names.into()));
    }
}
