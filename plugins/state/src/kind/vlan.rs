// SPDX-License-Identifier: Apache-2.0

//! VLAN: the kernel changes flags and maps in place (`vlan_changelink`, net/8021q/vlan_netlink.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType, Vlan as Section, VlanPriority};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::Kind;

/// Keys that need the link to be created anew.
const FIXED: [&str; 3] = ["base-iface", "id", "protocol"];
/// 4095 is reserved.
const LARGEST_ID: u16 = 4094;
const LARGEST_PRIORITY: u32 = 7;

pub(super) struct Vlan;

impl Kind for Vlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vlan
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        check(interface.vlan.as_deref(), is_new, path)
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        FIXED.contains(&key)
    }

    fn is_equal(&self, key: &str, difference: &Difference) -> bool {
        key.ends_with("-qos-map") && entries(&difference.current) == entries(&difference.desired)
    }

    // The kernel adds to its maps what it is told: what is to go must be set to zero.
    fn complete_changes(&self, changes: &mut Interface, _wanted: &Interface, present: &Interface) {
        if let (Some(changes), Some(present)) = (&mut changes.vlan, &present.vlan) {
            complete(
                &mut changes.ingress_qos_map,
                present.ingress_qos_map.as_deref(),
            );
            complete(
                &mut changes.egress_qos_map,
                present.egress_qos_map.as_deref(),
            );
        }
    }
}

fn complete(map: &mut Option<Vec<VlanPriority>>, present: Option<&[VlanPriority]>) {
    let Some(map) = map else { return };
    for entry in present.unwrap_or_default() {
        if !map.iter().any(|known| known.from == entry.from) {
            map.push(VlanPriority {
                from: entry.from,
                to: 0,
            });
        }
    }
}

/// The entries of a map in order, without those that say what holds anyway.
fn entries(map: &Value) -> Vec<(u64, u64)> {
    let number = |entry: &Value, key: &str| entry[key].as_u64().unwrap_or_default();
    let list = map.as_array().into_iter().flatten();
    let mut entries: Vec<(u64, u64)> = list
        .map(|entry| (number(entry, "from"), number(entry, "to")))
        .filter(|(_, to)| *to != 0)
        .collect();
    entries.sort_unstable();
    entries
}

fn check(section: Option<&Section>, is_new: bool, path: &str) -> Result<(), NipartError> {
    if is_new && section.is_none_or(|section| section.base_iface.is_none() || section.id.is_none())
    {
        return Err(NipartError::invalid(
            path,
            "a new vlan needs the interface below and an identifier: vlan: {base-iface: NAME, id: NUMBER}",
        ));
    }
    let Some(section) = section else {
        return Ok(());
    };
    if let Some(id) = section.id.filter(|id| *id > LARGEST_ID) {
        return Err(NipartError::invalid(
            format!("{path}.vlan.id"),
            format!("VLAN identifier {id} is too large: the largest is {LARGEST_ID}"),
        ));
    }
    let ingress = section.ingress_qos_map.as_deref().unwrap_or_default();
    let path = format!("{path}.vlan");
    check_map(
        ingress,
        ("ingress-qos-map", "from"),
        |entry| entry.from,
        &path,
    )?;
    let egress = section.egress_qos_map.as_deref().unwrap_or_default();
    check_map(egress, ("egress-qos-map", "to"), |entry| entry.to, &path)
}

/// `of_tag` is the side of an entry that is in the tag, where three bits hold it; `side` is its key.
fn check_map(
    map: &[VlanPriority],
    (key, side): (&str, &str),
    of_tag: fn(&VlanPriority) -> u32,
    path: &str,
) -> Result<(), NipartError> {
    for (index, entry) in map.iter().enumerate() {
        let path = format!("{path}.{key}[{index}]");
        let priority = of_tag(entry);
        if priority > LARGEST_PRIORITY {
            return Err(NipartError::invalid(
                format!("{path}.{side}"),
                format!("VLAN priority {priority} is too large: the largest is {LARGEST_PRIORITY}"),
            ));
        }
        if map[..index].iter().any(|known| known.from == entry.from) {
            return Err(NipartError::invalid(
                format!("{path}.from"),
                format!("priority {} is mapped twice", entry.from),
            ));
        }
    }
    Ok(())
}
