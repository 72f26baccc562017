// SPDX-License-Identifier: Apache-2.0

//! Bond: several links used as one (`Documentation/networking/bonding.rst`).

mod options;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::options::{
    BondAdSelect, BondArpAllTargets, BondArpValidate, BondDuplicates, BondFailOverMac,
    BondHashPolicy, BondLacpRate, BondOptions, BondPrimaryReselect,
};
use crate::lenient;
use crate::overlay::overlay;
use crate::word::words;

/// Section `link-aggregation`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinkAggregation {
    /// How frames are spread over the ports. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<BondMode>,
    /// Its ports. Replaces the list that was applied before; ports that others attached stay.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ports")]
    pub port: Option<Vec<String>>,
    /// What the bond keeps about its ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ports_config: Option<Vec<BondPort>>,
    /// Options of the bond itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<BondOptions>,
}

// Ports are lists with rules of their own.
overlay!(LinkAggregation { mode, options } read_only { port, ports_config });

impl LinkAggregation {
    /// Forgets what can't stand beside what `upper` says: what belongs to another mode, and the other way of watching links.
    pub fn forget_against(&mut self, upper: &Self) {
        if let Some(mode) = upper.mode.filter(|mode| self.mode != Some(*mode)) {
            self.options = None;
            if !mode.prefers_ports() {
                let ports = self.ports_config.iter_mut().flatten();
                ports.for_each(|port| port.priority = None);
            }
        }
        if let (Some(upper), Some(own)) = (&upper.options, &mut self.options) {
            own.forget_watching_against(upper);
        }
    }
}

/// One entry of `link-aggregation.ports-config`. Attributes `IFLA_BOND_SLAVE_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BondPort {
    /// The attached interface.
    pub name: String,
    /// The port with the highest becomes active. With modes active-backup, balance-tlb and balance-alb. Default 0.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::signed_number"
    )]
    pub priority: Option<i32>,
    /// The transmit queue whose frames go through this port, 0 for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub queue_id: Option<u16>,
}

overlay!(BondPort {
    name,
    priority,
    queue_id
});

words! {
    /// `BOND_MODE_*` of `linux/if_bonding.h`.
    BondMode {
        /// One port after the other.
        BalanceRr = 0 "balance-rr",
        /// One port; another when it fails.
        ActiveBackup = 1 "active-backup",
        /// By a hash of the frame.
        BalanceXor = 2 "balance-xor",
        /// All ports.
        Broadcast = 3 "broadcast",
        /// IEEE 802.3ad, negotiated with the switch.
        Ieee8023Ad = 4 "802.3ad" | "lacp",
        /// By load, sending only.
        BalanceTlb = 5 "balance-tlb",
        /// By load, both directions.
        BalanceAlb = 6 "balance-alb",
    }
}

impl BondMode {
    /// Whether one port after the other may be the only active one, so that one can be preferred.
    pub fn prefers_ports(self) -> bool {
        matches!(
            self,
            Self::ActiveBackup | Self::BalanceTlb | Self::BalanceAlb
        )
    }

    /// Whether links can be watched by ARP requests.
    pub fn watches_by_arp(self) -> bool {
        !matches!(self, Self::Ieee8023Ad | Self::BalanceTlb | Self::BalanceAlb)
    }
}
