// SPDX-License-Identifier: Apache-2.0

//! Name resolution: the `dns-resolver` section, the `dns` section of an interface, and what comes together from all.
//!
//! Each list of servers and domains has a source: the user, for the whole machine or for one interface, or the lease
//! of an interface. Sources come and go one by one; [`effective`] says what follows from those that are there.

mod option;
mod server;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::option::ResolverOption;
pub use self::server::{DnsServer, DomainName};
use crate::lease::LeaseProtocol;
use crate::overlay::{Overlay, overlay, overlay_leaf};

/// The `dns-resolver` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DnsResolver {
    /// Shown only: what programs use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<DnsConfig>,
    /// Static settings of the whole machine. `{}` takes all of them away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<DnsConfig>,
    /// Shown only: where what is running comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<DnsSource>,
    /// Shown only: who answers programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<DnsBackend>,
    /// Shown only: somebody else has changed what is running, so that it doesn't follow from the sources.
    #[serde(default, skip_serializing_if = "is_false")]
    pub overwritten: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Servers, search domains and options: each list that is given replaces that list, and no other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DnsConfig {
    /// Servers in the order in which they are asked. The C library asks no more than three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Vec<DnsServer>>,
    /// Domains that are tried after short names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Vec<DomainName>>,
    /// Options of the C library's resolver (resolv.conf(5)), for the whole machine only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<ResolverOption>>,
}

overlay!(DnsConfig {
    server,
    search,
    options,
});

/// Who answers programs that resolve names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DnsBackend {
    /// The C library, as resolv.conf(5) says.
    ResolvConf,
    /// systemd-resolved.
    Resolved,
}

/// Where servers come from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DnsOrigin {
    /// The user.
    Static,
    /// A DHCPv4 lease.
    Dhcp,
    /// A DHCPv6 lease.
    Dhcpv6,
    /// Router advertisements.
    RouterAdvertisement,
}

impl DnsOrigin {
    /// The leases of this protocol.
    #[must_use]
    pub fn of_leases(protocol: LeaseProtocol) -> Self {
        match protocol {
            LeaseProtocol::Dhcpv4 => Self::Dhcp,
            LeaseProtocol::Dhcpv6 => Self::Dhcpv6,
            LeaseProtocol::RouterAdvertisement => Self::RouterAdvertisement,
        }
    }
}

/// What one source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DnsSource {
    /// The interface that it belongs to; none for the whole machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Where it comes from.
    pub origin: DnsOrigin,
    /// Whether learned servers count although there are static ones: `auto-dns: true` is written.
    #[serde(default, skip_serializing_if = "is_false")]
    pub beside_static: bool,
    /// Servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server: Vec<DnsServer>,
    /// Search domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<DomainName>,
    /// Options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ResolverOption>,
}

/// What a source is known by.
pub type DnsSourceKey = (Option<String>, DnsOrigin);

overlay_leaf!(DnsServer, DomainName, ResolverOption);

impl DnsConfig {
    /// Whether it names no list at all: that takes everything away.
    pub fn is_purge(&self) -> bool {
        *self == Self::default()
    }

    /// The interfaces of link-local servers.
    pub(crate) fn zones_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let servers = self.server.iter_mut().flatten();
        servers.filter_map(DnsServer::zone_mut)
    }

    /// `upper` laid over `below`, list by list; none when nothing is left.
    #[must_use]
    pub fn laid_over(upper: Option<&Self>, below: Option<&Self>) -> Option<Self> {
        let Some(upper) = upper else {
            return below.cloned();
        };
        let mut merged = (!upper.is_purge()).then(|| upper.clone())?;
        if let Some(below) = below {
            merged.fill_from(below);
        }
        Some(merged)
    }

    /// Both one after the other, as one.
    #[must_use]
    pub fn followed_by(first: Option<&Self>, next: Option<&Self>) -> Option<Self> {
        match (first, next) {
            (Some(first), Some(next)) if !next.is_purge() => {
                let mut both = next.clone();
                both.fill_from(&if first.is_purge() {
                    first.reverted_to(None)
                } else {
                    first.clone()
                });
                Some(both)
            }
            (first, next) => next.or(first).cloned(),
        }
    }

    /// The lists of `present` that `self` speaks of, so that `present` comes back after `self` was applied.
    #[must_use]
    pub fn reverted_to(&self, present: Option<&Self>) -> Self {
        let present = present.cloned().unwrap_or_default();
        let all = self.is_purge();
        Self {
            server: (all || self.server.is_some()).then(|| present.server.unwrap_or_default()),
            search: (all || self.search.is_some()).then(|| present.search.unwrap_or_default()),
            options: (all || self.options.is_some()).then(|| present.options.unwrap_or_default()),
        }
    }
}

