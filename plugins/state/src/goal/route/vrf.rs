// SPDX-License-Identifier: Apache-2.0

//! Routes that were written by the name of a VRF are that VRF's: they follow it into another table, and go with it. In
//! the old table they would lead the packets of whoever has it next into the VRF's links.

use std::collections::{HashMap, HashSet};

use nipart_schemas::route::{AbsentRoutes, Route, RouteKey};

use super::loss::{Links, OnLink, can_come_back};
use crate::context::Context;
use crate::goal::Goals;

/// Present routes whose VRF gets another table, or goes.
pub(super) struct OfVrfs<'a> {
    /// By what they are now, with the table that they are to be in.
    tables: HashMap<RouteKey, Option<u32>>,
    following: Vec<Route>,
    absent: &'a AbsentRoutes<'a>,
}

impl<'a> OfVrfs<'a> {
    pub(super) fn of(context: &Context<'_>, absent: &'a AbsentRoutes<'a>) -> Self {
        let tables = context.saved.config_routes().iter().filter_map(|route| {
            let (old, new) = context.change_of_table(route.vrf_name.as_deref()?)?;
            Some((in_table(route, old).key(), new))
        });
        Self {
            tables: tables.collect(),
            following: Vec::new(),
            absent,
        }
    }

    /// Whether the route leaves its table. What it is to be afterwards is noted unless it is among the wanted.
    pub(super) fn leaves(&mut self, route: &Route, wanted: &HashSet<RouteKey>) -> bool {
        let Some(table) = self.tables.get(&route.key()) else {
            return false;
        };
        let following = table.map(|table| in_table(route, table));
        let is_new = |new: &Route| !wanted.contains(&new.key()) && !self.absent.mean(new);
        self.following.extend(following.filter(is_new));
        true
    }

    /// Those that are to be in another table, as far as their links can still carry them.
    pub(super) fn following(self, goals: &Goals<'_>) -> Vec<Route> {
        let links = Links::of(goals);
        let on_link = OnLink::of(self.following.iter().chain(&goals.routes));
        let is_carried = |route: &&Route| {
            let goal = links.goal_of(route);
            goal.is_none_or(|goal| can_come_back(route, goal, &on_link))
        };
        let following = self.following.iter().filter(is_carried);
        following.cloned().collect()
    }
}

fn in_table(route: &Route, table: u32) -> Route {
    Route {
        vrf_name: None,
        table_id: Some(table),
        ..route.clone()
    }
}
