// SPDX-License-Identifier: Apache-2.0

//! What can be said of the VLANs of a port.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::PortVlan;
use nipart_schemas::interface::port_vlan::{PortVlanMode, TrunkTag, VLAN_IDS};

/// `path` is that of the `vlan` key.
pub(super) fn check(vlan: &PortVlan, path: &str) -> Result<(), NipartError> {
    if vlan.is_reset() {
        return Ok(());
    }
    let refuse = |key: &str, text: &str| Err(NipartError::invalid(format!("{path}.{key}"), text));
    if let Some(tag) = vlan.tag {
        check_id(tag, &format!("{path}.tag"))?;
    }
    let has_native = vlan.enable_native == Some(true);
    match vlan.mode.unwrap_or(PortVlanMode::Access) {
        PortVlanMode::Access if vlan.trunk_tags.is_some() => {
            refuse("trunk-tags", "trunk-tags are for mode trunk")
        }
        PortVlanMode::Access if has_native => {
            refuse("enable-native", "enable-native is for mode trunk")
        }
        PortVlanMode::Access if vlan.tag.is_none() => refuse("tag", "mode access needs a tag"),
        PortVlanMode::Trunk if has_native && vlan.tag.is_none() => {
            refuse("tag", "enable-native needs a tag")
        }
        PortVlanMode::Trunk if !has_native && vlan.tag.is_some() => {
            refuse("tag", "a tag needs enable-native: true in mode trunk")
        }
        PortVlanMode::Trunk if !has_native && vlan.trunk_tags.is_none() => refuse(
            "trunk-tags",
            "mode trunk needs trunk-tags; an empty list lets nothing pass",
        ),
        _ => check_trunk_tags(vlan.trunk_tags.as_deref().unwrap_or_default(), path),
    }
}

fn check_trunk_tags(tags: &[TrunkTag], path: &str) -> Result<(), NipartError> {
    let mut known: Vec<(u16, u16)> = Vec::with_capacity(tags.len());
    for (index, tag) in tags.iter().enumerate() {
        let path = format!("{path}.trunk-tags[{index}]");
        let Some((min, max)) = tag.range() else {
            return Err(NipartError::invalid(path, "needs either id or id-range"));
        };
        check_id(min, &path)?;
        check_id(max, &path)?;
        if min > max {
            return Err(NipartError::invalid(
                format!("{path}.id-range"),
                format!("the first VLAN, {min}, is above the last, {max}"),
            ));
        }
        if let Some((first, last)) = known
            .iter()
            .find(|(first, last)| *first <= max && min <= *last)
        {
            return Err(NipartError::invalid(
                path,
                format!("{min} to {max} overlaps {first} to {last}"),
            ));
        }
        known.push((min, max));
    }
    Ok(())
}

fn check_id(id: u16, path: &str) -> Result<(), NipartError> {
    if VLAN_IDS.contains(&id) {
        return Ok(());
    }
    let (first, last) = (VLAN_IDS.start(), VLAN_IDS.end());
    Err(NipartError::invalid(
        path,
        format!("VLAN {id} is out of range: {first} to {last}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused() {
        let tag = |text: &str| format!(r#"{{"mode": "trunk", "trunk-tags": [{text}]}}"#);
        for (vlan, refusal) in [
            ("{}".to_string(), None),
            (r#"{"tag": 4094}"#.to_string(), None),
            (tag(""), None),
            (
                tag(r#"{"id": 3}, {"id-range": {"min": 4, "max": 9}}"#),
                None,
            ),
            (
                r#"{"mode": "trunk", "enable-native": true, "tag": 5}"#.to_string(),
                None,
            ),
            (
                r#"{"mode": "access"}"#.to_string(),
                Some("tag: mode access needs a tag"),
            ),
            (
                r#"{"tag": 4095}"#.to_string(),
                Some("tag: VLAN 4095 is out of range: 1 to 4094"),
            ),
            (
                r#"{"tag": 5, "trunk-tags": []}"#.to_string(),
                Some("trunk-tags: trunk-tags are for mode trunk"),
            ),
            (
                r#"{"tag": 5, "enable-native": true}"#.to_string(),
                Some("enable-native: enable-native is for mode trunk"),
            ),
            (
                r#"{"mode": "trunk"}"#.to_string(),
                Some("trunk-tags: mode trunk needs trunk-tags; an empty list lets nothing pass"),
            ),
            (
                r#"{"mode": "trunk", "tag": 5, "trunk-tags": []}"#.to_string(),
                Some("tag: a tag needs enable-native: true in mode trunk"),
            ),
            (
                r#"{"mode": "trunk", "enable-native": true, "trunk-tags": []}"#.to_string(),
                Some("tag: enable-native needs a tag"),
            ),
            (
                tag("{}"),
                Some("trunk-tags[0]: needs either id or id-range"),
            ),
            (
                tag(r#"{"id": 3, "id-range": {"min": 4, "max": 9}}"#),
                Some("trunk-tags[0]: needs either id or id-range"),
            ),
            (
                tag(r#"{"id": 0}"#),
                Some("trunk-tags[0]: VLAN 0 is out of range: 1 to 4094"),
            ),
            (
                tag(r#"{"id-range": {"min": 9, "max": 4}}"#),
                Some("trunk-tags[0].id-range: the first VLAN, 9, is above the last, 4"),
            ),
            (
                tag(r#"{"id": 9}, {"id-range": {"min": 4, "max": 9}}"#),
                Some("trunk-tags[1]: 4 to 9 overlaps 9 to 9"),
            ),
        ] {
            let refused = check(&serde_json::from_str(&vlan).unwrap(), "vlan").err();
            let refused = refused.map(|error| {
                let path = error.path.unwrap_or_default();
                format!("{}: {}", path.trim_start_matches("vlan."), error.message)
            });
            assert_eq!(refused.as_deref(), refusal, "{vlan}");
        }
    }
}
