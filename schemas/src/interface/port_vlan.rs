// SPDX-License-Identifier: Apache-2.0

//! Which VLANs pass a port of a bridge, or reach the bridge itself.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lenient;
use crate::overlay::overlay_leaf;

/// The identifiers that VLANs can have (`VLAN_VID_MASK` without its ends).
pub const VLAN_IDS: RangeInclusive<u16> = 1..=4094;

/// Key `vlan` of a port. It is one value: what is written replaces all that was there. Without any key it stands for
/// what a port has that nothing is said of: the bridge's default VLAN.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PortVlan {
    /// Default `access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PortVlanMode>,
    /// The VLAN of frames without a tag, 1 to 4094: of an access port, or the native one of a trunk port.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub tag: Option<u16>,
    /// Whether a trunk port has a native VLAN. Default false.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub enable_native: Option<bool>,
    /// The VLANs that pass a trunk port with their tags; an empty list lets none pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk_tags: Option<Vec<TrunkTag>>,
}

overlay_leaf!(PortVlan);

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortVlanMode {
    /// Hosts that know nothing of VLANs: one VLAN, without tags.
    Access,
    /// Other bridges: several VLANs with their tags.
    Trunk,
}

/// One VLAN or several: one of both keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrunkTag {
    /// One VLAN.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub id: Option<u16>,
    /// Several, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_range: Option<VlanRange>,
}

/// Both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VlanRange {
    /// The first.
    #[serde(deserialize_with = "lenient::required_number")]
    pub min: u16,
    /// The last.
    #[serde(deserialize_with = "lenient::required_number")]
    pub max: u16,
}

impl TrunkTag {
    /// First and last VLAN; none unless exactly one key is written.
    pub fn range(self) -> Option<(u16, u16)> {
        match (self.id, self.id_range) {
            (Some(id), None) => Some((id, id)),
            (None, Some(VlanRange { min, max })) => Some((min, max)),
            _ => None,
        }
    }

    fn of((min, max): (u16, u16)) -> Self {
        if min == max {
            Self {
                id: Some(min),
                id_range: None,
            }
        } else {
            Self {
                id: None,
                id_range: Some(VlanRange { min, max }),
            }
        }
    }
}

/// The VLANs of a port as a bridge keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VlanTable {
    /// The VLAN of frames without a tag, which also leave without one.
    pub native: Option<u16>,
    /// First and last of those that pass with their tags, in order, as few as can be, without the native one.
    pub tagged: Vec<(u16, u16)>,
}

impl VlanTable {
    /// The table of a native VLAN, if there is one, and others in any order.
    pub fn new(native: Option<u16>, tagged: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut ranges: Vec<(u16, u16)> = tagged
            .into_iter()
            .flat_map(|(min, max)| match native {
                Some(native) if (min..=max).contains(&native) => [
                    (min, native.saturating_sub(1)),
                    (native.saturating_add(1), max),
                ],
                _ => [(min, max), (1, 0)],
            })
            .filter(|(min, max)| min <= max)
            .collect();
        ranges.sort_unstable();
        let mut tagged: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (min, max) in ranges {
            match tagged.last_mut() {
                Some(last) if min <= last.1.saturating_add(1) => last.1 = last.1.max(max),
                _ => tagged.push((min, max)),
            }
        }
        Self { native, tagged }
    }

    /// The VLANs that are not in it, first and last of each gap.
    pub fn others(&self) -> Vec<(u16, u16)> {
        let native = self.native.map(|native| (native, native));
        let all = Self::new(None, self.tagged.iter().copied().chain(native));
        let mut gaps = Vec::new();
        let mut next = *VLAN_IDS.start();
        for (min, max) in all.tagged {
            if next < min {
                gaps.push((next, min.saturating_sub(1)));
            }
            next = max.saturating_add(1);
        }
        if next <= *VLAN_IDS.end() {
            gaps.push((next, *VLAN_IDS.end()));
        }
        gaps
    }
}

