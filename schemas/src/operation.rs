// SPDX-License-Identifier: Apache-2.0

//! What is done to the kernel and to the machine's names: the operations that a plan lists, an apply executes and `plan` prints.

mod ip_changes;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::ip_changes::Ipv6Changes;
use crate::dns::DnsSource;
use crate::error::NipartError;
use crate::event::Role;
use crate::hostname::HostNames;
use crate::interface::mptcp::MptcpEndpoint;
use crate::interface::{BondPort, BridgePort, Interface, SrIov};
use crate::ip::Address;
use crate::mac_address::MacAddress;
use crate::route::Route;
use crate::route_rule::RouteRule;

/// One change of the kernel's network, or of what belongs to it. Links are named, not numbered: numbers change when links are created anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Operation {
    /// Create the link with its type's section, MTU, MAC address, description, controller, and up or down.
    /// Of a veth pair the second end comes with it.
    #[serde(rename_all = "kebab-case")]
    CreateLink {
        /// The link.
        interface: Box<Interface>,
        /// The other end of a veth pair, with its own common properties.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Box<Interface>>,
    },
    /// Wait until the link is there, which a driver makes of a virtual function, and give it MTU, MAC address, controller,
    /// and up or down.
    #[serde(rename_all = "kebab-case")]
    AwaitLink {
        /// The link.
        interface: Box<Interface>,
    },
    /// Delete the link, and with it all that the kernel keeps under it.
    #[serde(rename_all = "kebab-case")]
    DeleteLink {
        /// Its name.
        interface: String,
    },
    /// Change common properties of a link.
    ChangeLink(LinkChanges),
    /// Change in place what the section of the link's type says.
    #[serde(rename_all = "kebab-case")]
    ChangeSection {
        /// Name, type, and in the section only what changes.
        interface: Box<Interface>,
    },
    /// Change options of a port of a bridge.
    #[serde(rename_all = "kebab-case")]
    ChangeBridgePort {
        /// Name, and only what changes.
        port: BridgePort,
    },
    /// Change options of a port of a bond.
    #[serde(rename_all = "kebab-case")]
    ChangeBondPort {
        /// Name, and only what changes.
        port: BondPort,
    },
    /// Change settings of the hardware.
    #[serde(rename_all = "kebab-case")]
    ChangeHardware {
        /// Name, and in `ethtool` and `ethernet` only what changes.
        interface: Box<Interface>,
    },
    /// Change number and settings of a card's virtual functions.
    #[serde(rename_all = "kebab-case")]
    ChangeVirtualFunctions {
        /// The card.
        interface: String,
        /// Only what changes; with another number, all that is to be said of the new functions.
        sr_iov: Box<SrIov>,
    },
    /// Add another name.
    #[serde(rename_all = "kebab-case")]
    AddAltName {
        /// The link.
        interface: String,
        /// The name.
        name: String,
    },
    /// Remove another name.
    #[serde(rename_all = "kebab-case")]
    RemoveAltName {
        /// The link.
        interface: String,
        /// The name.
        name: String,
    },
    /// Pass on packets that come in over the link, or not.
    #[serde(rename_all = "kebab-case")]
    ChangeIpv4 {
        /// The link.
        interface: String,
        /// `forwarding`.
        forwarding: bool,
    },
    /// Change switches of IPv6.
    ChangeIpv6(Ipv6Changes),
    /// Add an address, or replace life times, owner and metric when it is there.
    #[serde(rename_all = "kebab-case")]
    AddAddress {
        /// The link.
        interface: String,
        /// The address; its protocol marks the owner.
        address: Address,
    },
    /// Remove an address.
    #[serde(rename_all = "kebab-case")]
    RemoveAddress {
        /// The link.
        interface: String,
        /// The address.
        address: Address,
    },
    /// Let the path manager of multipath TCP use these addresses of the link, and no others of it.
    #[serde(rename_all = "kebab-case")]
    ChangeMptcp {
        /// The link.
        interface: String,
        /// All its endpoints, sorted.
        endpoint: Vec<MptcpEndpoint>,
    },
    /// Take away the endpoints that the kernel has kept of a link that is gone.
    #[serde(rename_all = "kebab-case")]
    RemoveLostEndpoints {
        /// The number that the link had; no other gets it.
        link: u32,
    },
    /// Add a route.
    AddRoute(Route),
    /// Remove a route.
    RemoveRoute(Route),
    /// Add one route with several next hops: entries with the same destination, table and metric.
    AddMultipathRoute(Vec<Route>),
    /// Remove a route with several next hops.
    RemoveMultipathRoute(Vec<Route>),
    /// Give the resolver what comes from this source, in the place of what came from it before; a source that says
    /// nothing is taken away.
    ChangeDns(DnsSource),
    /// Give the machine another name. What is none stays; an empty `config` removes the file.
    ChangeHostName(HostNames),
    /// Put a route, with one or several next hops, in the place of the one with the same destination, table and metric,
    /// without a moment between.
    #[serde(rename_all = "kebab-case")]
    ReplaceRoute {
        /// The next hops of the one that is there.
        present: Vec<Route>,
        /// Those of the new one.
        wanted: Vec<Route>,
    },
    /// Add a rule; its protocol marks the owner.
    AddRule(RouteRule),
    /// Remove a rule.
    RemoveRule(RouteRule),
}

