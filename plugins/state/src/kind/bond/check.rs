// SPDX-License-Identifier: Apache-2.0

//! What bonds and their options can be, and what goes together.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{BondMode, BondOptions, LinkAggregation};

/// `BOND_MAX_ARP_TARGETS`.
const MOST_TARGETS: usize = 16;

pub(super) fn check(
    section: Option<&LinkAggregation>,
    is_new: bool,
    path: &str,
) -> Result<(), NipartError> {
    let mode = section.and_then(|section| section.mode);
    if is_new && mode.is_none() {
        return Err(NipartError::invalid(
            path,
            "a new bond needs its mode: link-aggregation: {mode: active-backup}",
        ));
    }
    let Some(section) = section else {
        return Ok(());
    };
    let path = format!("{path}.link-aggregation");
    check_ports(section, mode, &path)?;
    let Some(options) = &section.options else {
        return Ok(());
    };
    let path = format!("{path}.options");
    if let Some(mode) = mode
        && let Some(option) = options.foreign_to(mode).first()
    {
        return Err(NipartError::invalid(
            format!("{path}.{option}"),
            format!("a bond with mode {mode} has no option {option}"),
        ));
    }
    check_preferred(section, options, &path)?;
    check_ranges(options, &path)?;
    check_watching(options, &path)
}

fn check_ports(
    section: &LinkAggregation,
    mode: Option<BondMode>,
    path: &str,
) -> Result<(), NipartError> {
    let configured = section.ports_config.as_deref().unwrap_or_default();
    for (index, port) in configured.iter().enumerate() {
        let path = format!("{path}.ports-config[{index}]");
        if section
            .port
            .as_ref()
            .is_some_and(|ports| !ports.contains(&port.name))
        {
            return Err(NipartError::invalid(
                format!("{path}.name"),
                format!(
                    "{} is configured as port, but the list of ports doesn't name it",
                    port.name
                ),
            ));
        }
        if configured[..index]
            .iter()
            .any(|other| other.name == port.name)
        {
            return Err(NipartError::invalid(
                format!("{path}.name"),
                format!("port {} is configured twice", port.name),
            ));
        }
        if let Some(mode) = mode.filter(|mode| !mode.prefers_ports())
            && port.priority.is_some()
        {
            return Err(NipartError::invalid(
                format!("{path}.priority"),
                format!("ports of a bond with mode {mode} have no priority"),
            ));
        }
    }
    Ok(())
}

/// The preferred port must be one, as far as the list tells.
fn check_preferred(
    section: &LinkAggregation,
    options: &BondOptions,
    path: &str,
) -> Result<(), NipartError> {
    let Some(primary) = options.primary.as_ref().filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    match &section.port {
        Some(ports) if !ports.contains(primary) => Err(NipartError::invalid(
            format!("{path}.primary"),
            format!("{primary} can't be the primary port: the list of ports doesn't name it"),
        )),
        _ => Ok(()),
    }
}

fn check_ranges(options: &BondOptions, path: &str) -> Result<(), NipartError> {
    let ranges: [(&str, Option<u32>, u32, u32); 6] = [
        (
            "ad_actor_sys_prio",
            options.ad_actor_sys_prio.map(u32::from),
            1,
            65535,
        ),
        (
            "ad_user_port_key",
            options.ad_user_port_key.map(u32::from),
            0,
            1023,
        ),
        (
            "arp_missed_max",
            options.arp_missed_max.map(u32::from),
            1,
            255,
        ),
        (
            "lp_interval",
            options.lp_interval,
            1,
            i32::MAX.unsigned_abs(),
        ),
        ("packets_per_slave", options.packets_per_slave, 0, 65535),
        ("resend_igmp", options.resend_igmp, 0, 255),
    ];
    for (option, value, smallest, largest) in ranges {
        if let Some(value) = value.filter(|value| *value < smallest || *value > largest) {
            return Err(NipartError::invalid(
                format!("{path}.{option}"),
                format!("{option} {value} is out of range: {smallest} to {largest}"),
            ));
        }
    }
    if let Some(system) = &options.ad_actor_system
        && (system.is_multicast() || system.bytes().iter().all(|byte| *byte == 0))
    {
        return Err(NipartError::invalid(
            format!("{path}.ad_actor_system"),
            format!("{system} can't be the address of a system: it is a group's, or zero"),
        ));
    }
    let lists = [
        (
            "arp_ip_target",
            options.arp_ip_target.as_ref().map(Vec::len),
        ),
        (
            "ns_ip6_target",
            options.ns_ip6_target.as_ref().map(Vec::len),
        ),
    ];
    for (option, count) in lists {
        if let Some(count) = count.filter(|count| *count > MOST_TARGETS) {
            return Err(NipartError::invalid(
                format!("{path}.{option}"),
                format!("{count} targets are too many: up to {MOST_TARGETS} are possible"),
            ));
        }
    }
    if options.balance_slb == Some(true) {
        let text = "balance_slb is not supported: it is no option of the kernel's bonds";
        let error = NipartError::new(ErrorKind::NotSupported, text);
        return Err(error.at(format!("{path}.balance_slb")));
    }
    Ok(())
}

/// Links are watched by `miimon` or by ARP requests; delays count looks of `miimon`.
fn check_watching(options: &BondOptions, path: &str) -> Result<(), NipartError> {
    let is_on = |time: Option<u32>| time.filter(|time| *time > 0);
    let (miimon, arp) = (is_on(options.miimon), is_on(options.arp_interval));
    if miimon.is_some() && arp.is_some() {
        return Err(NipartError::invalid(
            format!("{path}.arp_interval"),
            "arp_interval and miimon can't watch the links together: one of them must be 0",
        ));
    }
    let has_targets = |count: Option<usize>| count.is_some_and(|count| count > 0);
    if arp.is_some()
        && !has_targets(options.arp_ip_target.as_ref().map(Vec::len))
        && !has_targets(options.ns_ip6_target.as_ref().map(Vec::len))
    {
        return Err(NipartError::invalid(
            format!("{path}.arp_interval"),
            "arp_interval needs addresses to ask for: arp_ip_target or ns_ip6_target",
        ));
    }
    for (option, delay) in [
        ("updelay", options.updelay),
        ("downdelay", options.downdelay),
    ] {
        let Some(delay) = is_on(delay) else { continue };
        match miimon {
            Some(miimon) if delay % miimon == 0 => {}
            Some(miimon) => {
                return Err(NipartError::invalid(
                    format!("{path}.{option}"),
                    format!("{option} {delay} is no multiple of miimon {miimon}"),
                ));
            }
            // Some modes watch by themselves; then the kernel has a `miimon`, and shows it.
            None => {
                return Err(NipartError::invalid(
                    format!("{path}.{option}"),
                    format!("{option} needs miimon: the kernel counts its looks at the links"),
                ));
            }
        }
    }
    Ok(())
}
