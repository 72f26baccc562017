// SPDX-License-Identifier: Apache-2.0

//! Which links a file means: those that it knows by a MAC or PCI address, or as virtual functions of cards, and names
//! that aren't the kernel's.
//!
//! Everything else of Nipart knows links by the kernel's names, so this comes first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use nipart_schemas::decision::MissingInterfaces;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::sr_iov::FunctionName;
use nipart_schemas::interface::{Identifier, Identity, Interface};
use nipart_schemas::network_state::NetworkState;

/// The state with the kernel's names. An interface that is known by an address gets the name of its link, and the one
/// that was written becomes that of its profile; that of a virtual function (`sriov:CARD:ID`) is only replaced. References may be kernel names, alternative names, or names of
/// profiles, and are taken for them in this order.
///
/// # Errors
/// When no link, or more than one, is meant. Where links are awaited, such a name stays instead.
pub fn identify(
    state: &NetworkState,
    present: &NetworkState,
    saved: &NetworkState,
    missing: MissingInterfaces,
) -> Result<NetworkState, NipartError> {
    let mut identified = state.clone();
    let mut renames = BTreeMap::new();
    for (index, interface) in identified.interfaces.iter_mut().enumerate() {
        let path = format!("interfaces[{index}]");
        let found = excused(link_of(interface, present, &path), missing)?;
        let Some(name) = found.filter(|name| *name != interface.name) else {
            continue;
        };
        let written = std::mem::replace(&mut interface.name, name.clone());
        interface.profile_name.get_or_insert(written.clone());
        if renames.insert(written.clone(), name).is_some() {
            return Err(NipartError::invalid(
                format!("{path}.name"),
                format!("{written} is the name of two interfaces that are known by addresses"),
            ));
        }
    }
    identified
        .replace_references(|name| Ok(renames.get(name).cloned()))
        .map_err(|(path, error): (String, NipartError)| error.at(path))?;
    let listed = identified.clone();
    let names = Names::of(&listed, present, saved);
    for (index, interface) in identified.interfaces.iter_mut().enumerate() {
        let found = names.of_function(&interface.name, &renames);
        let found = found.map_err(|error| error.at(format!("interfaces[{index}].name")));
        if let Some(name) = excused(found, missing)? {
            interface.name = name;
        }
    }
    let kernel_name = |name: &str| match names.of_function(name, &renames)? {
        None => names.kernel_name(name),
        found => Ok(found),
    };
    identified
        .replace_references(|name| excused(kernel_name(name), missing))
        .map_err(|(path, error)| error.at(path))?;
    Ok(identified)
}

/// What can't be found out now may be later, where links are awaited.
fn excused(
    found: Result<Option<String>, NipartError>,
    missing: MissingInterfaces,
) -> Result<Option<String>, NipartError> {
    match missing {
        MissingInterfaces::Refuse => found,
        MissingInterfaces::Await => Ok(found.unwrap_or_default()),
    }
}

/// The link whose permanent address it is, or else the one that has it now; none where it is known by its name.
fn link_of(
    interface: &Interface,
    present: &NetworkState,
    path: &str,
) -> Result<Option<String>, NipartError> {
    let key = match interface.identifier.unwrap_or_default() {
        Identifier::Name => return Ok(None),
        Identifier::MacAddress => "mac-address",
        Identifier::PciAddress => "pci-address",
    };
    let Some(identity) = interface.identity() else {
        return Err(NipartError::invalid(
            format!("{path}.identifier"),
            format!(
                "{} is to be known by its {key}, which isn't written",
                interface.name
            ),
        ));
    };
    let is_type = |present: &&Interface| match (&interface.interface_type, &present.interface_type)
    {
        (Some(wanted), Some(present)) => wanted.accepts(present),
        _ => true,
    };
    let candidates = || present.interfaces.iter().filter(is_type);
    let permanent: Vec<&Interface> = match identity {
        Identity::Mac(address) => candidates()
            .filter(|present| present.permanent_mac_address.as_ref() == Some(address))
            .collect(),
        Identity::Pci(_) => Vec::new(),
    };
    let found = if permanent.is_empty() {
        let known = candidates().filter(|present| present.is_known_as(identity));
        known.collect()
    } else {
        permanent
    };
    let path = format!("{path}.{key}");
    match found.as_slice() {
        [only] => Ok(Some(only.name.clone())),
        [] => Err(NipartError::invalid(
            path,
            format!("{}: no interface has this {key}", interface.name),
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|found| found.name.as_str()).collect();
            Err(NipartError::invalid(
                path,
                format!(
                    "{}: {} have this {key}; write the type to choose one",
                    interface.name,
                    names.join(" and ")
                ),
            ))
        }
    }
}

