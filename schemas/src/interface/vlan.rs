// SPDX-License-Identifier: Apache-2.0

//! VLAN (IEEE 802.1Q).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VlanProtocol;
use crate::lenient;
use crate::overlay::{overlay, overlay_leaf};

/// Section `vlan`. Attributes `IFLA_VLAN_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Vlan {
    /// The interface below. Needed to create the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_iface: Option<String>,
    /// VLAN identifier, 0 to 4094. Needed to create the link.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub id: Option<u16>,
    /// EtherType of the tag. Default 802.1q.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<VlanProtocol>,
    /// How switches are told of the VLAN. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_protocol: Option<VlanRegistration>,
    /// Show frames without their tag to whoever listens. Kernel default true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub reorder_headers: Option<bool>,
    /// Don't go down with the base. Kernel default false.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub loose_binding: Option<bool>,
    /// From priorities of received tags to those of packets inside this computer; unlisted ones are 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress_qos_map: Option<Vec<VlanPriority>>,
    /// From priorities of packets to those of sent tags; unlisted ones are 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egress_qos_map: Option<Vec<VlanPriority>>,
}

overlay!(Vlan {
    base_iface,
    id,
    protocol,
    registration_protocol,
    reorder_headers,
    loose_binding,
    ingress_qos_map,
    egress_qos_map,
});

/// One entry of a priority map. Priorities of tags are 0 to 7.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct VlanPriority {
    /// Priority before.
    #[serde(deserialize_with = "lenient::required_number")]
    pub from: u32,
    /// Priority after.
    #[serde(deserialize_with = "lenient::required_number")]
    pub to: u32,
}

/// How switches are told of the VLAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VlanRegistration {
    /// GARP VLAN Registration Protocol.
    Gvrp,
    /// Multiple VLAN Registration Protocol.
    Mvrp,
    /// Not at all.
    None,
}

overlay_leaf!(VlanRegistration);
