// SPDX-License-Identifier: Apache-2.0

//! Options of bonds, under the kernel's names.

use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BondMode;
use crate::lenient;
use crate::mac_address::MacAddress;
use crate::overlay::overlay;
use crate::word::words;

/// `link-aggregation.options`. Attributes `IFLA_BOND_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BondOptions {
    /// Priority of this system towards the partner, 1 to 65535. With mode 802.3ad.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub ad_actor_sys_prio: Option<u16>,
    /// Address of this system towards the partner. With mode 802.3ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_actor_system: Option<MacAddress>,
    /// When another group of ports takes over. With mode 802.3ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_select: Option<BondAdSelect>,
    /// Upper bits of the port key, 0 to 1023. With mode 802.3ad.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub ad_user_port_key: Option<u16>,
    /// What happens to frames received on inactive ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_slaves_active: Option<BondDuplicates>,
    /// How many ARP targets must answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arp_all_targets: Option<BondArpAllTargets>,
    /// Milliseconds between ARP requests that watch the links; 0 for none. Not together with `miimon`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub arp_interval: Option<u32>,
    /// Targets of ARP requests, up to 16: a list, or text with commas. Replaces the list.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::addresses"
    )]
    #[schemars(with = "Option<Vec<Ipv4Addr>>")]
    pub arp_ip_target: Option<Vec<Ipv4Addr>>,
    /// Failed ARP checks after which a port is down, 1 to 255.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub arp_missed_max: Option<u8>,
    /// Which ARP answers are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arp_validate: Option<BondArpValidate>,
    /// Milliseconds until a failed port is given up, a multiple of `miimon`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub downdelay: Option<u32>,
    /// Milliseconds until a recovered port is used, a multiple of `miimon`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub updelay: Option<u32>,
    /// Whether the MAC address follows the active port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_over_mac: Option<BondFailOverMac>,
    /// Send LACP frames by oneself. With mode 802.3ad.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub lacp_active: Option<bool>,
    /// How often the partner is to send LACP frames. With mode 802.3ad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacp_rate: Option<BondLacpRate>,
    /// Seconds between learning packets to the switch.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub lp_interval: Option<u32>,
    /// Milliseconds between looks at the links; 0 for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub miimon: Option<u32>,
    /// Ports that must work for the bond to work. With mode 802.3ad.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub min_links: Option<u32>,
    /// IPv6 targets instead of `arp_ip_target`, up to 16. Replaces the list.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::addresses"
    )]
    #[schemars(with = "Option<Vec<Ipv6Addr>>")]
    pub ns_ip6_target: Option<Vec<Ipv6Addr>>,
    /// ARP and neighbour announcements after a change of ports; `num_unsol_na` is another name of it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number",
        alias = "num_unsol_na"
    )]
    pub num_grat_arp: Option<u8>,
    /// Packets through one port before the next one; 0 for a random one. With mode balance-rr.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub packets_per_slave: Option<u32>,
    /// The port that is active whenever it works; `""` for none. With modes active-backup, balance-tlb, balance-alb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// When the primary port becomes active again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_reselect: Option<BondPrimaryReselect>,
    /// IGMP reports after a change of ports, 0 to 255.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub resend_igmp: Option<u32>,
    /// Move flows between ports by load. With modes balance-tlb and balance-alb.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub tlb_dynamic_lb: Option<bool>,
    /// Trust the driver's word about its carrier.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub use_carrier: Option<bool>,
    /// What is hashed to choose a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xmit_hash_policy: Option<BondHashPolicy>,
    /// Source load balancing. Not supported: only false.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean",
        alias = "balance-slb"
    )]
    pub balance_slb: Option<bool>,
}

overlay!(BondOptions {
    ad_actor_sys_prio,
    ad_actor_system,
    ad_select,
    ad_user_port_key,
    all_slaves_active,
    arp_all_targets,
    arp_interval,
    arp_ip_target,
    arp_missed_max,
    arp_validate,
    downdelay,
    updelay,
    fail_over_mac,
    lacp_active,
    lacp_rate,
    lp_interval,
    miimon,
    min_links,
    ns_ip6_target,
    num_grat_arp,
    packets_per_slave,
    primary,
    primary_reselect,
    resend_igmp,
    tlb_dynamic_lb,
    use_carrier,
    xmit_hash_policy,
    balance_slb,
});

