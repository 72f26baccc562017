// SPDX-License-Identifier: Apache-2.0

//! Other names for interfaces, wherever a state has them.

use std::collections::BTreeMap;

use super::NetworkState;
use crate::dns::DnsConfig;
use crate::interface::Interface;

impl NetworkState {
    /// Replaces every reference to another interface: those of interfaces, of routes, of DNS servers. What `new_name` gives
    /// none for stays.
    ///
    /// # Errors
    /// The first that `new_name` returns, with its path.
    pub fn replace_references<E>(
        &mut self,
        new_name: impl Fn(&str) -> Result<Option<String>, E>,
    ) -> Result<(), (String, E)> {
        let replace = |name: &mut String| -> Result<(), E> {
            if let Some(new) = new_name(name)? {
                *name = new;
            }
            Ok(())
        };
        for (index, interface) in self.interfaces.iter_mut().enumerate() {
            for (place, name) in interface.references_mut() {
                replace(name).map_err(|error| (format!("interfaces[{index}].{place}"), error))?;
            }
        }
        let config = self.dns_resolver.iter_mut();
        let config = config.filter_map(|section| section.config.as_mut());
        let result = config.flat_map(DnsConfig::zones_mut).try_for_each(replace);
        result.map_err(|error| ("dns-resolver.config".to_string(), error))?;
        let routes = self.routes.iter_mut();
        let routes = routes.flat_map(|routes| routes.config.iter_mut().flatten());
        for (index, route) in routes.enumerate() {
            let names = [
                ("next-hop-interface", &mut route.next_hop_interface),
                ("vrf-name", &mut route.vrf_name),
            ];
            for (key, name) in names {
                let result = name.iter_mut().try_for_each(replace);
                result.map_err(|error| (format!("routes.config[{index}].{key}"), error))?;
            }
        }
        Ok(())
    }

    /// The same with other names for these interfaces, everywhere.
    #[must_use]
    pub fn renamed(mut self, names: &BTreeMap<String, String>) -> Self {
        for interface in &mut self.interfaces {
            if let Some(name) = names.get(&interface.name) {
                interface.name.clone_from(name);
            }
        }
        let new_name = |name: &str| Ok::<_, std::convert::Infallible>(names.get(name).cloned());
        match self.replace_references(new_name) {
            Ok(()) => self,
            Err((_, never)) => match never {},
        }
    }

    /// Names in this state of links that `upper` knows by another one, because their identity is the same.
    pub(super) fn names_for(&self, upper: &Self) -> BTreeMap<String, String> {
        let identified = |state: &'_ Self| -> Vec<Interface> {
            let interfaces = state.interfaces.iter();
            interfaces
                .filter(|interface| interface.identity().is_some())
                .cloned()
                .collect()
        };
        let upper = identified(upper);
        if upper.is_empty() {
            return BTreeMap::new();
        }
        let own = identified(self).into_iter();
        own.filter_map(|own| {
            let mut known = upper.iter();
            let same = known.find(|known| known.identity() == own.identity())?;
            (same.name != own.name).then(|| (own.name, same.name.clone()))
        })
        .collect()
    }
}
