// SPDX-License-Identifier: Apache-2.0

//! What each source of name resolution is to say, and what the machine is to be called.
//!
//! Nothing is decided about name resolution that wasn't looked at.

use nipart_schemas::dns::{DnsOrigin, DnsResolver, DnsServer, DnsSource};
use nipart_schemas::hostname::HostNames;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::lease::{Lease, LeaseProtocol};

use super::Goals;
use crate::context::Context;

/// A source that changes.
#[derive(Debug, Clone)]
pub(crate) struct SourceGoal {
    pub(crate) wanted: DnsSource,
    /// What it says now; empty when it isn't there.
    pub(crate) present: DnsSource,
}

/// Names of the machine that change.
#[derive(Debug, Clone)]
pub(crate) struct HostNameGoal {
    pub(crate) wanted: HostNames,
    pub(crate) present: HostNames,
}

/// Works out what changes.
pub(super) fn resolve(context: &Context<'_>, goals: &mut Goals<'_>) {
    goals.host_name = host_name(context.desired.hostname.as_ref(), context);
    let Some(present) = &context.observed.dns_resolver else {
        return;
    };
    let mut wanted = Vec::new();
    if let Some(config) = context.desired.dns_config() {
        wanted.push(said(present, None, DnsOrigin::Static).changed_by(config));
    }
    for interface in &context.desired.interfaces {
        if goals.pending.contains(&interface.name) {
            continue;
        }
        match interface.wanted_state() {
            InterfaceState::Up => wanted.extend(arriving(context, present, interface)),
            InterfaceState::Absent | InterfaceState::Down => {
                wanted.extend(leaving(present, &interface.name));
            }
            InterfaceState::Ignore => {}
        }
    }
    for name in &context.doomed {
        if context.wanted_up(name).is_none() {
            wanted.extend(leaving(present, name));
        }
    }
    for lost in context.lost_leases() {
        let source = present.source(Some(&lost.interface), DnsOrigin::of_leases(lost.protocol));
        wanted.extend(source.map(emptied));
    }
    wanted.sort_by_key(DnsSource::key);
    wanted.dedup_by_key(|source| source.key());
    let goals_of = |wanted: DnsSource| {
        let present_source = said(present, wanted.interface.as_deref(), wanted.origin);
        let is_so = wanted == present_source && (!present.overwritten || wanted.is_empty());
        (!is_so).then_some(SourceGoal {
            wanted,
            present: present_source,
        })
    };
    goals.sources = wanted.into_iter().filter_map(goals_of).collect();
}

/// What the source says now: nothing, when it isn't there.
pub(crate) fn said(present: &DnsResolver, interface: Option<&str>, origin: DnsOrigin) -> DnsSource {
    let source = present.source(interface, origin).cloned();
    source.unwrap_or_else(|| DnsSource::new(interface, origin))
}

/// The sources of an interface that is wanted up, as far as the state speaks of them.
fn arriving(context: &Context<'_>, present: &DnsResolver, interface: &Interface) -> Vec<DnsSource> {
    let name = interface.name.as_str();
    let mut wanted = Vec::new();
    if let Some(config) = &interface.dns {
        wanted.push(said(present, Some(name), DnsOrigin::Static).changed_by(config));
    }
    if interface.ipv4.is_some() {
        let auto_dns = context.with_dhcp(name).map(|ipv4| ipv4.auto_dns);
        wanted.extend(learned(context, name, LeaseProtocol::Dhcpv4, auto_dns));
    }
    if interface.ipv6.is_some() {
        let auto_dns = context.with_dhcpv6(name).map(|ipv6| ipv6.auto_dns);
        wanted.extend(learned(context, name, LeaseProtocol::Dhcpv6, auto_dns));
        let auto_dns = context.with_routers(name).map(|ipv6| ipv6.auto_dns);
        let protocol = LeaseProtocol::RouterAdvertisement;
        wanted.extend(learned(context, name, protocol, auto_dns));
    }
    wanted
}

/// What the lease is to say; none where nothing is known yet, or nothing changes. `auto_dns` is there where its client is on.
fn learned(
    context: &Context<'_>,
    name: &str,
    protocol: LeaseProtocol,
    auto_dns: Option<Option<bool>>,
) -> Option<DnsSource> {
    match auto_dns {
        Some(auto_dns) if auto_dns != Some(false) => {
            let lease = context.lease(name, protocol)?;
            Some(of_lease(lease, auto_dns == Some(true)))
        }
        _ => Some(DnsSource::new(Some(name), DnsOrigin::of_leases(protocol))),
    }
}

/// What a server says is no more than text: what can't be a domain is left out.
fn of_lease(lease: &Lease, beside_static: bool) -> DnsSource {
    let server = lease.dns_servers().into_iter();
    let server = server.filter(|address| !address.is_unspecified() && !address.is_multicast());
    let domains = lease.dns_search().iter();
    let source = DnsSource {
        server: server
            .map(|address| DnsServer::on_link(address, lease.interface()))
            .collect(),
        search: domains.filter_map(|domain| domain.parse().ok()).collect(),
        ..DnsSource::new(
            Some(lease.interface()),
            DnsOrigin::of_leases(lease.protocol()),
        )
    };
    DnsSource {
        // Nothing counts beside nothing.
        beside_static: beside_static && !source.is_empty(),
        ..source
    }
}

fn leaving(present: &DnsResolver, name: &str) -> Vec<DnsSource> {
    let sources = present.sources.iter();
    let own = sources.filter(|source| source.interface.as_deref() == Some(name));
    own.map(emptied).collect()
}

fn emptied(source: &DnsSource) -> DnsSource {
    DnsSource::new(source.interface.as_deref(), source.origin)
}

/// The names that differ from the present ones; an empty `config` is no file.
pub(crate) fn host_name(wanted: Option<&HostNames>, context: &Context<'_>) -> Option<HostNameGoal> {
    let present = context.observed.hostname.clone()?;
    let mut wanted = wanted.cloned()?;
    let mut comparable = present.clone();
    comparable.config.get_or_insert_default();
    wanted
        .running
        .take_if(|name| comparable.running.as_ref() == Some(name));
    wanted
        .config
        .take_if(|name| comparable.config.as_ref() == Some(name));
    (!wanted.is_empty()).then_some(HostNameGoal { wanted, present })
}
