// SPDX-License-Identifier: Apache-2.0

//! What is particular to each type of interface when states are checked and planned. One file per type.
//!
//! To add a type: a file here that implements [`Kind`], and a line in [`KINDS`].

mod bond;
mod geneve;
mod gre;
mod hsr;
mod infiniband;
mod ip_tunnel;
mod ipvlan;
mod linux_bridge;
mod mac_vlan;
mod macsec;
mod port_vlan;
mod tun;
mod tunnel;
mod veth;
mod vlan;
mod vrf;
mod vxlan;
mod wireguard;
mod xfrm;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::{Difference, Overlay, Path};

/// Every type that has something particular.
static KINDS: &[&dyn Kind] = &[
    &veth::Veth,
    &linux_bridge::LinuxBridge,
    &bond::Bond,
    &vlan::Vlan,
    &vrf::Vrf,
    &vxlan::Vxlan,
    &mac_vlan::MacVlan,
    &mac_vlan::MacVtap,
    &ipvlan::Ipvlan,
    &wireguard::Wireguard,
    &ip_tunnel::IpTunnel,
    &gre::Gre,
    &gre::GreTap,
    &geneve::Geneve,
    &xfrm::Xfrm,
    &macsec::Macsec,
    &tun::Tun,
    &hsr::Hsr,
    &infiniband::Infiniband,
];

/// What is particular to one type.
pub(crate) trait Kind: Sync {
    /// The type.
    fn interface_type(&self) -> InterfaceType;

    /// Refuses values of the section that can't be, and a new link that lacks what it needs. `path` is the
    /// interface's.
    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError>;

    /// Whether the kernel can't make this change of the section on a living link, so that it has to be created anew.
    /// `key` is the first key inside the section.
    fn is_fixed(&self, _key: &str, _difference: &Difference) -> bool {
        false
    }

    /// The same of this link, because of what else it has.
    fn is_fixed_for(&self, _present: &Interface, _key: &str) -> bool {
        false
    }

    /// Whether this difference is none: the kernel rounds, or shows another word for the same.
    fn is_equal(&self, _key: &str, _difference: &Difference) -> bool {
        false
    }

    /// Whether the kernel takes what a change in place doesn't name for its default.
    fn changes_whole_section(&self) -> bool {
        false
    }

    /// Takes out of the present section what doesn't hold beside the wanted one.
    fn forget(&self, _wanted: &Interface, _present: &mut Interface) {}

    /// Adds to the changes of the section what the kernel would change along, or wouldn't, unless it is told.
    fn complete_changes(
        &self,
        _changes: &mut Interface,
        _wanted: &Interface,
        _present: &Interface,
    ) {
    }

    /// Takes out of a section what can be said only when the ports are attached.
    fn take_what_needs_ports(&self, _section: &mut Interface) -> Option<Interface> {
        None
    }

    /// Whether a link must be down to become its port. It then sets the port up, and down again when it lets it go.
    fn sets_ports_up(&self) -> bool {
        false
    }

    /// Whether its MTU and its MAC address are the smallest of its ports' until somebody has set others than it has.
    fn takes_after_ports(&self) -> bool {
        false
    }

    /// Whether it takes links that become its ports, or stop being such, down and up again.
    fn restarts_ports(&self) -> bool {
        false
    }

    /// Whether the kernel chooses another MTU with this change of the section.
    fn resets_mtu(&self, _key: &str) -> bool {
        false
    }

    /// Whether a key of the section, once set, can't be taken off a living link.
    fn keeps_what_it_gained(&self) -> bool {
        false
    }
}

fn of_type(interface_type: Option<&InterfaceType>) -> Option<&'static dyn Kind> {
    KINDS
        .iter()
        .copied()
        .find(|kind| Some(&kind.interface_type()) == interface_type)
}

/// Checks the values of the section, and that all is there that a link which doesn't exist yet needs.
pub(crate) fn check(interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
    let Some(kind) = of_type(interface.interface_type.as_ref()) else {
        return Ok(());
    };
    kind.check(interface, is_new, path).map_err(|error| {
        let section = interface.sections().first().map(|(key, _)| *key);
        match section.filter(|_| error.path.as_deref() == Some(path)) {
            // What is missing belongs into the section.
            Some(section) => error.at(format!("{path}.{section}")),
            None => error,
        }
    })
}

