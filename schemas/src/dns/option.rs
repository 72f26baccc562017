// SPDX-License-Identifier: Apache-2.0

//! Options of the C library's resolver (resolv.conf(5)).

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Options that are on or not there.
const SWITCHES: [&str; 15] = [
    "debug",
    "edns0",
    "inet6",
    "ip6-bytestring",
    "ip6-dotint",
    "no-aaaa",
    "no-check-names",
    "no-ip6-dotint",
    "no-reload",
    "no-tld-query",
    "rotate",
    "single-request",
    "single-request-reopen",
    "trust-ad",
    "use-vc",
];
/// Options with a number, and the largest that is not cut off (`RES_MAXNDOTS`, `RES_MAXRETRANS`, `RES_MAXRETRY` of
/// resolv.h).
const NUMBERS: [(&str, u8); 3] = [("ndots", 15), ("timeout", 30), ("attempts", 5)];

/// One option: a word, or `ndots:2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ResolverOption(String);

impl ResolverOption {
    /// The word, without its number.
    pub fn name(&self) -> &str {
        self.0.split(':').next().unwrap_or(&self.0)
    }
}

impl FromStr for ResolverOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let largest = NUMBERS.iter().find(|(known, _)| *known == name);
        let is_switch = SWITCHES.contains(&name);
        match (largest, number) {
            (Some((_, largest)), Some(number))
                if number.parse().is_ok_and(|number: u8| number <= *largest) =>
            {
                Ok(Self(text.to_string()))
            }
            (Some((_, largest)), _) => Err(format!(
                "resolver option {text:?}: expected {name}:N with N from 0 to {largest}"
            )),
            (None, Some(_)) if is_switch => Err(format!(
                "resolver option {name} takes no value, as in {text:?}"
            )),
            (None, None) if is_switch => Ok(Self(text.to_string())),
            (None, _) => {
                let numbers = NUMBERS.map(|(name, _)| format!("{name}:N"));
                Err(format!(
                    "resolver option {text:?} is not known: expected one of {}, {}",
                    SWITCHES.join(", "),
                    numbers.join(", ")
                ))
            }
        }
    }
}

impl fmt::Display for ResolverOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