impl DnsSource {
    /// A source that says nothing yet.
    pub fn new(interface: Option<&str>, origin: DnsOrigin) -> Self {
        Self {
            interface: interface.map(str::to_string),
            origin,
            beside_static: false,
            server: Vec::new(),
            search: Vec::new(),
            options: Vec::new(),
        }
    }

    /// What it is known by.
    pub fn key(&self) -> DnsSourceKey {
        (self.interface.clone(), self.origin)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.server.is_empty() && self.search.is_empty() && self.options.is_empty()
    }

    /// The same with each list of `config` in the place of its own.
    #[must_use]
    pub fn changed_by(mut self, config: &DnsConfig) -> Self {
        if config.is_purge() {
            return Self::new(self.interface.as_deref(), self.origin);
        }
        let DnsConfig {
            server,
            search,
            options,
        } = config.clone();
        self.server = server.unwrap_or(self.server);
        self.search = search.unwrap_or(self.search);
        self.options = options.unwrap_or(self.options);
        self
    }

    /// The same as users write it: only lists that say something; none when none does.
    pub fn config(&self) -> Option<DnsConfig> {
        fn written<T: Clone>(list: &[T]) -> Option<Vec<T>> {
            (!list.is_empty()).then(|| list.to_vec())
        }
        (!self.is_empty()).then(|| DnsConfig {
            server: written(&self.server),
            search: written(&self.search),
            options: written(&self.options),
        })
    }
}

impl DnsResolver {
    /// A section with these settings; none without.
    pub fn of_config(config: Option<DnsConfig>) -> Option<Self> {
        config.map(|config| Self {
            config: Some(config),
            ..Self::default()
        })
    }

    /// The source of that key.
    pub fn source(&self, interface: Option<&str>, origin: DnsOrigin) -> Option<&DnsSource> {
        let mut sources = self.sources.iter();
        sources.find(|source| source.interface.as_deref() == interface && source.origin == origin)
    }
}

/// The sources with each of `changes` in its place, those that say nothing left out.
#[must_use]
pub fn changed<'a>(
    sources: &[DnsSource],
    changes: impl Iterator<Item = &'a DnsSource>,
) -> Vec<DnsSource> {
    let mut all = sources.to_vec();
    for change in changes {
        all.retain(|source| source.key() != change.key());
        all.push(change.clone());
    }
    all.retain(|source| !source.is_empty());
    all.sort_by_key(DnsSource::key);
    all
}

/// What follows from sources, as one list of each kind: static ones of the machine, static ones of interfaces,
/// learned ones. A static list, of the machine or of the same interface, takes the place of a learned one.
#[must_use]
pub fn effective(sources: &[DnsSource]) -> DnsSource {
    let mut all = DnsSource::new(None, DnsOrigin::Static);
    for part in parts(sources) {
        extend(&mut all.server, &part.server);
        extend(&mut all.search, &part.search);
        extend(&mut all.options, &part.options);
    }
    all
}

/// The sources in the order in which they count, without what static ones take the place of.
#[must_use]
pub fn parts(sources: &[DnsSource]) -> Vec<DnsSource> {
    let mut parts = sources.to_vec();
    parts.sort_by_key(|source| {
        let is_learned = source.origin != DnsOrigin::Static;
        (is_learned, source.interface.clone())
    });
    for learned in &mut parts {
        if learned.origin == DnsOrigin::Static || learned.beside_static {
            continue;
        }
        let replacing = sources.iter().filter(|other| {
            let applies = other.interface.is_none() || other.interface == learned.interface;
            other.origin == DnsOrigin::Static && applies
        });
        let (mut servers, mut domains) = (false, false);
        for other in replacing {
            servers |= !other.server.is_empty();
            domains |= !other.search.is_empty();
        }
        if servers {
            learned.server.clear();
        }
        if domains {
            learned.search.clear();
        }
    }
    parts
}

fn extend<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

impl fmt::Display for DnsSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.origin {
            DnsOrigin::Static => "DNS",
            DnsOrigin::Dhcp | DnsOrigin::Dhcpv6 => "leased DNS",
            DnsOrigin::RouterAdvertisement => "advertised DNS",
        };
        let of = self
            .interface
            .as_deref()
            .map_or(String::new(), |name| format!(" of {name}"));
        if self.is_empty() {
            return write!(formatter, "remove {what}{of}");
        }
        let mut lists = Vec::new();
        let mut add = |kind: &str, items: Vec<String>| {
            if !items.is_empty() {
                lists.push(format!("{kind} {}", items.join(" ")));
            }
        };
        add(
            "server",
            self.server.iter().map(ToString::to_string).collect(),
        );
        add(
            "search",
            self.search.iter().map(ToString::to_string).collect(),
        );
        add(
            "options",
            self.options.iter().map(ToString::to_string).collect(),
        );
        if self.beside_static {
            lists.push("beside static ones".to_string());
        }
        write!(formatter, "set {what}{of}: {}", lists.join(", "))
    }
}

#[cfg(test)]
mod tests;
