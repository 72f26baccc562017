// SPDX-License-Identifier: Apache-2.0

//! Rules (`net/core/fib_rules.c`).

use nipart_schemas::route_rule::RouteRule;
use serde_json::{Map, Value};

use super::Model;

/// What a message about the rule says.
fn message(rule: &RouteRule) -> Map<String, Value> {
    let shown = RouteRule {
        protocol: rule.protocol.filter(|protocol| *protocol > 0),
        ..rule.identity()
    };
    match serde_json::to_value(shown) {
        Ok(Value::Object(message)) => message,
        other => panic!("a rule is an object: {other:?}"),
    }
}

impl Model {
    pub(super) fn add_rule(&mut self, rule: &RouteRule) -> Result<(), String> {
        if rule.priority.is_none() {
            return Err("the kernel would choose the priority".to_string());
        }
        let mut known = self.rules.iter();
        if known.any(|known| known.identity() == rule.identity()) {
            return Err("exists".to_string());
        }
        self.rules.push(RouteRule {
            protocol: rule.protocol,
            ..rule.identity()
        });
        Ok(())
    }

    /// Removes the first rule that has all that the message says, and perhaps more.
    pub(super) fn remove_rule(&mut self, rule: &RouteRule) {
        let message = message(rule);
        let is_meant = |known: &RouteRule| {
            let known = self::message(known);
            let action = |message: &Map<String, Value>| message.get("action").cloned();
            action(&known) == action(&message)
                && message
                    .iter()
                    .all(|(key, value)| known.get(key) == Some(value))
        };
        if let Some(position) = self.rules.iter().position(is_meant) {
            self.rules.remove(position);
        }
    }
}