/// Common properties of a link that change. What is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LinkChanges {
    /// The link.
    pub interface: String,
    /// Administratively up or down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
    /// MTU in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Link-layer address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<MacAddress>,
    /// `IFF_PROMISC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_all_mac_addresses: Option<bool>,
    /// Controller; `""` detaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<String>,
    /// `ifalias`; `""` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Operation {
    /// The interface that it is about; none for a rule, a route without one, and what belongs to the whole machine.
    pub fn interface(&self) -> Option<&str> {
        match self {
            Self::CreateLink { interface, .. }
            | Self::AwaitLink { interface }
            | Self::ChangeSection { interface }
            | Self::ChangeHardware { interface } => Some(&interface.name),
            Self::DeleteLink { interface }
            | Self::ChangeVirtualFunctions { interface, .. }
            | Self::AddAltName { interface, .. }
            | Self::RemoveAltName { interface, .. }
            | Self::ChangeIpv4 { interface, .. }
            | Self::ChangeMptcp { interface, .. }
            | Self::AddAddress { interface, .. }
            | Self::RemoveAddress { interface, .. } => Some(interface),
            Self::ChangeLink(changes) => Some(&changes.interface),
            Self::ChangeIpv6(changes) => Some(&changes.interface),
            Self::ChangeBridgePort { port } => Some(&port.name),
            Self::ChangeBondPort { port } => Some(&port.name),
            Self::ChangeDns(source) => source.interface.as_deref(),
            Self::ChangeHostName(_) => None,
            Self::AddRoute(_)
            | Self::RemoveRoute(_)
            | Self::AddMultipathRoute(_)
            | Self::RemoveMultipathRoute(_)
            | Self::ReplaceRoute { .. } => self.routes().next()?.next_hop_interface.as_deref(),
            Self::AddRule(_) | Self::RemoveRule(_) | Self::RemoveLostEndpoints { .. } => None,
        }
    }

    /// Who executes it.
    pub fn executor(&self) -> Role {
        match self {
            Self::ChangeDns(_) | Self::ChangeHostName(_) => Role::Dns,
            _ => Role::Kernel,
        }
    }

    /// The rule that it is about, if it is about one.
    pub fn rule(&self) -> Option<&RouteRule> {
        match self {
            Self::AddRule(rule) | Self::RemoveRule(rule) => Some(rule),
            _ => None,
        }
    }

    /// The route that it is about, each next hop an entry, and the one that it replaces; empty when it is about none.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        let (about, replaced): (&[Route], &[Route]) = match self {
            Self::AddRoute(route) | Self::RemoveRoute(route) => (std::slice::from_ref(route), &[]),
            Self::AddMultipathRoute(hops) | Self::RemoveMultipathRoute(hops) => (hops, &[]),
            Self::ReplaceRoute { present, wanted } => (wanted, present),
            _ => (&[], &[]),
        };
        about.iter().chain(replaced)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateLink { interface, peer } => {
                let kind = interface
                    .interface_type
                    .as_ref()
                    .map_or("unknown", |kind| kind.as_str());
                write!(formatter, "create {kind} {}", interface.name)?;
                peer.as_ref()
                    .map_or(Ok(()), |peer| write!(formatter, " with peer {}", peer.name))
            }
            Self::AwaitLink { interface } => write!(formatter, "await link {}", interface.name),
            Self::DeleteLink { interface } => write!(formatter, "delete link {interface}"),
            Self::ChangeLink(changes) => write!(formatter, "{changes}"),
            Self::ChangeSection { interface } => {
                let kind = interface
                    .interface_type
                    .as_ref()
                    .map_or("unknown", |kind| kind.as_str());
                write!(formatter, "change {kind} options of {}", interface.name)
            }
            Self::ChangeBridgePort { port } => {
                write!(formatter, "change bridge port options of {}", port.name)
            }
            Self::ChangeBondPort { port } => {
                write!(formatter, "change bond port options of {}", port.name)
            }
            Self::ChangeHardware { interface } => {
                write!(formatter, "change hardware settings of {}", interface.name)
            }
            Self::ChangeVirtualFunctions { interface, sr_iov } => {
                write!(formatter, "change virtual functions of {interface}")?;
                sr_iov
                    .total_vfs
                    .map_or(Ok(()), |number| write!(formatter, ": {number} of them"))
            }
            Self::AddAltName { interface, name } => {
                write!(formatter, "add alternative name {name} to {interface}")
            }
            Self::RemoveAltName { interface, name } => {
                write!(formatter, "remove alternative name {name} from {interface}")
            }
            Self::ChangeIpv4 {
                interface,
                forwarding,
            } => write!(
                formatter,
                "change IPv4 of {interface}: forwarding {forwarding}"
            ),
            Self::ChangeIpv6(changes) => changes.fmt(formatter),
            Self::AddAddress { interface, address } => {
                write!(formatter, "add address {address} to {interface}")?;
                address
                    .prefix_route_metric
                    .map_or(Ok(()), |metric| write!(formatter, ", metric {metric}"))
            }
            Self::RemoveAddress { interface, address } => {
                write!(formatter, "remove address {address} from {interface}")
            }
            Self::ChangeMptcp {
                interface,
                endpoint,
            } => {
                let endpoints: Vec<String> = endpoint.iter().map(ToString::to_string).collect();
                let endpoints = match endpoints.as_slice() {
                    [] => "none".to_string(),
                    some => some.join(", "),
                };
                write!(formatter, "set MPTCP endpoints of {interface}: {endpoints}")
            }
            Self::RemoveLostEndpoints { link } => write!(
                formatter,
                "remove MPTCP endpoints of link number {link}, which is gone"
            ),
            Self::AddRoute(route) => write!(formatter, "add route {route}"),
            Self::RemoveRoute(route) => write!(formatter, "remove route {route}"),
            Self::AddMultipathRoute(hops) => {
                formatter.write_str("add route ")?;
                write_hops(hops, formatter)
            }
            Self::RemoveMultipathRoute(hops) => {
                formatter.write_str("remove route ")?;
                write_hops(hops, formatter)
            }
            Self::ChangeDns(source) => source.fmt(formatter),
            Self::ChangeHostName(names) => names.fmt(formatter),
            Self::ReplaceRoute { present, wanted } => {
                formatter.write_str("replace route ")?;
                write_hops(present, formatter)?;
                formatter.write_str(" by ")?;
                write_hops(wanted, formatter)
            }
            Self::AddRule(rule) => write!(formatter, "add rule {rule}"),
            Self::RemoveRule(rule) => write!(formatter, "remove rule {rule}"),
        }
    }
}

