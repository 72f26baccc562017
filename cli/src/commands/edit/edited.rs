// SPDX-License-Identifier: Apache-2.0

//! What was changed in a file that somebody has edited. Only that is applied, so that what was merely shown isn't saved
//! as if it had been wanted.

use nipart_schemas::error::NipartError;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::Routes;
use nipart_schemas::route_rule::RouteRules;

/// The changed part of a file.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) state: NetworkState,
    /// For each list of the state, where its items stood in the file.
    places: Vec<(&'static str, Vec<usize>)>,
}

impl Edited {
    /// The items of `now` that are not the same in `before`.
    pub(super) fn of(now: &NetworkState, before: &NetworkState) -> Self {
        let known = before.by_name();
        let (interfaces, of_interfaces) = changed(&now.interfaces, |interface| {
            known.get(interface.name.as_str()) == Some(&interface)
        });
        let (routes, of_routes) = changed(now.config_routes(), |route| {
            before.config_routes().contains(route)
        });
        let (rules, of_rules) = changed(now.rules(), |rule| before.rules().contains(rule));
        let mut state = NetworkState {
            interfaces,
            routes: Routes::of(routes),
            route_rules: RouteRules::of(rules),
            ..now.clone()
        };
        if state.hostname == before.hostname {
            state.hostname = None;
        }
        if state.dns_resolver == before.dns_resolver {
            state.dns_resolver = None;
        }
        Self {
            state,
            places: vec![
                ("interfaces", of_interfaces),
                ("routes.config", of_routes),
                ("route-rules.config", of_rules),
            ],
        }
    }

    /// The same error, with the path that its place has in the file.
    pub(super) fn in_file(&self, mut error: NipartError) -> NipartError {
        let path = error.path.as_deref();
        if let Some(path) = path.and_then(|path| self.path_in_file(path)) {
            error.path = Some(path);
        }
        error
    }

    fn path_in_file(&self, path: &str) -> Option<String> {
        let (list, rest) = path.split_once('[')?;
        let (index, rest) = rest.split_once(']')?;
        let (_, places) = self.places.iter().find(|(name, _)| *name == list)?;
        let place = places.get(index.parse::<usize>().ok()?)?;
        Some(format!("{list}[{place}]{rest}"))
    }
}

/// The items that aren't known, and where they stand.
fn changed<T: Clone>(list: &[T], is_known: impl Fn(&T) -> bool) -> (Vec<T>, Vec<usize>) {
    let items = list.iter().enumerate();
    let changed = items.filter(|(_, item)| !is_known(item));
    changed.map(|(index, item)| (item.clone(), index)).unzip()
}

#[cfg(test)]
mod tests {
    use nipart_schemas::yaml;

    use super::*;

    const BEFORE: &str = "\
hostname: {running: one}
interfaces: [{name: eth0, mtu: 1500}, {name: eth1, mtu: 1500}, {name: eth2}]
routes:
  config:
  - {destination: 192.0.2.0/24, next-hop-interface: eth0}
  - {destination: 198.51.100.0/24, next-hop-interface: eth0}
";

    fn state(text: &str) -> NetworkState {
        yaml::parse(text).unwrap()
    }

    #[test]
    fn only_what_was_changed_is_left() {
        let before = state(BEFORE);
        assert!(Edited::of(&before, &before).state.is_empty());
        let now = BEFORE
            .replace("eth1, mtu: 1500", "eth1, mtu: 1400")
            .replace("198.51.100", "203.0.113");
        let edited = Edited::of(&state(&now), &before);
        let expected = "\
interfaces: [{name: eth1, mtu: 1400}]
routes: {config: [{destination: 203.0.113.0/24, next-hop-interface: eth0}]}
";
        assert_eq!(edited.state, state(expected));
        for (path, expected) in [
            ("interfaces[0].mtu", "interfaces[1].mtu"),
            ("routes.config[0]", "routes.config[1]"),
            ("route-rules.config[0]", "route-rules.config[0]"),
            ("hostname.running", "hostname.running"),
        ] {
            let error = edited.in_file(NipartError::invalid(path, "no"));
            assert_eq!(error.path.as_deref(), Some(expected));
        }
        let renamed = Edited::of(&state(&BEFORE.replace("one", "two")), &before);
        assert_eq!(renamed.state, state("hostname: {running: two}"));
    }
}
