// SPDX-License-Identifier: Apache-2.0

//! Checks of virtual functions.

use std::collections::HashSet;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::sr_iov::VirtualFunction;
use nipart_schemas::interface::{Interface, SrIov};
use nipart_schemas::overlay::Overlay;

use crate::context::Context;

/// Largest VLAN id that frames can have.
const LARGEST_VLAN_ID: u16 = 4094;
/// Three bits of a VLAN tag (IEEE 802.1Q).
const HIGHEST_PRIORITY: u8 = 7;

pub(super) fn check(
    context: &Context<'_>,
    interface: &Interface,
    present: Option<&Interface>,
    path: &str,
) -> Result<(), NipartError> {
    let Some(wanted) = interface.sr_iov() else {
        return Ok(());
    };
    let name = &interface.name;
    let path = format!("{path}.ethernet.sr-iov");
    let mut effective = wanted.clone();
    if let Some(present) = present {
        let Some(section) = present.sr_iov() else {
            return Err(no_functions(name, &path));
        };
        check_interfaces(context, wanted, section, &path)?;
        effective.fill_from(section);
    }
    check_number(name, &effective, &path)?;
    let mut ids = HashSet::new();
    for (index, function) in wanted.vfs.iter().flat_map(|vfs| &vfs.0).enumerate() {
        let path = format!("{path}.vfs[{index}]");
        if !ids.insert(function.id) {
            let text = format!("virtual function {} is listed twice", function.id);
            return Err(NipartError::invalid(format!("{path}.id"), text));
        }
        check_id(name, function.id, effective.total_vfs, &path)?;
        check_function(function, &effective, &path)?;
    }
    Ok(())
}

fn no_functions(name: &str, path: &str) -> NipartError {
    let text = format!(
        "{name} can't have virtual functions: it is no network card with SR-IOV (no file sriov_totalvfs in its folder below /sys/bus/pci/devices)"
    );
    NipartError::new(ErrorKind::NotSupported, text).at(path)
}

/// With another number all functions are new, and so are their interfaces.
fn check_interfaces(
    context: &Context<'_>,
    wanted: &SrIov,
    present: &SrIov,
    path: &str,
) -> Result<(), NipartError> {
    let Some(total) = wanted
        .total_vfs
        .filter(|_| wanted.total_vfs != present.total_vfs)
    else {
        return Ok(());
    };
    let functions = present.vfs.iter().flat_map(|vfs| &vfs.0);
    let mut names = functions.filter_map(|function| function.iface_name.as_deref());
    match names.find(|name| context.wanted_up(name).is_some()) {
        Some(name) => Err(NipartError::invalid(
            format!("{path}.total-vfs"),
            format!(
                "{name} is an interface of a virtual function: it goes when their number becomes {total}; configure it afterwards, in a file of its own"
            ),
        )),
        None => Ok(()),
    }
}

fn check_number(name: &str, effective: &SrIov, path: &str) -> Result<(), NipartError> {
    match (effective.total_vfs, effective.max_vfs) {
        (Some(total), Some(max)) if total > max => Err(NipartError::invalid(
            format!("{path}.total-vfs"),
            format!("{name} can't have {total} virtual functions: its card can have up to {max}"),
        )),
        _ => Ok(()),
    }
}

fn check_id(name: &str, id: u32, total: Option<u32>, path: &str) -> Result<(), NipartError> {
    let text = match total {
        Some(0) => format!("{name} has no virtual function {id}: total-vfs is 0"),
        Some(total) if id >= total => format!(
            "{name} has no virtual function {id}: total-vfs is {total}, so that ids go up to {}",
            total - 1
        ),
        _ => return Ok(()),
    };
    Err(NipartError::invalid(format!("{path}.id"), text))
}

fn check_function(
    function: &VirtualFunction,
    effective: &SrIov,
    path: &str,
) -> Result<(), NipartError> {
    let refuse = |key: &str, text: String| Err(NipartError::invalid(format!("{path}.{key}"), text));
    if let Some(address) = &function.mac_address
        && (address.is_multicast() || address.bytes().len() != 6)
    {
        let text = format!(
            "{address} can't be a function's own address: expected six bytes, not those of a group"
        );
        return refuse("mac-address", text);
    }
    if let Some(vlan) = function.vlan_id.filter(|vlan| *vlan > LARGEST_VLAN_ID) {
        let text = format!("VLAN {vlan} is out of range: expected 0 to {LARGEST_VLAN_ID}");
        return refuse("vlan-id", text);
    }
    if let Some(qos) = function.qos.filter(|qos| *qos > HIGHEST_PRIORITY) {
        let text = format!("priority {qos} is out of range: expected 0 to {HIGHEST_PRIORITY}");
        return refuse("qos", text);
    }
    let effective = effective.vfs.as_ref().and_then(|vfs| vfs.find(function.id));
    let rate = |of: fn(&VirtualFunction) -> Option<u32>| effective.and_then(of).unwrap_or(0);
    let (min, max) = (rate(|it| it.min_tx_rate), rate(|it| it.max_tx_rate));
    if max > 0 && min > max {
        let key = match function.min_tx_rate {
            Some(_) => "min-tx-rate",
            None => "max-tx-rate",
        };
        let text = format!("min-tx-rate {min} is above max-tx-rate {max}");
        return refuse(key, text);
    }
    Ok(())
}
