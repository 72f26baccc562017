// SPDX-License-Identifier: Apache-2.0

//! Linux bridge: every option changes in place; ports are planned in `plan/port.rs`.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{
    BridgeOptions, BridgePort, BridgeStp, Interface, InterfaceType, LinuxBridge as Section,
};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::{Kind, port_vlan};

pub(super) struct LinuxBridge;

impl Kind for LinuxBridge {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::LinuxBridge
    }

    fn check(&self, interface: &Interface, _is_new: bool, path: &str) -> Result<(), NipartError> {
        check(interface.bridge.as_deref(), path)
    }

    fn is_equal(&self, _key: &str, difference: &Difference) -> bool {
        is_rounded(difference)
    }

    // __br_vlan_set_default_pvid, net/bridge/br_vlan.c: it may be taken off the bridge itself.
    fn complete_changes(&self, changes: &mut Interface, wanted: &Interface, _present: &Interface) {
        let own = wanted
            .bridge
            .as_ref()
            .and_then(|bridge| bridge.vlan.as_ref());
        if let Some(bridge) = &mut changes.bridge
            && let Some(options) = &bridge.options
            && options.vlan_default_pvid.is_some()
        {
            bridge.vlan = own.cloned();
        }
    }

    // br_mtu_auto_adjust (net/bridge/br_if.c), br_stp_recalculate_bridge_id (net/bridge/br_stp_if.c)
    fn takes_after_ports(&self) -> bool {
        true
    }

    // VLANs are looked at when all ports have theirs: a bridge that goes on working meanwhile loses no frames.
    fn take_what_needs_ports(&self, section: &mut Interface) -> Option<Interface> {
        let bridge = section.bridge.as_mut()?;
        let options = bridge.options.as_mut();
        let vlan_filtering = options.and_then(|options| options.vlan_filtering.take_if(|on| *on));
        let vlan = bridge.vlan.take();
        (vlan_filtering.is_some() || vlan.is_some()).then(|| Interface {
            interface_type: section.interface_type.clone(),
            bridge: Some(Box::new(Section {
                options: vlan_filtering.map(|on| BridgeOptions {
                    vlan_filtering: Some(on),
                    ..BridgeOptions::default()
                }),
                vlan,
                ..Section::default()
            })),
            ..Interface::named(&section.name)
        })
    }
}

/// Intervals in hundredths of a second are kept in ticks of the kernel: they come back up to one off.
fn is_rounded(difference: &Difference) -> bool {
    let is_interval = difference.path.ends_with("-interval");
    let number = |value: &Value| value.as_u64();
    is_interval
        && matches!(
            (number(&difference.current), number(&difference.desired)),
            (Some(current), Some(desired)) if current.abs_diff(desired) <= 1
        )
}

fn check(section: Option<&Section>, path: &str) -> Result<(), NipartError> {
    let Some(section) = section else {
        return Ok(());
    };
    let path = format!("{path}.bridge");
    if let Some(options) = &section.options {
        check_options(options, &format!("{path}.options"))?;
    }
    for (index, port) in section.port.iter().flatten().enumerate() {
        check_port(port, &format!("{path}.port[{index}]"))?;
    }
    if let Some(vlan) = &section.vlan {
        port_vlan::check(vlan, &format!("{path}.vlan"))?;
    }
    let is_off = section
        .options
        .as_ref()
        .is_some_and(|options| options.vlan_filtering == Some(false));
    if is_off && section.vlans().any(|vlan| !vlan.is_reset()) {
        return Err(NipartError::invalid(
            format!("{path}.options.vlan-filtering"),
            "vlan-filtering is off, but this state says which VLANs pass",
        ));
    }
    Ok(())
}

fn in_range<T: PartialOrd + std::fmt::Display>(
    value: Option<T>,
    (smallest, largest): (T, T),
    path: &str,
    key: &str,
) -> Result<(), NipartError> {
    match value {
        Some(value) if value < smallest || value > largest => Err(NipartError::invalid(
            format!("{path}.{key}"),
            format!("{key} {value} is out of range: {smallest} to {largest}"),
        )),
        _ => Ok(()),
    }
}

fn check_options(options: &BridgeOptions, path: &str) -> Result<(), NipartError> {
    in_range(
        options.vlan_default_pvid,
        (0, 4094),
        path,
        "vlan-default-pvid",
    )?;
    if let Some(size) = options.hash_max.filter(|size| !size.is_power_of_two()) {
        return Err(NipartError::invalid(
            format!("{path}.hash-max"),
            format!("hash-max {size} is not a power of two"),
        ));
    }
    if let Some(group) = &options.group_addr {
        let bytes = group.bytes();
        let is_link_local = bytes.len() == 6
            && bytes[..5] == [0x01, 0x80, 0xc2, 0x00, 0x00]
            && bytes[5] & 0xf0 == 0
            && !matches!(bytes[5], 1..=3);
        if !is_link_local {
            return Err(NipartError::invalid(
                format!("{path}.group-addr"),
                format!(
                    "group-addr {group} is not 01:80:C2:00:00:00 or one of 01:80:C2:00:00:04 to 0F"
                ),
            ));
        }
    }
    // The kernel reserves bits 0 to 2 (BR_GROUPFWD_RESTRICTED, net/bridge/br_private.h).
    if let Some(mask) = options.group_fwd_mask.filter(|mask| mask & 0x7 != 0) {
        return Err(NipartError::invalid(
            format!("{path}.group-fwd-mask"),
            format!(
                "group-fwd-mask {mask:#x} forwards spanning tree, pause or LACP frames: bits 0 to 2 must be zero"
            ),
        ));
    }
    match &options.stp {
        Some(stp) => check_stp(stp, &format!("{path}.stp")),
        None => Ok(()),
    }
}

fn check_stp(stp: &BridgeStp, path: &str) -> Result<(), NipartError> {
    in_range(stp.forward_delay, (2, 30), path, "forward-delay")?;
    in_range(stp.hello_time, (1, 10), path, "hello-time")?;
    in_range(stp.max_age, (6, 40), path, "max-age")
}

fn check_port(port: &BridgePort, path: &str) -> Result<(), NipartError> {
    in_range(port.stp_path_cost, (1, 65535), path, "stp-path-cost")?;
    in_range(port.stp_priority, (0, 63), path, "stp-priority")?;
    match &port.vlan {
        Some(vlan) => port_vlan::check(vlan, &format!("{path}.vlan")),
        None => Ok(()),
    }
}