impl PortVlan {
    /// What a port gets that nothing is said of, when this is the bridge's default VLAN; 0 is none.
    pub fn default_of(default_pvid: u16) -> Self {
        let native = Some(default_pvid).filter(|pvid| *pvid != 0);
        VlanTable::new(native, []).into()
    }

    /// Whether it stands for the default.
    pub fn is_reset(&self) -> bool {
        let Self {
            mode,
            tag,
            enable_native,
            trunk_tags,
        } = self;
        mode.is_none() && tag.is_none() && enable_native.is_none() && trunk_tags.is_none()
    }

    /// The table that it describes; an empty one where it stands for the default.
    pub fn table(&self) -> VlanTable {
        match self.mode.unwrap_or(PortVlanMode::Access) {
            PortVlanMode::Access => VlanTable::new(self.tag, []),
            PortVlanMode::Trunk => VlanTable::new(
                self.tag.filter(|_| self.enable_native == Some(true)),
                self.trunk_tags
                    .iter()
                    .flatten()
                    .filter_map(|tag| tag.range()),
            ),
        }
    }
}

impl From<VlanTable> for PortVlan {
    fn from(table: VlanTable) -> Self {
        match table.native {
            Some(native) if table.tagged.is_empty() => Self {
                mode: Some(PortVlanMode::Access),
                tag: Some(native),
                ..Self::default()
            },
            native => Self {
                mode: Some(PortVlanMode::Trunk),
                tag: native,
                enable_native: Some(native.is_some()),
                trunk_tags: Some(table.tagged.into_iter().map(TrunkTag::of).collect()),
            },
        }
    }
}

/// The same when the bridge does the same: one table can be written in several ways.
impl PartialEq for PortVlan {
    fn eq(&self, other: &Self) -> bool {
        self.is_reset() == other.is_reset() && self.table() == other.table()
    }
}

impl Eq for PortVlan {}

#[cfg(test)]
mod tests {
    use super::*;

    fn vlan(text: &str) -> PortVlan {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn one_table_written_in_several_ways() {
        for (one, other) in [
            (r#"{"tag": 10}"#, r#"{"mode": "access", "tag": "10"}"#),
            (
                r#"{"mode": "trunk", "trunk-tags": [{"id": 5}, {"id": 7}, {"id": 6}]}"#,
                r#"{"mode": "trunk", "trunk-tags": [{"id-range": {"min": 5, "max": 7}}]}"#,
            ),
            (
                r#"{"mode": "trunk", "enable-native": true, "tag": 6, "trunk-tags": [{"id-range": {"min": 5, "max": 7}}]}"#,
                r#"{"mode": "trunk", "enable-native": true, "tag": 6, "trunk-tags": [{"id": 7}, {"id": 5}]}"#,
            ),
            (
                r#"{"mode": "trunk", "enable-native": true, "tag": 6, "trunk-tags": []}"#,
                r#"{"tag": 6}"#,
            ),
        ] {
            assert_eq!(vlan(one), vlan(other));
            assert_eq!(PortVlan::from(vlan(one).table()), vlan(other));
        }
        let none = vlan(r#"{"mode": "trunk", "trunk-tags": []}"#);
        assert_ne!(vlan("{}"), none);
        assert_eq!(PortVlan::from(none.table()), none);
        assert_eq!(PortVlan::default_of(0), none);
    }

    #[test]
    fn gaps_and_ranges_are_all_there_is() {
        for (native, tagged, gaps) in [
            (None, vec![], vec![(1, 4094)]),
            (Some(1), vec![], vec![(2, 4094)]),
            (Some(5), vec![(3, 7), (4094, 4094)], vec![(1, 2), (8, 4093)]),
            (Some(4094), vec![(1, 4093)], vec![]),
        ] {
            assert_eq!(VlanTable::new(native, tagged).others(), gaps);
        }
    }
}
