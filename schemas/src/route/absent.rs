// SPDX-License-Identifier: Apache-2.0

//! What the `absent` entries of a list mean, looked up by destination: lists may be long.

use std::collections::HashMap;

use super::{IpNetwork, Route};

/// The `absent` entries of a list of routes.
#[derive(Debug, Default)]
pub struct AbsentRoutes<'a> {
    by_destination: HashMap<IpNetwork, Vec<&'a Route>>,
    open: Vec<&'a Route>,
}

impl<'a> AbsentRoutes<'a> {
    /// Those of `routes`.
    pub fn of(routes: &'a [Route]) -> Self {
        let mut absent = Self::default();
        for entry in routes.iter().filter(|route| route.is_absent()) {
            match entry.destination {
                Some(destination) => absent
                    .by_destination
                    .entry(destination)
                    .or_default()
                    .push(entry),
                None => absent.open.push(entry),
            }
        }
        absent
    }

    /// The entries that mean `route`.
    pub fn meaning<'s>(&'s self, route: &'s Route) -> impl Iterator<Item = &'a Route> + 's {
        let named = route
            .destination
            .and_then(|destination| self.by_destination.get(&destination));
        named
            .into_iter()
            .flatten()
            .chain(&self.open)
            .copied()
            .filter(move |entry| entry.matches(route))
    }

    /// Whether an entry means `route`.
    pub fn mean(&self, route: &Route) -> bool {
        self.meaning(route).next().is_some()
    }
}
