// SPDX-License-Identifier: Apache-2.0

//! Checks of names: the kernel has one space for names and alternative names of all links.

use std::collections::HashMap;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::InterfaceState;

use crate::context::Context;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut owners = present_owners(context);
    let wanted = context
        .desired
        .interfaces
        .iter()
        .enumerate()
        .filter(|(_, interface)| interface.wanted_state() == InterfaceState::Up);
    for (index, interface) in wanted.clone() {
        let name = interface.name.as_str();
        if let Some(owner) = owners.insert(name, name).filter(|owner| *owner != name) {
            return Err(NipartError::invalid(
                format!("interfaces[{index}].name"),
                format!("{name} is an alternative name of {owner}"),
            ));
        }
    }
    for (index, interface) in wanted {
        let alt_names = interface.alt_names.iter().flatten().enumerate();
        for (position, alt_name) in alt_names.filter(|(_, alt_name)| alt_name.state.is_none()) {
            let name = alt_name.name.as_str();
            let owner = owners.insert(name, &interface.name);
            if let Some(owner) =
                owner.filter(|owner| *owner != interface.name || name == interface.name)
            {
                return Err(NipartError::invalid(
                    format!("interfaces[{index}].alt-names[{position}].name"),
                    format!("{name} is a name of {owner} already"),
                ));
            }
        }
    }
    Ok(())
}

/// Who has each name now and keeps it.
fn present_owners<'a>(context: &Context<'a>) -> HashMap<&'a str, &'a str> {
    let mut owners = HashMap::new();
    for present in &context.observed.interfaces {
        let name = present.name.as_str();
        if context.doomed.contains(name) {
            continue;
        }
        owners.insert(name, name);
        let given_up = |alt_name: &str| {
            let wanted = context
                .wanted_up(name)
                .and_then(|wanted| wanted.alt_names.as_ref());
            let mut entries = wanted.into_iter().flatten();
            entries.any(|entry| entry.state.is_some() && entry.name == alt_name)
        };
        let alt_names = present.alt_names.iter().flatten();
        let kept = alt_names.filter(|alt_name| !given_up(&alt_name.name));
        owners.extend(kept.map(|alt_name| (alt_name.name.as_str(), name)));
    }
    owners
}
