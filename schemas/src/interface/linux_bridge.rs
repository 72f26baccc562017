// SPDX-License-Identifier: Apache-2.0

//! The kernel's Ethernet bridge (IEEE 802.1D).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::port_vlan::PortVlan;
use crate::lenient;
use crate::mac_address::MacAddress;
use crate::overlay::{overlay, overlay_leaf};

/// Section `bridge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LinuxBridge {
    /// `false`: ports that the list doesn't name are detached, whoever attached them. Default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub allow_extra_ports: Option<bool>,
    /// Options of the bridge itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<BridgeOptions>,
    /// Its ports. Replaces the list that was applied before; ports that others attached stay.
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "ports")]
    pub port: Option<Vec<BridgePort>>,
    /// The VLANs that reach the bridge itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<PortVlan>,
}

// Ports are a list with rules of its own, and whose ports may stay is no property of the link.
overlay!(LinuxBridge { options, vlan } read_only { allow_extra_ports, port });

impl LinuxBridge {
    /// All that is said of VLANs: of those that reach the bridge, then of its ports in their order.
    pub fn vlans(&self) -> impl Iterator<Item = &PortVlan> {
        let ports = self.port.iter().flatten();
        let of_ports = ports.filter_map(|port| port.vlan.as_ref());
        self.vlan.iter().chain(of_ports)
    }

    /// Forgets what can't stand below `upper`: VLANs where it looks at none, and that it looks at none where `upper` has VLANs.
    pub(crate) fn forget_vlans_against(&mut self, upper: &Self) {
        let filters = upper.options.as_ref().and_then(|it| it.vlan_filtering);
        if filters == Some(false) {
            self.vlan = None;
            let ports = self.port.iter_mut().flatten();
            ports.for_each(|port| port.vlan = None);
        } else if upper.vlans().any(|vlan| !vlan.is_reset())
            && let Some(options) = &mut self.options
        {
            options.vlan_filtering.take_if(|filters| !*filters);
        }
    }

    /// Where nothing is said of VLANs, says that there is nothing but the default.
    pub fn spell_out_missing_vlans(&mut self) {
        self.vlan.get_or_insert_default();
        for port in self.port.iter_mut().flatten() {
            port.vlan.get_or_insert_default();
        }
    }
}

/// One entry of `bridge.port`. Attributes `IFLA_BRPORT_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgePort {
    /// The attached interface.
    pub name: String,
    /// Send frames back through the port that they came in by.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub stp_hairpin_mode: Option<bool>,
    /// Spanning tree cost, 1 to 65535.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub stp_path_cost: Option<u32>,
    /// Spanning tree priority, 0 to 63.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub stp_priority: Option<u16>,
    /// The VLANs that pass it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<PortVlan>,
}

overlay!(BridgePort {
    name,
    stp_hairpin_mode,
    stp_path_cost,
    stp_priority,
    vlan
});

/// `bridge.options`. Attributes `IFLA_BR_*` of `linux/if_link.h`; multicast intervals in hundredths of a second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgeOptions {
    /// Destination of spanning tree frames, 01:80:C2:00:00:0x.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_addr: Option<MacAddress>,
    /// Link-local groups that are forwarded all the same, a bit each.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number",
        alias = "group-forward-mask"
    )]
    pub group_fwd_mask: Option<u16>,
    /// Largest size of the multicast hash table, a power of two.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub hash_max: Option<u32>,
    /// Seconds after which an unseen MAC address is forgotten.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub mac_ageing_time: Option<u32>,
    /// Queries sent after a group was left.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_last_member_count: Option<u32>,
    /// Time between those queries.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_last_member_interval: Option<u64>,
    /// Time after which a group without reports is forgotten.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_membership_interval: Option<u64>,
    /// Send queries itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub multicast_querier: Option<bool>,
    /// Time after which another querier is taken for gone.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_querier_interval: Option<u64>,
    /// Time between general queries.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_query_interval: Option<u64>,
    /// Longest time that a member may take to answer.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_query_response_interval: Option<u64>,
    /// Send queries from the bridge's own IP address.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub multicast_query_use_ifaddr: Option<bool>,
    /// Whether a multicast router is assumed behind the bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multicast_router: Option<MulticastRouter>,
    /// Forward multicast to members only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub multicast_snooping: Option<bool>,
    /// Queries sent at start.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_startup_query_count: Option<u32>,
    /// Time between those queries.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub multicast_startup_query_interval: Option<u64>,
    /// Whether it looks at VLANs at all. Where it isn't written, it is on as long as a port, or the bridge itself, has
    /// a `vlan` that says something.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub vlan_filtering: Option<bool>,
    /// Protocol of VLAN filtering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan_protocol: Option<VlanProtocol>,
    /// VLAN of untagged frames on new ports, 0 to 4094; 0 is none. Kernel default 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub vlan_default_pvid: Option<u16>,
    /// Spanning tree protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stp: Option<BridgeStp>,
    /// Shown only: time until the next clean-up, hundredths of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gc_timer: Option<u64>,
    /// Shown only: time until the next hello, hundredths of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello_timer: Option<u64>,
}

overlay!(BridgeOptions {
    group_addr,
    group_fwd_mask,
    hash_max,
    mac_ageing_time,
    multicast_last_member_count,
    multicast_last_member_interval,
    multicast_membership_interval,
    multicast_querier,
    multicast_querier_interval,
    multicast_query_interval,
    multicast_query_response_interval,
    multicast_query_use_ifaddr,
    multicast_router,
    multicast_snooping,
    multicast_startup_query_count,
    multicast_startup_query_interval,
    vlan_filtering,
    vlan_protocol,
    vlan_default_pvid,
    stp,
} read_only { gc_timer, hello_timer });

/// `bridge.options.stp`. Times in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BridgeStp {
    /// Whether it runs.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub enabled: Option<bool>,
    /// Time in the listening and in the learning state, 2 to 30.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub forward_delay: Option<u8>,
    /// Time between hellos, 1 to 10.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub hello_time: Option<u8>,
    /// Time after which a silent root is taken for gone, 6 to 40.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub max_age: Option<u8>,
    /// Bridge priority, 0 to 65535: the lowest becomes root.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub priority: Option<u16>,
}

overlay!(BridgeStp {
    enabled,
    forward_delay,
    hello_time,
    max_age,
    priority
});

/// `MDB_RTR_TYPE_*` of `linux/if_bridge.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MulticastRouter {
    /// Never.
    Disabled,
    /// When one is seen.
    Auto,
    /// Always.
    Enabled,
}

/// EtherType of VLAN tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum VlanProtocol {
    /// 0x8100, customer tags.
    #[serde(rename = "802.1q")]
    Ieee8021Q,
    /// 0x88A8, service tags.
    #[serde(rename = "802.1ad")]
    Ieee8021Ad,
}

overlay_leaf!(MulticastRouter, VlanProtocol);
