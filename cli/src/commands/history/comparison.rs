// SPDX-License-Identifier: Apache-2.0

//! Two whole states side by side: what is in only one of them differs, too.

use std::collections::{BTreeMap, BTreeSet};

use nipart_schemas::network_state::NetworkState;
use nipart_schemas::overlay::Difference;
use nipart_schemas::route::Route;
use serde_json::{Map, Value};

/// What leads from one state to the other: interfaces key by key, in the order of their names, then routes.
pub(super) fn between(before: &NetworkState, after: &NetworkState) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(
        "",
        &Value::Object(interfaces(before)),
        &Value::Object(interfaces(after)),
        &mut differences,
    );
    let (gone, come) = (routes(before), routes(after));
    let one_sided = |(text, route): (&String, &Value), others: &BTreeMap<String, Value>| {
        (!others.contains_key(text)).then(|| route.clone())
    };
    for route in gone.iter().filter_map(|route| one_sided(route, &come)) {
        differences.push(difference("routes", route, Value::Null));
    }
    for route in come.iter().filter_map(|route| one_sided(route, &gone)) {
        differences.push(difference("routes", Value::Null, route));
    }
    differences
}

fn interfaces(state: &NetworkState) -> Map<String, Value> {
    let value = |interface| serde_json::to_value(interface).unwrap_or_default();
    state
        .interfaces
        .iter()
        .map(|interface| (interface.name.clone(), value(interface)))
        .collect()
}

/// By their text: routes have no names.
fn routes(state: &NetworkState) -> BTreeMap<String, Value> {
    let value = |route: &Route| serde_json::to_value(route).unwrap_or_default();
    state
        .config_routes()
        .iter()
        .map(value)
        .map(|route| (route.to_string(), route))
        .collect()
}

fn compare(path: &str, before: &Value, after: &Value, differences: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                let none = Value::Null;
                compare(
                    &path,
                    before.get(key).unwrap_or(&none),
                    after.get(key).unwrap_or(&none),
                    differences,
                );
            }
        }
        (before, after) if before == after => {}
        (before, after) => differences.push(difference(path, before.clone(), after.clone())),
    }
}

fn difference(path: &str, current: Value, desired: Value) -> Difference {
    Difference {
        path: path.to_string(),
        current,
        desired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_compared() {
        let before = parsed(
            "
interfaces:
- {name: a, mtu: 1400, description: x}
- {name: b}
routes: {config: [{destination: 192.0.2.0/24, next-hop-interface: a}]}
",
        );
        let after = parsed("interfaces: [{name: a, mtu: 1500}, {name: c, mtu: 1}]");
        let texts: Vec<String> = between(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            "a.description: \"x\" → removed",
            "a.mtu: 1400 → 1500",
            "b: {\"name\":\"b\"} → removed",
            "c: {\"name\":\"c\",\"mtu\":1}",
            "routes: {\"destination\":\"192.0.2.0/24\",\"next-hop-interface\":\"a\"} → removed",
        ];
        assert_eq!(texts, expected);
        assert_eq!(between(&after, &after), []);
    }

    fn parsed(text: &str) -> NetworkState {
        nipart_schemas::yaml::parse(text).unwrap()
    }
}
