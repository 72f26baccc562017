// SPDX-License-Identifier: Apache-2.0

//! Routes with several next hops. The kernel has each as one object (IPv4) or loses parts of it by rules of its own
//! (IPv6): where anything about one changes, it is replaced as a whole.

use std::collections::{BTreeMap, HashMap, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::interface::InterfaceState;
use nipart_schemas::route::{Route, RouteKey, RouteSlot};

use super::is_ours;
use super::loss::{Links, Loss, OnLink, can_come_back};
use crate::context::Context;
use crate::goal::Goals;

/// A route that changes: what goes, and what comes in its place.
#[derive(Debug, Default)]
pub(crate) struct Multipath {
    pub(crate) present: Vec<Route>,
    pub(crate) wanted: Vec<Route>,
}

/// What is known of next hops before they are put together.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Wanted ones.
    pub(crate) wanted: Vec<Route>,
    /// Present ones that go.
    pub(crate) unwanted: HashSet<RouteKey>,
    /// Routes in these slots are to have exactly the wanted next hops and properties.
    pub(crate) exact: HashSet<RouteSlot>,
}

impl Paths {
    /// Puts the next hops of each route together, and finds those that change.
    pub(crate) fn resolve(self, context: &Context<'_>, goals: &mut Goals<'_>) {
        let mut groups: BTreeMap<RouteSlot, Multipath> = BTreeMap::new();
        let running = context.observed.running_routes();
        for hop in running.iter().filter(|route| route.is_hop()) {
            let group = groups.entry(hop.slot()).or_default();
            group.present.push(hop.clone());
        }
        for hop in &self.wanted {
            let group = groups.entry(hop.slot()).or_default();
            group.wanted.push(hop.clone());
        }
        if groups.is_empty() {
            return;
        }
        join_lone_hops(context, goals, &mut groups);
        make_way(context, goals, &self, &mut groups);
        let loss = Loss::of(goals);
        let changes: Vec<Multipath> = {
            let after = After {
                context,
                links: Links::of(goals),
                on_link: OnLink::of(
                    goals
                        .routes
                        .iter()
                        .chain(running.iter().filter(|route| !loss.takes(route))),
                ),
            };
            groups
                .into_iter()
                .filter_map(|(slot, group)| {
                    self.change(group, self.exact.contains(&slot), &loss, &after)
                })
                .collect()
        };
        goals.multipaths.extend(changes);
    }

    /// The change of one route, if there is any.
    fn change(
        &self,
        group: Multipath,
        exact: bool,
        loss: &Loss,
        after: &After<'_, '_>,
    ) -> Option<Multipath> {
        let Multipath {
            present,
            mut wanted,
        } = group;
        let by_key: HashMap<RouteKey, &Route> =
            present.iter().map(|hop| (hop.key(), hop)).collect();
        let named: HashSet<RouteKey> = wanted.iter().map(Route::key).collect();
        let staying: Vec<&Route> = present
            .iter()
            .filter(|hop| {
                let key = hop.key();
                !exact && !named.contains(&key) && !self.unwanted.contains(&key)
            })
            .collect();
        let is_unchanged = |wanted: &[Route]| {
            let is_single = wanted.len() + staying.len() == 1;
            let is_as_wanted = |hop: &Route| {
                by_key.get(&hop.key()).is_some_and(|present| {
                    let has_properties = if exact {
                        hop.is_like(present)
                    } else {
                        hop.is_satisfied_by(present)
                    };
                    has_properties && (is_single || hop.weight == present.weight)
                })
            };
            wanted.iter().all(is_as_wanted)
                && staying.len() + wanted.len() == present.len()
                && !present.iter().any(|hop| loss.takes(hop))
        };
        if is_unchanged(&wanted) {
            return None;
        }
        if exact {
            // What the kernel kept as dead can't be added again.
            wanted.retain(|hop| after.has_room_for(hop));
            if is_unchanged(&wanted) {
                return None;
            }
        }
        let staying = staying.into_iter().filter(|hop| after.has_room_for(hop));
        let mut hops: Vec<Route> = wanted.iter().cloned().chain(staying.cloned()).collect();
        // What belongs to the route and not to a hop is the same for all.
        if let Some((first, others)) = hops.split_first_mut() {
            others
                .iter()
                .for_each(|other| take_properties(first, other));
            others.iter_mut().for_each(|other| {
                take_properties(other, first);
                other.protocol = first.protocol;
            });
        }
        Some(Multipath {
            present,
            wanted: hops,
        })
    }
}

