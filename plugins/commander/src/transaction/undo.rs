// SPDX-License-Identifier: Apache-2.0

//! Taking a transaction back, however far it got.

use std::collections::HashSet;
use std::time::Duration;

use nipart_schemas::decision::DecisionRequest;
use nipart_schemas::dns::{DnsOrigin, DnsSource};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{Address, PROTOCOL_DHCP};
use nipart_schemas::journal::{Journal, JournalClosing};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::route::{Route, RouteKey};
use tokio::time::Instant;

use super::touched::scope_of;
use crate::ask;
use crate::peers::Peers;

/// The whole undo, waiting for plugins that are being restarted included.
const BUDGET: Duration = Duration::from_secs(120);
/// One undo, one look, and once more for what the kernel did late.
const ROUNDS: usize = 4;

/// Makes everything that the journal's plan touched what it was, checks that, and closes the journal.
///
/// # Errors
/// When the old state can't be reached; the journal then stays.
pub async fn undo(peers: &impl Peers, journal: &Journal) -> Result<(), NipartError> {
    let deadline = Instant::now() + BUDGET;
    let mut last = None;
    for _ in 0..ROUNDS {
        let step = ask::patiently(deadline, || step(peers, journal)).await?;
        if step.is_done {
            let closing = JournalClosing {
                id: journal.id,
                commit: None,
            };
            return ask::patiently(deadline, || ask::close_journal(peers, closing.clone())).await;
        }
        last = step.problem;
    }
    Err(last.unwrap_or_else(|| {
        NipartError::new(
            ErrorKind::VerificationFailed,
            format!("the network still differs from what it was after {ROUNDS} tries"),
        )
    }))
}

struct Step {
    is_done: bool,
    problem: Option<NipartError>,
}

/// Looks what differs from before, and undoes that.
async fn step(peers: &impl Peers, journal: &Journal) -> Result<Step, NipartError> {
    let observed = ask::query(peers, scope_of(journal)).await?;
    let request = DecisionRequest {
        desired: journal.before.clone(),
        observed: observed.clone(),
        undo: Some(journal.plan.clone()),
        ..DecisionRequest::default()
    };
    let mut plan = ask::decide(peers, request).await?.plan;
    if plan.is_empty() {
        plan = without_leases(journal, &observed);
    }
    if plan.is_empty() {
        return Ok(Step {
            is_done: true,
            problem: None,
        });
    }
    let report = ask::execute(peers, plan).await?;
    Ok(Step {
        is_done: false,
        problem: report.failures.into_iter().next(),
    })
}

/// Takes off what a DHCP client has brought that only an unconfirmed change wanted: no plan speaks of it.
fn without_leases(journal: &Journal, observed: &NetworkState) -> Plan {
    let names = turned_on(journal);
    let before = journal.before.by_name();
    let mut addresses = Vec::new();
    for interface in &observed.interfaces {
        if !names.contains(&interface.name.as_str()) {
            continue;
        }
        let known: Vec<_> = before
            .get(interface.name.as_str())
            .map(|before| leased(before).map(|address| address.key()).collect())
            .unwrap_or_default();
        let new = leased(interface).filter(|address| !known.contains(&address.key()));
        addresses.extend(new.map(|address| Operation::RemoveAddress {
            interface: interface.name.clone(),
            address,
        }));
    }
    let known: HashSet<RouteKey> = journal
        .before
        .running_routes()
        .iter()
        .map(Route::key)
        .collect();
    let is_new = |route: &&Route| {
        let through = route.next_hop_interface.as_deref();
        route.protocol == Some(PROTOCOL_DHCP)
            && through.is_some_and(|name| names.contains(&name))
            && !known.contains(&route.key())
    };
    let routes = observed.running_routes().iter().filter(is_new).cloned();
    let routes: Vec<Operation> = routes.map(Operation::RemoveRoute).collect();
    let section = observed.dns_resolver.iter();
    let sources = section.flat_map(|section| &section.sources);
    let is_new = |source: &&DnsSource| {
        let of = source.interface.as_deref();
        source.origin == DnsOrigin::Dhcp
            && of.is_some_and(|name| names.contains(&name))
            && journal
                .before
                .dns_resolver
                .as_ref()
                .is_none_or(|before| before.source(of, DnsOrigin::Dhcp).is_none())
    };
    let sources = sources.filter(is_new).map(|source| {
        Operation::ChangeDns(DnsSource::new(source.interface.as_deref(), source.origin))
    });
    let mut waves = vec![routes, addresses, sources.collect()];
    waves.retain(|wave| !wave.is_empty());
    Plan { waves }
}

/// Interfaces on which an unconfirmed change has turned on DHCP.
pub(crate) fn turned_on(journal: &Journal) -> Vec<&str> {
    let commit = journal
        .checkpoint
        .as_ref()
        .map(|checkpoint| &checkpoint.commit);
    let interfaces = commit
        .into_iter()
        .flat_map(|commit| &commit.state.interfaces);
    interfaces
        .filter(|interface| interface.wants_dhcpv4())
        .map(|interface| interface.name.as_str())
        .collect()
}

fn leased(interface: &Interface) -> impl Iterator<Item = Address> + '_ {
    let list = interface
        .ipv4
        .as_ref()
        .and_then(|ipv4| ipv4.address.as_ref());
    list.into_iter()
        .flatten()
        .map(Address::any_family)
        .filter(|address| address.protocol == Some(PROTOCOL_DHCP))
}
