// SPDX-License-Identifier: Apache-2.0

//! Locks of interfaces: conflicting changes run one after the other, disjoint ones side by side.
//!
//! All names of a change are asked for at once, so that no two can wait for each other. Who asked first is first:
//! a request waits also for earlier ones that wait themselves.

mod table;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::Route;
use tokio::sync::oneshot;

pub use self::table::LockSet;
use self::table::{LockTable, Ticket};

/// What all routes that drop packets share; no interface can have such a name.
const ROUTES_WITHOUT_INTERFACE: &str = "routes without interface";
/// What all rules share: priorities are given in one order.
const RULES: &str = "route rules";

/// What those share that are about the whole machine.
const DNS_RESOLVER: &str = "DNS resolver";
const HOST_NAME: &str = "host name";

/// The locks; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Locks(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    table: LockTable,
    waiting: Vec<(Ticket, oneshot::Sender<()>)>,
}

/// Held locks; given back when dropped.
#[derive(Debug)]
pub struct LockGuard {
    locks: Locks,
    /// None while they are given back to be asked for anew, with more.
    ticket: Option<Ticket>,
    set: LockSet,
    holder: String,
    timeout: Duration,
}

impl Locks {
    /// Waits until nobody else holds any of `set`, for at most `timeout`. `holder` is how others are told of us.
    ///
    /// # Errors
    /// Kind `busy`, naming who holds it, when the time passed.
    pub async fn acquire(
        &self,
        set: LockSet,
        holder: &str,
        timeout: Duration,
    ) -> Result<LockGuard, NipartError> {
        let described = set.to_string();
        // The guard comes first: dropped while waiting, it takes the request back.
        let (guard, ticket, granted) = {
            let mut shared = self.shared();
            let ticket = shared.table.request(set.clone(), holder);
            let granted = if shared.table.is_granted(ticket) {
                None
            } else {
                let (sender, receiver) = oneshot::channel();
                shared.waiting.push((ticket, sender));
                Some(receiver)
            };
            (self.guard(ticket, set, holder, timeout), ticket, granted)
        };
        let Some(granted) = granted else {
            return Ok(guard);
        };
        match tokio::time::timeout(timeout, granted).await {
            Ok(_) => Ok(guard),
            Err(_) => {
                let shared = self.shared();
                let holder = shared.table.in_the_way_of(ticket);
                let waited = match timeout.as_secs() {
                    0 => String::new(),
                    seconds => format!(", and has not ended within {seconds} s"),
                };
                Err(NipartError::new(
                    ErrorKind::Busy,
                    format!(
                        "{described} is held by {}{waited}",
                        holder.unwrap_or_default()
                    ),
                ))
            }
        }
    }

    /// Holds `set` from now on, although others hold or await it: for who goes on with the work of one that holds it.
    pub fn hold(&self, set: LockSet, holder: &str) -> LockGuard {
        let ticket = self.shared().table.hold(set.clone(), holder);
        self.guard(ticket, set, holder, Duration::ZERO)
    }

    fn guard(&self, ticket: Ticket, set: LockSet, holder: &str, timeout: Duration) -> LockGuard {
        LockGuard {
            locks: self.clone(),
            ticket: Some(ticket),
            set,
            holder: holder.to_string(),
            timeout,
        }
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        // Nothing panics while it is held; a poisoned table is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LockGuard {
    fn give_back(&mut self) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let mut shared = self.locks.shared();
        shared.table.release(ticket);
        let Shared { table, waiting } = &mut *shared;
        waiting.retain(|(ticket, _)| table.is_known(*ticket));
        let mut index = 0;
        while index < waiting.len() {
            if table.is_granted(waiting[index].0) {
                let (_, sender) = waiting.swap_remove(index);
                // A receiver that has gone drops its guard, which takes the ticket back.
                let _ = sender.send(());
            } else {
                index += 1;
            }
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Whether all of `set` is held. If not, everything is given back and asked for anew with that: two changes that each
/// lacked what the other has would wait for ever. What was seen under the old locks counts no more then.
///
/// # Errors
/// Those of [`Locks::acquire`]; then some of the guards hold nothing.
pub async fn cover(guards: &mut [LockGuard], set: &LockSet) -> Result<bool, NipartError> {
    let mut held = guards.iter();
    if held.all(|guard| guard.ticket.is_some() && guard.set.covers(set)) {
        return Ok(true);
    }
    for guard in guards.iter_mut() {
        guard.give_back();
        guard.set = guard.set.with(set);
    }
    for guard in guards {
        let all = guard.locks.clone();
        *guard = all
            .acquire(guard.set.clone(), &guard.holder, guard.timeout)
            .await?;
    }
    Ok(false)
}

/// What a change locks that is about the resolver or the name of the whole machine, or about rules.
pub(crate) fn of_machine(
    resolver: bool,
    host_name: bool,
    rules: bool,
) -> impl Iterator<Item = String> {
    let locks = [
        resolver.then_some(DNS_RESOLVER),
        host_name.then_some(HOST_NAME),
        rules.then_some(RULES),
    ];
    locks.into_iter().flatten().map(str::to_string)
}

/// What a change to `state` locks: every interface that it names, and everything when it may remove routes of any.
pub fn set_for(state: &NetworkState) -> LockSet {
    let mut names = state.mentioned_interfaces();
    names.extend(of_machine(
        state.dns_resolver.is_some(),
        state.hostname.is_some(),
        !state.rules().is_empty(),
    ));
    for route in state.config_routes() {
        match (&route.next_hop_interface, route.route_type) {
            (None, None) if route.is_absent() => return LockSet::All,
            (None, _) => {
                names.insert(ROUTES_WITHOUT_INTERFACE.to_string());
            }
            // Its other next hops lead through other interfaces.
            (Some(_), _) if route.is_hop() => {
                let slot = Route {
                    destination: route.destination,
                    metric: Some(route.effective_metric()),
                    table_id: Some(route.table()),
                    vrf_name: route.vrf_name.clone(),
                    ..Route::default()
                };
                names.insert(format!("route {slot}"));
            }
            _ => {}
        }
    }
    LockSet::Names(names)
}
