// SPDX-License-Identifier: Apache-2.0

//! Differences between what is and what is wanted, as lines with `+`, `-` and arrows.

use nipart_schemas::overlay::Difference;
use nipart_schemas::yaml;
use serde_json::Value;

use crate::output::{bold, green, red};

/// A paragraph for each difference; empty when there is none.
pub(super) fn list(differences: &[Difference]) -> String {
    differences.iter().map(describe).collect()
}

fn describe(difference: &Difference) -> String {
    let Difference {
        path,
        current,
        desired,
    } = difference;
    if is_section(current) || is_section(desired) {
        return format!(
            "{}\n{}{}",
            bold(&format!("{path}:")),
            block(current, "-", red),
            block(desired, "+", green)
        );
    }
    let path = bold(&format!("{path}:"));
    match (current.is_null(), desired.is_null()) {
        (true, _) => format!("{path} {}\n", green(&scalar(desired))),
        (_, true) => format!("{path} {} → removed\n", red(&scalar(current))),
        _ => format!(
            "{path} {} → {}\n",
            red(&scalar(current)),
            green(&scalar(desired))
        ),
    }
}

fn is_section(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn scalar(value: &Value) -> String {
    block_text(value).trim_end().to_string()
}

/// The value in YAML, each line marked.
fn block(value: &Value, mark: &str, color: fn(&str) -> String) -> String {
    if value.is_null() {
        return String::new();
    }
    block_text(value)
        .lines()
        .map(|line| format!("{}\n", color(&format!("{mark} {line}"))))
        .collect()
}

fn block_text(value: &Value) -> String {
    let document = yaml::to_string(value).unwrap_or_else(|_| value.to_string());
    document
        .strip_prefix("---\n")
        .map_or(document.clone(), str::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_marked() {
        let difference = |path: &str, current: Value, desired: Value| Difference {
            path: path.into(),
            current,
            desired,
        };
        let text = list(&[
            difference("eth0.mtu", json!(1500), json!(1400)),
            difference("eth0.controller", json!("br0"), Value::Null),
            difference("eth0.description", Value::Null, json!("on")),
            difference(
                "v1",
                Value::Null,
                json!({"type": "veth", "veth": {"peer": "v2"}}),
            ),
            difference("eth0.ipv4.address", json!([{"ip": "192.0.2.1"}]), json!([])),
        ]);
        let expected = "\
eth0.mtu: 1500 → 1400
eth0.controller: br0 → removed
eth0.description: 'on'
v1:
+ type: veth
+ veth:
+   peer: v2
eth0.ipv4.address:
- - ip: 192.0.2.1
+ []
";
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
    }
}
