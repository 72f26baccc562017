// SPDX-License-Identifier: Apache-2.0

//! Where a client stands, for those who watch it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The states of all protocols by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateName {
    /// Not started yet, or stopped.
    Stopped,
    /// Started, but the link is down.
    Unlinked,
    /// Waits a while before it begins anew.
    Init,
    /// DHCPv4: looks for servers.
    Selecting,
    /// DHCPv6: looks for servers; router discovery: for routers.
    Soliciting,
    /// Has taken an offer.
    Requesting,
    /// Asks for an address that it had before (DHCPv4: INIT-REBOOT).
    Rebooting,
    /// Has a lease.
    Bound,
    /// Asks its server for more time.
    Renewing,
    /// Asks any server for more time.
    Rebinding,
    /// DHCPv6: tells its server that another host has an address of the lease.
    Declining,
    /// DHCPv6: asks for settings where there are no addresses.
    InformationRequesting,
    /// DHCPv6: has settings and no address.
    Informed,
    /// Router discovery: has heard a router, and listens on.
    Listening,
}

impl fmt::Display for StateName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stopped => "stopped",
            Self::Unlinked => "unlinked",
            Self::Init => "init",
            Self::Selecting => "selecting",
            Self::Soliciting => "soliciting",
            Self::Requesting => "requesting",
            Self::Rebooting => "rebooting",
            Self::Bound => "bound",
            Self::Renewing => "renewing",
            Self::Rebinding => "rebinding",
            Self::Declining => "declining",
            Self::InformationRequesting => "information-requesting",
            Self::Informed => "informed",
            Self::Listening => "listening",
        })
    }
}
