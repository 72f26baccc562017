// SPDX-License-Identifier: Apache-2.0

//! Two whole states side by side: what is in only one of them differs, too.

use std::collections::{BTreeMap, BTreeSet};

use nipart_schemas::network_state::NetworkState;
use nipart_schemas::overlay::Difference;
use serde::Serialize;
use serde_json::{Map, Value};

/// What leads from one state to the other: interfaces key by key, in the order of their names, then routes and rules.
pub(super) fn between(before: &NetworkState, after: &NetworkState) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(
        "",
        &Value::Object(interfaces(before)),
        &Value::Object(interfaces(after)),
        &mut differences,
    );
    let (routes, rules) = (NetworkState::config_routes, NetworkState::rules);
    compare_lists("routes", routes(before), routes(after), &mut differences);
    compare_lists("route-rules", rules(before), rules(after), &mut differences);
    differences
}

/// By their text: what has no name is in both lists, or in one of them.
fn compare_lists<T: Serialize>(
    path: &str,
    before: &[T],
    after: &[T],
    differences: &mut Vec<Difference>,
) {
    let by_text = |list: &[T]| -> BTreeMap<String, Value> {
        let values = list
            .iter()
            .map(|entry| serde_json::to_value(entry).unwrap_or_default());
        values.map(|value| (value.to_string(), value)).collect()
    };
    let (gone, come) = (by_text(before), by_text(after));
    for (text, entry) in &gone {
        if !come.contains_key(text) {
            differences.push(difference(path, entry.clone(), Value::Null));
        }
    }
    for (text, entry) in come {
        if !gone.contains_key(&text) {
            differences.push(difference(path, Value::Null, entry));
        }
    }
}

fn interfaces(state: &NetworkState) -> Map<String, Value> {
    let value = |interface| serde_json::to_value(interface).unwrap_or_default();
    state
        .interfaces
        .iter()
        .map(|interface| (interface.name.clone(), value(interface)))
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
route-rules: {config: [{family: ipv6, iif: a}]}
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
            "route-rules: {\"family\":\"ipv6\",\"iif\":\"a\"} → removed",
        ];
        assert_eq!(texts, expected);
        assert_eq!(between(&after, &after), []);
    }

    fn parsed(text: &str) -> NetworkState {
        nipart_schemas::yaml::parse(text).unwrap()
    }
}