fn write_hops(hops: &[Route], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (position, hop) in hops.iter().enumerate() {
        let separator = if position > 0 { " and " } else { "" };
        write!(formatter, "{separator}{hop}")?;
    }
    Ok(())
}

impl fmt::Display for LinkChanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            interface,
            up,
            mtu,
            mac_address,
            accept_all_mac_addresses,
            controller,
            description,
        } = self;
        let mut parts = Vec::new();
        if let Some(mtu) = mtu {
            parts.push(format!("MTU {mtu}"));
        }
        if let Some(address) = mac_address {
            parts.push(format!("MAC address {address}"));
        }
        match accept_all_mac_addresses {
            Some(true) => parts.push("accept all MAC addresses".to_string()),
            Some(false) => parts.push("accept only its own MAC addresses".to_string()),
            None => {}
        }
        match controller.as_deref() {
            Some("") => parts.push("no controller".to_string()),
            Some(controller) => parts.push(format!("controller {controller}")),
            None => {}
        }
        if let Some(description) = description {
            parts.push(format!("description {description:?}"));
        }
        match up {
            Some(true) => parts.push("up".to_string()),
            Some(false) => parts.push("down".to_string()),
            None => {}
        }
        write!(formatter, "set {interface}: {}", parts.join(", "))
    }
}

/// An ordered list of operations. Those of one wave don't depend on each other and may be sent together; a wave
/// starts when the one before it has succeeded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Plan {
    /// The waves, none of them empty.
    pub waves: Vec<Vec<Operation>>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
    }

    /// The plan in parts, each for one executor, in order. Waves are not mixed.
    pub fn by_executor(self) -> Vec<(Role, Self)> {
        let mut parts: Vec<(Role, Self)> = Vec::new();
        for wave in self.waves {
            let executor = wave.first().map_or(Role::Kernel, Operation::executor);
            match parts.last_mut() {
                Some((last, part)) if *last == executor => part.waves.push(wave),
                _ => parts.push((executor, Self { waves: vec![wave] })),
            }
        }
        parts
    }

    /// All operations in order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.waves.iter().flatten()
    }
}

/// How the execution of a plan went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecutionReport {
    /// Operations that the kernel accepted.
    pub succeeded: usize,
    /// The operations that failed, in order; those after the wave of the first weren't tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<NipartError>,
    /// Numbers of the links that were created, by name, as far as they are there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub created: BTreeMap<String, u32>,
}