/// A key inside a section, from the path of a difference.
fn key_of(difference: &Difference) -> &str {
    difference
        .path
        .trim_start_matches('.')
        .split('.')
        .nth(1)
        .unwrap_or_default()
}

/// Whether a difference, whose path begins behind the interface's name, is none to the kind.
pub(crate) fn is_no_difference(present: &Interface, path: &str, difference: &Difference) -> bool {
    let key = path.trim_start_matches('.').split('.').nth(1);
    of_type(present.interface_type.as_ref())
        .is_some_and(|kind| kind.is_equal(key.unwrap_or_default(), difference))
}

/// How the present section differs from the wanted one.
pub(crate) fn section_differences(wanted: &Interface, present: &Interface) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut wanted = wanted.only_sections();
    wanted.interface_type = None;
    wanted.name.clone_from(&present.name);
    // A peer that isn't shown lives in another network namespace: the pair is left as it is.
    if present.veth_peer().is_none() {
        wanted.veth = None;
    }
    wanted.differences(present, Path::root(""), &mut out);
    if let Some(kind) = of_type(present.interface_type.as_ref()) {
        out.retain(|difference| !kind.is_equal(key_of(difference), difference));
    }
    out
}

/// Whether the kernel can't make one of these changes on the living link, so that it has to be created anew.
pub fn needs_recreation(present: &Interface, differences: &[Difference]) -> bool {
    of_type(present.interface_type.as_ref()).is_some_and(|kind| {
        differences.iter().any(|difference| {
            let key = key_of(difference);
            kind.is_fixed(key, difference) || kind.is_fixed_for(present, key)
        })
    })
}

/// See [`Kind::resets_mtu`].
pub(crate) fn resets_mtu(present: &Interface, differences: &[Difference]) -> bool {
    of_type(present.interface_type.as_ref())
        .is_some_and(|kind| differences.iter().any(|each| kind.resets_mtu(key_of(each))))
}

/// Whether the present section has a key that the one of before didn't have, and that can't be taken off again.
pub(crate) fn has_gained(before: &Interface, now: &Interface) -> bool {
    of_type(now.interface_type.as_ref()).is_some_and(|kind| {
        kind.keeps_what_it_gained()
            && section_differences(now, before)
                .iter()
                .any(|difference| difference.current.is_null())
    })
}

/// Name, type, and in the section what changes, or all of it where the kernel forgets the rest: the payload of an operation that changes options in place.
pub(crate) fn section_changes(
    wanted: &Interface,
    present: &Interface,
    interface_type: &InterfaceType,
) -> Interface {
    let mut changes = wanted.only_sections().without_ports();
    changes.interface_type = None;
    changes.veth = None;
    let kind = of_type(Some(interface_type));
    if kind.is_some_and(Kind::changes_whole_section) {
        changes.fill_from(&present.only_sections());
    } else {
        changes.keep_differences(present);
    }
    if let Some(kind) = kind {
        kind.complete_changes(&mut changes, wanted, present);
    }
    changes.interface_type = Some(interface_type.clone());
    changes
}

/// The present section, as far as it holds beside the wanted one.
pub(crate) fn carried_over(wanted: &Interface, present: &Interface) -> Interface {
    let mut carried = present.clone();
    if let Some(kind) = of_type(present.interface_type.as_ref()) {
        kind.forget(wanted, &mut carried);
    }
    carried
}

/// Takes out of a section what can be said only when the ports are attached.
pub(crate) fn take_what_needs_ports(section: &mut Interface) -> Option<Interface> {
    let kind = of_type(section.interface_type.as_ref())?;
    kind.take_what_needs_ports(section)
}

/// See [`Kind::sets_ports_up`].
pub(crate) fn sets_ports_up(interface_type: Option<&InterfaceType>) -> bool {
    of_type(interface_type).is_some_and(Kind::sets_ports_up)
}

/// See [`Kind::takes_after_ports`].
pub(crate) fn takes_after_ports(interface_type: Option<&InterfaceType>) -> bool {
    of_type(interface_type).is_some_and(Kind::takes_after_ports)
}

/// See [`Kind::restarts_ports`].
pub(crate) fn restarts_ports(interface_type: Option<&InterfaceType>) -> bool {
    of_type(interface_type).is_some_and(Kind::restarts_ports)
}