/// Names that references may use.
struct Names<'a> {
    /// The kernel's, of links that are there or come into being.
    kernel: HashSet<&'a str>,
    state: &'a NetworkState,
    present: &'a NetworkState,
    saved: &'a NetworkState,
}

impl<'a> Names<'a> {
    fn of(state: &'a NetworkState, present: &'a NetworkState, saved: &'a NetworkState) -> Self {
        let listed = state.interfaces.iter().chain(&present.interfaces);
        let peers = state.interfaces.iter().filter_map(Interface::veth_peer);
        Self {
            kernel: listed
                .map(|interface| interface.name.as_str())
                .chain(peers)
                .collect(),
            state,
            present,
            saved,
        }
    }

    /// The interface of the virtual function that the name means; none of other names. `renames` are the names that the
    /// file gives.
    fn of_function(
        &self,
        name: &str,
        renames: &BTreeMap<String, String>,
    ) -> Result<Option<String>, NipartError> {
        let Some(FunctionName { card, id }) = FunctionName::parse(name) else {
            return Ok(None);
        };
        let card = match renames.get(card) {
            Some(card) => card.clone(),
            None => self.kernel_name(card)?.unwrap_or(card.to_string()),
        };
        let refuse = |why: String| {
            let text = format!("{name} can't be found: {why}");
            Err(NipartError::new(ErrorKind::InvalidArgument, text))
        };
        let Some(present) = self.present.interface(&card) else {
            return refuse(format!("interface {card} doesn't exist"));
        };
        let Some(section) = present.sr_iov() else {
            return refuse(format!("{card} is no network card with SR-IOV"));
        };
        let Some(function) = section.vfs.as_ref().and_then(|vfs| vfs.find(id)) else {
            let total = section.total_vfs.unwrap_or_default();
            return refuse(format!(
                "{card} has {total} virtual functions, with ids from 0; make more by a file of its own, for their interfaces come later"
            ));
        };
        match &function.iface_name {
            Some(interface) => Ok(Some(interface.clone())),
            None => refuse(format!(
                "function {id} of {card} has no interface here, for no driver of this host has taken it, or it is in another network namespace"
            )),
        }
    }

    /// The link that the name means; none when it is the kernel's own, or nobody's.
    fn kernel_name(&self, name: &str) -> Result<Option<String>, NipartError> {
        if name.is_empty() || self.kernel.contains(name) {
            return Ok(None);
        }
        let has_alt_name = |interface: &&Interface| {
            let mut names = interface.alt_names.iter().flatten();
            names.any(|known| known.name == name)
        };
        if let Some(owner) = self.present.interfaces.iter().find(has_alt_name) {
            return Ok(Some(owner.name.clone()));
        }
        let listed = self.state.by_name();
        let saved = self.saved.interfaces.iter();
        let saved = saved.filter(|interface| !listed.contains_key(interface.name.as_str()));
        let profiles = self.state.interfaces.iter().chain(saved);
        let profiles: BTreeSet<&str> = profiles
            .filter(|interface| interface.profile_name.as_deref() == Some(name))
            .map(|interface| interface.name.as_str())
            .collect();
        let mut profiles = profiles.into_iter();
        match (profiles.next(), profiles.next()) {
            (Some(one), Some(other)) => Err(NipartError::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{name} is the profile of both {one} and {other}: write the interface's name"
                ),
            )),
            (only, _) => Ok(only.map(str::to_string)),
        }
    }
}

/// Whether a link of this name is there that isn't the one that is meant.
pub(crate) fn is_another(wanted: &Interface, present: Option<&Interface>) -> bool {
    match (wanted.identity(), present) {
        (Some(identity), Some(present)) => !present.is_known_as(identity),
        _ => false,
    }
}

/// Whether references may have to be looked up: links that the state doesn't list, by their names.
#[must_use]
pub fn unlisted(state: &NetworkState) -> Vec<String> {
    let listed = state.by_name();
    let creates = |name: &str| {
        let peers = state.interfaces.iter().filter_map(Interface::veth_peer);
        peers.into_iter().any(|peer| peer == name)
    };
    let named = state.mentioned_interfaces().into_iter();
    named
        .filter(|name| !listed.contains_key(name.as_str()) && !creates(name))
        .collect()
}

/// Whether an interface is known by something else than its name.
#[must_use]
pub fn has_identities(state: &NetworkState) -> bool {
    let mut interfaces = state.interfaces.iter();
    interfaces.any(|interface| interface.identifier.unwrap_or_default() != Identifier::Name)
}

/// Whether an interface is called by the number of a virtual function: then its card has to be asked.
#[must_use]
pub fn names_functions(state: &NetworkState) -> bool {
    let names = state.mentioned_interfaces();
    names.iter().any(|name| FunctionName::parse(name).is_some())
}

#[cfg(test)]
mod tests;
