// SPDX-License-Identifier: Apache-2.0

//! Policies, as nmstate has them: what is wanted, told by means of what is there.
//!
//! ```yaml
//! capture:
//!   gateway: routes.running.destination == "0.0.0.0/0"
//!   uplink: interfaces.name == capture.gateway.routes.running.0.next-hop-interface
//! desired:
//!   interfaces:
//!   - name: "{{ capture.uplink.interfaces.0.name }}"
//!     mtu: 1280
//! ```
//!
//! Each capture is an expression ([`expression`]) that takes a part of the current state ([`evaluate`]); captures may
//! build on each other ([`order`]). A template in the desired state stands for a value of a capture ([`template`]).
//! [`Policy::parse`] finds all mistakes that don't depend on the network; [`Policy::resolve`] gives the plain state that
//! the policy means for one.

mod evaluate;
mod expression;
mod mistake;
mod order;
mod path;
mod reduce;
mod template;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml::{self, ParseError};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::expression::Expression;
use crate::mistake::Mistake;
use crate::reduce::WholeInterfaces;

/// What was captured: a part of a state under each name.
pub type Captured = Map<String, Value>;

/// A policy, read from a file.
#[derive(Debug)]
pub struct Policy {
    text: String,
    /// Each after those that it builds on.
    captures: Vec<Capture>,
    /// The key that the desired state stands under.
    root: &'static str,
    desired: Value,
    current: Option<NetworkState>,
}

#[derive(Debug)]
struct Capture {
    name: String,
    expression: Expression,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    capture: Option<Map<String, Value>>,
    #[serde(default)]
    desired: Option<Map<String, Value>>,
    #[serde(default, rename = "desiredState")]
    desired_state: Option<Map<String, Value>>,
    #[serde(default)]
    current: Option<NetworkState>,
}

/// Whether a document is meant as a policy, well formed or not: it has a key that no state has.
pub fn is_policy(text: &str) -> bool {
    yaml::parse::<BTreeMap<String, IgnoredAny>>(text).is_ok_and(|keys| {
        ["capture", "desired", "desiredState"]
            .iter()
            .any(|key| keys.contains_key(*key))
    })
}

impl Policy {
    /// Reads a policy: every expression and every template in it.
    ///
    /// # Errors
    /// With the place in `text`, when it is no policy, when an expression or a template is wrong, and when captures
    /// build on each other in a circle.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let document: Document = yaml::parse(text)?;
        let captures = parse_captures(text, document.capture.unwrap_or_default())?;
        let (root, desired) = match (document.desired, document.desired_state) {
            (Some(_), Some(_)) => {
                let twice = Mistake::new(0, "two spellings of the same key `desired`");
                return Err(twice.in_document(text, "desiredState"));
            }
            (None, Some(desired)) => ("desiredState", desired),
            (desired, None) => ("desired", desired.unwrap_or_default()),
        };
        let desired = Value::Object(desired);
        template::check(&desired, root)
            .map_err(|(path, mistake)| mistake.in_document(text, &path))?;
        Ok(Self {
            text: text.to_string(),
            captures,
            root,
            desired,
            current: document.current,
        })
    }

    /// The path of the desired state in the document.
    pub fn root(&self) -> &'static str {
        self.root
    }

    /// The current state, where the document says that, too.
    pub fn current(&self) -> Option<&NetworkState> {
        self.current.as_ref()
    }

    /// Evaluates the captures but those that are `known` already. Routes that the kernel keeps for addresses aren't
    /// seen: they come and go with the addresses.
    ///
    /// # Errors
    /// With the place in the document, when an expression finds nothing, or names what isn't there.
    pub fn capture(&self, current: &NetworkState, known: Captured) -> Result<Captured, ParseError> {
        let mut current = current.clone();
        if let Some(running) = current
            .routes
            .as_mut()
            .and_then(|routes| routes.running.as_mut())
        {
            running.retain(|route| !route.is_connected());
        }
        let current = serde_json::to_value(&current).unwrap_or_default();
        let mut captured = known;
        for Capture { name, expression } in &self.captures {
            if captured.contains_key(name) {
                continue;
            }
            let part = evaluate::evaluate(expression, &current, &captured)
                .map_err(|mistake| self.at(&format!("capture.{name}"), &mistake))?;
            captured.insert(name.clone(), part);
        }
        Ok(captured)
    }

    /// The desired state, with `captured` values in the place of the templates. An interface that is captured as a whole
    /// keeps its name, type, state, and what differs from `current`.
    ///
    /// # Errors
    /// With the place in the document, when a value isn't there, or the outcome is no state.
    pub fn fill(
        &self,
        current: &NetworkState,
        captured: &Captured,
    ) -> Result<NetworkState, ParseError> {
        let whole = WholeInterfaces::of(&self.desired);
        let filled = template::fill(&self.desired, self.root, captured)
            .map_err(|(path, mistake)| self.at(&path, &mistake))?;
        let mut state: NetworkState =
            yaml::parse_json(&filled.to_string()).map_err(|error| self.refused(error))?;
        whole.reduce(&mut state, current);
        Ok(state.without_shown_only())
    }

    /// The state that the policy means for a network that is as `current` says.
    ///
    /// # Errors
    /// As [`Policy::capture`] and [`Policy::fill`].
    pub fn resolve(&self, current: &NetworkState) -> Result<NetworkState, ParseError> {
        self.fill(current, &self.capture(current, Captured::new())?)
    }

    /// Why the filled state is none, in the place of the document that it came from.
    fn refused(&self, error: ParseError) -> ParseError {
        let path = match &error.path {
            Some(path) => format!("{}.{path}", self.root),
            None => self.root.to_string(),
        };
        let unknown_key = error.message.strip_prefix("unknown key `");
        let place = match unknown_key.and_then(|rest| rest.split('`').next()) {
            Some(key) => format!("{path}.{key}"),
            None => path.clone(),
        };
        ParseError {
            path: Some(path),
            ..self.at(&place, &Mistake::new(0, error.message))
        }
    }

    fn at(&self, path: &str, mistake: &Mistake) -> ParseError {
        mistake.in_document(&self.text, path)
    }
}

fn parse_captures(text: &str, written: Map<String, Value>) -> Result<Vec<Capture>, ParseError> {
    let mut captures = Vec::new();
    for (name, value) in written {
        let expression = match &value {
            Value::String(line) => Expression::parse(line),
            _ => Err(Mistake::new(0, "a capture is an expression: text")),
        };
        let expression =
            expression.map_err(|mistake| mistake.in_document(text, &format!("capture.{name}")))?;
        captures.push(Capture { name, expression });
    }
    order::sorted(captures)
        .map_err(|(name, mistake)| mistake.in_document(text, &format!("capture.{name}")))
}
