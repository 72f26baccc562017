// SPDX-License-Identifier: Apache-2.0

//! The switches of IPv6, which have no netlink attributes that could be set.

use nipart_netlink::sysctl::{self, Family, Scope};
use nipart_schemas::error::NipartError;

use super::Step;
use crate::error::from_sysctl;

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

/// Writes the switches of an operation.
pub(super) fn write(switches: &[Switch]) -> Result<(), NipartError> {
    switches.iter().try_for_each(write_one)
}

fn write_one(switch: &Switch) -> Result<(), NipartError> {
    let value = if switch.on { "1" } else { "0" };
    let scope = Scope::Interface(&switch.interface);
    match sysctl::write(Family::Ipv6, scope, switch.key, value) {
        Err(error) if switch.may_be_missing && error.is_not_found() => Ok(()),
        result => result.map_err(|error| from_sysctl(&error)),
    }
}
