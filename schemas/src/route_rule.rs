// SPDX-License-Identifier: Apache-2.0

//! Rules of routing policy: which table a packet's route is looked up in (`ip-rule(8)`, `linux/fib_rules.h`).

mod absent;
mod identity;
mod priority;
mod selector;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ip::IpFamily;
use crate::lenient;
use crate::overlay::overlay_leaf;
use crate::route::IpNetwork;

pub use self::absent::AbsentRules;
pub use self::priority::{AUTOMATIC_PRIORITY, with_priorities};
pub use self::selector::Selector;
pub use self::value::{IpProtocol, NumberRange};

/// Section `route-rules`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RouteRules {
    /// Rules. Added to those that are there; an entry with `state: absent` removes all that match it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Vec<RouteRule>>,
}

impl RouteRules {
    /// The section with these rules; none without any.
    pub fn of(config: Vec<RouteRule>) -> Option<Self> {
        (!config.is_empty()).then_some(Self {
            config: Some(config),
        })
    }
}

/// The only state that a rule can be given.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleState {
    /// To be removed, with every key that is left out matching anything.
    Absent,
}

/// What becomes of packets for which no table is asked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// They are dropped silently.
    Blackhole,
    /// They are dropped, and the sender is told that the destination can't be reached.
    Unreachable,
    /// They are dropped, and the sender is told that it is prohibited.
    Prohibit,
}

impl RuleAction {
    /// Its name, in users' files and `ip rule`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
        }
    }
}

/// One rule. A selector that is left out selects every packet; in an `absent` entry it matches any rule, and `""`
/// those without the selector.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RouteRule {
    /// `absent` to remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RuleState>,
    /// Needed unless `ip-from` or `ip-to` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<IpFamily>,
    /// The lowest is asked first. Left out, or -1: the first free one from 30000 up.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::metric"
    )]
    pub priority: Option<u32>,
    /// Network of the source address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_from: Option<Selector<IpNetwork>>,
    /// Network of the destination address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_to: Option<Selector<IpNetwork>>,
    /// Interface by which packets come; `lo` for those of this host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iif: Option<Selector<String>>,
    /// Interface that the socket of the packet is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oif: Option<Selector<String>>,
    /// Mark of the packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fwmark: Option<Selector<u32>>,
    /// Which bits of the mark count. Default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fwmask: Option<Selector<u32>>,
    /// Type of service (IPv4), traffic class (IPv6); the two lowest bits are zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos: Option<Selector<u8>>,
    /// Protocol above IP: a number, or a name such as `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_proto: Option<Selector<IpProtocol>>,
    /// Source port, or a range such as `1000-2000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<Selector<NumberRange<u16>>>,
    /// Destination port, or a range such as `1000-2000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<Selector<NumberRange<u16>>>,
    /// User of the socket, or a range such as `1000-2000`.
    #[serde(default, alias = "uid-range", skip_serializing_if = "Option::is_none")]
    pub uidrange: Option<Selector<NumberRange<u32>>>,
    /// Routes with a prefix of this length or a shorter one don't count.
    #[serde(
        default,
        alias = "suppress_prefixlength",
        skip_serializing_if = "Option::is_none"
    )]
    pub suppress_prefix_length: Option<Selector<u32>>,
    /// The table that is asked. Default 254 (main), unless there is an action.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub route_table: Option<u32>,
    /// Packets are dropped instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<RuleAction>,
    /// Shown only: who added it (`FRA_PROTOCOL`, `RTPROT_*` in `linux/rtnetlink.h`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
}

/// What has to be done with every selector alike. Each stands beside its word in `ip rule`.
macro_rules! selectors {
    ($($field:ident $word:literal,)*) => {
        impl RouteRule {
            /// How many selectors there are.
            pub const SELECTORS: usize = [$($word,)*].len();

            /// Of how many selectors it says something.
            pub fn selector_count(&self) -> usize {
                let written = [$(self.$field.is_some(),)*];
                written.into_iter().filter(|is_written| *is_written).count()
            }

            /// Whether it says of any selector what a packet must have.
            fn has_selector(&self) -> bool {
                $( matches!(self.$field, Some(Selector::Is(_))) )||*
            }

            /// Whether `rule` has all the selectors that are written, and none that is written as empty.
            fn selects_like(&self, rule: &Self) -> bool {
                $( Selector::matches(self.$field.as_ref(), rule.$field.as_ref()) )&&*
            }

            /// Writes each selector that is left out as empty.
            fn spell_out_selectors(&mut self) {
                $( self.$field.get_or_insert(Selector::Without); )*
            }

            /// Leaves out each selector that is written as empty.
            fn leave_out_empty_selectors(&mut self) {
                $( self.$field.take_if(|selector| *selector == Selector::Without); )*
            }

            fn write_selectors(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                $( if let Some(selector) = &self.$field {
                    write!(formatter, concat!(" ", $word, " {}"), selector)?;
                } )*
                Ok(())
            }
        }
    };
}

selectors! {
    ip_from "from",
    ip_to "to",
    iif "iif",
    oif "oif",
    fwmark "fwmark",
    fwmask "fwmask",
    tos "tos",
    ip_proto "ipproto",
    source_port "sport",
    destination_port "dport",
    uidrange "uidrange",
    suppress_prefix_length "suppress_prefixlength",
}

impl fmt::Display for RouteRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.known_family() {
            Some(IpFamily::Ipv4) => "IPv4",
            Some(IpFamily::Ipv6) => "IPv6",
            None => "any",
        })?;
        if let Some(priority) = self.priority {
            write!(formatter, " priority {priority}")?;
        }
        self.write_selectors(formatter)?;
        if let Some(table) = self.route_table {
            write!(formatter, " table {table}")?;
        }
        if let Some(action) = self.action {
            write!(formatter, " {}", action.as_str())?;
        }
        Ok(())
    }
}

overlay_leaf!(RouteRule);
