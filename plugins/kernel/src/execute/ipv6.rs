// SPDX-License-Identifier: Apache-2.0

//! The switches of IPv6, which have no netlink attributes that could be set.

use std::time::Duration;

use nipart_netlink::sysctl::{self, Family, Scope};
use nipart_schemas::error::{ErrorKind, NipartError};

use super::{Outcome, Step};
use crate::error::from_sysctl;

/// How long a run of switches may take: each waits for the kernel's network lock.
const LIMIT: Duration = Duration::from_secs(30);

/// One file in the interface's directory under `/proc/sys/net/ipv6/conf`.
#[derive(Debug)]
pub(crate) struct Switch {
    interface: String,
    key: &'static str,
    on: bool,
    /// A missing file is no failure: where there is no IPv6, it is off.
    may_be_missing: bool,
}

/// Autoconfiguration first: when the protocol is switched on, the kernel asks for router advertisements at once.
pub(super) fn change(interface: &str, enabled: Option<bool>, autoconf: Option<bool>) -> Step {
    let switch = |key, on, may_be_missing| Switch {
        interface: interface.to_string(),
        key,
        on,
        may_be_missing,
    };
    let mut switches = Vec::new();
    if let Some(autoconf) = autoconf {
        switches.push(switch("autoconf", autoconf, !autoconf));
        switches.push(switch("accept_ra", autoconf, !autoconf));
    }
    if let Some(enabled) = enabled {
        switches.push(switch("disable_ipv6", !enabled, !enabled));
    }
    Step::Write(switches)
}

/// Writes the switches of several operations in order, up to the first that fails.
pub(super) async fn write(steps: Vec<Vec<Switch>>) -> Vec<Outcome> {
    let total = steps.len();
    let writing = tokio::task::spawn_blocking(move || write_all(&steps));
    let mut outcomes = match tokio::time::timeout(LIMIT, writing).await {
        Ok(Ok(outcomes)) => outcomes,
        Ok(Err(_)) => vec![Some(Err(broken(ErrorKind::Bug, "the writer has died")))],
        Err(_) => vec![Some(Err(broken(
            ErrorKind::Timeout,
            "not done within 30 s",
        )))],
    };
    outcomes.resize(total, None);
    outcomes
}

fn broken(kind: ErrorKind, text: &str) -> NipartError {
    NipartError::new(kind, format!("writing to /proc/sys: {text}"))
}

fn write_all(steps: &[Vec<Switch>]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for switches in steps {
        let outcome = switches.iter().try_for_each(write_one);
        let failed = outcome.is_err();
        outcomes.push(Some(outcome));
        if failed {
            break;
        }
    }
    outcomes
}

fn write_one(switch: &Switch) -> Result<(), NipartError> {
    let value = if switch.on { "1" } else { "0" };
    let scope = Scope::Interface(&switch.interface);
    match sysctl::write(Family::Ipv6, scope, switch.key, value) {
        Err(error) if switch.may_be_missing && error.is_not_found() => Ok(()),
        result => result.map_err(|error| from_sysctl(&error)),
    }
}
