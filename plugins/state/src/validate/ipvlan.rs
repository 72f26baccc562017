// SPDX-License-Identifier: Apache-2.0

//! IPVLANs over one base share mode and flags (`struct ipvl_port`, drivers/net/ipvlan/ipvlan.h): what is said of one
//! must be true of all.

use std::collections::BTreeMap;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType, Ipvlan, IpvlanMode};
use nipart_schemas::overlay::Overlay;

use crate::context::Context;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut over: BTreeMap<String, Vec<(&str, Ipvlan)>> = BTreeMap::new();
    let present = context.observed.interfaces.iter().filter(|present| {
        !context.wanted.contains_key(present.name.as_str())
            && !context.doomed.contains(present.name.as_str())
    });
    for interface in present {
        if let Some(section) = &interface.ipvlan
            && let Some(base) = &section.base_iface
        {
            let others = over.entry(base.clone()).or_default();
            others.push((&interface.name, *section.clone()));
        }
    }
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let Some(section) = after(context, interface) else {
            continue;
        };
        let Some(base) = section.base_iface.clone() else {
            continue;
        };
        let others = over.entry(base.clone()).or_default();
        if let Some((other, key)) = others
            .iter()
            .find_map(|(other, theirs)| Some((other, contradiction(&section, theirs)?)))
        {
            return Err(NipartError::invalid(
                format!("interfaces[{index}].ipvlan.{key}"),
                format!(
                    "{} and {other} have the same base {base}, and therefore the same {key}: write it for both",
                    interface.name
                ),
            ));
        }
        others.push((&interface.name, section));
    }
    Ok(())
}

/// The section that the interface will have.
fn after(context: &Context<'_>, interface: &Interface) -> Option<Ipvlan> {
    let name = interface.name.as_str();
    if context.wanted_up(name).is_none() || context.type_of(name) != Some(&InterfaceType::Ipvlan) {
        return None;
    }
    let mut section = interface.ipvlan.clone();
    match context.present.get(name) {
        Some(present) => section.fill_from(&present.ipvlan),
        None => {
            section
                .get_or_insert_default()
                .mode
                .get_or_insert(IpvlanMode::L3);
        }
    }
    section.map(|section| *section)
}

fn contradiction(one: &Ipvlan, other: &Ipvlan) -> Option<&'static str> {
    fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
        one.is_some() && other.is_some() && one != other
    }
    if differ(one.mode, other.mode) {
        Some("mode")
    } else if differ(one.private, other.private) {
        Some("private")
    } else if differ(one.vepa, other.vepa) {
        Some("vepa")
    } else {
        None
    }
}