impl BondOptions {
    /// The written options that bonds of this mode don't have (`unsuppmodes`, `drivers/net/bonding/bond_options.c`).
    pub fn foreign_to(&self, mode: BondMode) -> Vec<&'static str> {
        let mut found = Vec::new();
        self.clone().each_foreign(mode, |name| found.push(name));
        found
    }

    /// Forgets them.
    pub fn drop_foreign_to(&mut self, mode: BondMode) {
        self.each_foreign(mode, |_| {});
    }

    /// The kernel turns one way of watching links off when the other is turned on, and delays belong to one of them.
    pub(super) fn forget_watching_against(&mut self, upper: &Self) {
        let is_on = |time: Option<u32>| time.is_some_and(|time| time > 0);
        if is_on(upper.arp_interval) && upper.miimon.is_none() {
            (self.miimon, self.updelay, self.downdelay) = (None, None, None);
        }
        if is_on(upper.miimon) && upper.arp_interval.is_none() {
            (self.arp_interval, self.arp_validate) = (None, None);
        }
        if upper.miimon == Some(0) {
            (self.updelay, self.downdelay) = (None, None);
        }
    }

    fn each_foreign(&mut self, mode: BondMode, mut found: impl FnMut(&'static str)) {
        macro_rules! only {
            ($condition:expr => $($field:ident),+) => {
                if !$condition {
                    $( if self.$field.take().is_some() { found(stringify!($field)); } )+
                }
            };
        }
        let is_lacp = mode == BondMode::Ieee8023Ad;
        only!(is_lacp => ad_actor_sys_prio, ad_actor_system, ad_select, ad_user_port_key, lacp_active, lacp_rate);
        only!(mode.watches_by_arp() => arp_all_targets, arp_interval, arp_ip_target, arp_missed_max, arp_validate, ns_ip6_target);
        only!(mode == BondMode::BalanceRr => packets_per_slave);
        only!(mode.prefers_ports() => primary, primary_reselect);
        only!(matches!(mode, BondMode::BalanceTlb | BondMode::BalanceAlb) => tlb_dynamic_lb);
    }
}

words! {
    /// `ad_select`.
    BondAdSelect {
        /// When all ports of the present one have failed.
        Stable = 0 "stable",
        /// The one with the most bandwidth.
        Bandwidth = 1 "bandwidth",
        /// The one with the most ports.
        Count = 2 "count",
    }
}

words! {
    /// `all_slaves_active`.
    BondDuplicates {
        /// They are dropped.
        Dropped = 0 "dropped",
        /// They are delivered.
        Delivered = 1 "delivered",
    }
}

words! {
    /// `arp_all_targets`.
    BondArpAllTargets {
        /// One of them.
        Any = 0 "any",
        /// All of them.
        All = 1 "all",
    }
}

words! {
    /// `arp_validate`.
    BondArpValidate {
        /// None.
        None = 0 "none",
        /// Those of the active port.
        Active = 1 "active",
        /// Those of backup ports.
        Backup = 2 "backup",
        /// Those of all ports.
        All = 3 "all",
        /// None, but nothing other than ARP counts.
        Filter = 4 "filter",
        /// Those of the active port, and nothing other than ARP counts.
        FilterActive = 5 "filter_active",
        /// Those of backup ports, and nothing other than ARP counts.
        FilterBackup = 6 "filter_backup",
    }
}

words! {
    /// `fail_over_mac`.
    BondFailOverMac {
        /// All ports have the bond's.
        None = 0 "none",
        /// The bond has that of the active port.
        Active = 1 "active",
        /// The active port gets the bond's.
        Follow = 2 "follow",
    }
}

words! {
    /// `lacp_rate`.
    BondLacpRate {
        /// Every 30 seconds.
        Slow = 0 "slow",
        /// Every second.
        Fast = 1 "fast",
    }
}

words! {
    /// `primary_reselect`.
    BondPrimaryReselect {
        /// As soon as it works.
        Always = 0 "always",
        /// When it is faster than the active one.
        Better = 1 "better",
        /// When the active one fails.
        Failure = 2 "failure",
    }
}

words! {
    /// `xmit_hash_policy`.
    BondHashPolicy {
        /// MAC addresses.
        Layer2 = 0 "layer2",
        /// IP addresses and ports.
        Layer34 = 1 "layer3+4",
        /// MAC and IP addresses.
        Layer23 = 2 "layer2+3",
        /// As layer2+3, inside of tunnels.
        Encap23 = 3 "encap2+3",
        /// As layer3+4, inside of tunnels.
        Encap34 = 4 "encap3+4",
        /// VLAN and source MAC address.
        VlanSourceMac = 5 "vlan+srcmac",
    }
}