/// What there will be when links have changed.
struct After<'c, 'g> {
    context: &'c Context<'c>,
    links: Links<'g>,
    on_link: OnLink<'g>,
}

impl After<'_, '_> {
    /// Whether the kernel would take the hop again.
    fn has_room_for(&self, hop: &Route) -> bool {
        let Some(name) = hop.next_hop_interface.as_deref() else {
            return true;
        };
        let is_down = self
            .context
            .present
            .get(name)
            .is_some_and(|present| present.state == Some(InterfaceState::Down));
        match self.links.goal_of(hop) {
            Some(goal) if goal.up == Some(true) || (goal.up.is_none() && !is_down) => {
                can_come_back(hop, goal, &self.on_link)
            }
            Some(_) => false,
            None => !is_down && !self.context.doomed.contains(name),
        }
    }
}

/// The last of several next hops is shown as a plain route: it joins the wanted ones when they name it, or when it
/// was one of several before.
fn join_lone_hops(
    context: &Context<'_>,
    goals: &Goals<'_>,
    groups: &mut BTreeMap<RouteSlot, Multipath>,
) {
    let was_hop: HashMap<RouteKey, Option<u16>> = context
        .saved
        .config_routes()
        .iter()
        .filter(|route| route.is_hop())
        .map(|route| (route.key(), route.weight))
        .collect();
    let unwanted: HashSet<RouteKey> = goals.unwanted_routes.iter().map(Route::key).collect();
    for route in context.observed.running_routes() {
        if route.is_hop() || route.route_type.is_some() || route.is_kernels() {
            continue;
        }
        let Some(group) = groups.get_mut(&route.slot()) else {
            continue;
        };
        let key = route.key();
        let is_named = group.wanted.iter().any(|hop| hop.key() == key);
        if !group.wanted.is_empty()
            && !unwanted.contains(&key)
            && (is_named || was_hop.contains_key(&key))
        {
            group.present.push(Route {
                weight: was_hop.get(&key).copied().flatten().or(Some(1)),
                ..route.clone()
            });
        }
    }
}

/// A plain route in the place of several next hops, and several next hops in the place of somebody else's: at start
/// they take it, a user has to name what is to go.
fn make_way(
    context: &Context<'_>,
    goals: &mut Goals<'_>,
    paths: &Paths,
    groups: &mut BTreeMap<RouteSlot, Multipath>,
) {
    let owned = context.saved_route_keys();
    let takes_all = context.missing == MissingInterfaces::Await;
    let plain: HashSet<RouteSlot> = goals.routes.iter().map(Route::slot).collect();
    let mut clashes = Vec::new();
    let mut changes = Vec::new();
    groups.retain(|slot, group| {
        let is_replaced = plain.contains(slot);
        let stays = |hop: &Route| !paths.unwanted.contains(&hop.key());
        let is_named = |hop: &Route| group.wanted.iter().any(|other| other.key() == hop.key());
        let is_foreign = |hop: &Route| stays(hop) && !is_ours(&owned, hop) && !is_named(hop);
        if is_replaced {
            let wanted = goals.routes.iter().find(|route| route.slot() == *slot);
            let others = group
                .present
                .iter()
                .filter(|hop| stays(hop) && wanted.is_none_or(|wanted| wanted.key() != hop.key()));
            if takes_all || others.count() == 0 {
                changes.push(Multipath {
                    present: std::mem::take(&mut group.present),
                    wanted: Vec::new(),
                });
            }
            return false;
        }
        if group.wanted.is_empty()
            || paths.exact.contains(slot)
            || !group.present.iter().any(is_foreign)
        {
            return true;
        }
        if takes_all {
            changes.push(std::mem::take(group));
        } else {
            clashes.extend(group.wanted.first().cloned());
        }
        false
    });
    goals.multipaths.extend(changes);
    goals.routes.extend(clashes);
}

/// Fills in what belongs to a route as a whole.
fn take_properties(route: &mut Route, other: &Route) {
    route.source = route.source.or(other.source);
    route.mtu = route.mtu.or(other.mtu);
    route.lock_mtu = route.lock_mtu.or(other.lock_mtu);
    route.advmss = route.advmss.or(other.advmss);
    route.cwnd = route.cwnd.or(other.cwnd);
    route.initcwnd = route.initcwnd.or(other.initcwnd);
    route.initrwnd = route.initrwnd.or(other.initrwnd);
    route.quickack = route.quickack.or(other.quickack);
}
