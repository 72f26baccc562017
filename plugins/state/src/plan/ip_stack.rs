// SPDX-License-Identifier: Apache-2.0

//! Switches of IPv4 and IPv6 on a link.

use std::net::Ipv6Addr;

use nipart_schemas::interface::Interface;
use nipart_schemas::ip::{AddrGenMode, Ipv6};
use nipart_schemas::operation::{Ipv6Changes, Operation};

use super::{Phase, Waves};

/// What has to be set before a new link comes up: by it the kernel makes addresses at that moment.
pub(super) fn before_up(wanted: &Interface) -> Option<Ipv6> {
    let mode = wanted.ipv6.as_ref()?.addr_gen_mode;
    let addr_gen_mode = Some(mode.filter(|mode| is_set_before_up(*mode))?);
    Some(Ipv6 {
        addr_gen_mode,
        ..Ipv6::default()
    })
}

/// New links have the other one, unless somebody has changed `net.ipv6.conf.default`: it takes messages of its own.
fn is_set_before_up(mode: AddrGenMode) -> bool {
    mode != AddrGenMode::Eui64
}

/// Changes what isn't so, of a living link or, where `present` is none, of a new one.
pub(super) fn plan(wanted: &Interface, present: Option<&Interface>, waves: &mut Waves) {
    if let Some(forwarding) = wanted.ipv4.as_ref().and_then(|ipv4| ipv4.forwarding)
        && present
            .and_then(|present| present.ipv4.as_ref()?.forwarding)
            .is_none_or(|is_on| is_on != forwarding)
    {
        let interface = wanted.name.clone();
        let phase = present.map_or(Phase::SettleLinks, |_| Phase::ChangeIp);
        let operation = Operation::ChangeIpv4 {
            interface,
            forwarding,
        };
        waves.push(phase, operation);
    }
    let Some(section) = &wanted.ipv6 else { return };
    let present = present.map(|present| present.ipv6.clone().unwrap_or_default());
    let changes = ipv6_changes(&wanted.name, section, present.as_ref());
    if !changes.is_empty() {
        // Where the kernel shows nothing of IPv6, its switches come with another MTU.
        let phase = match present {
            Some(present) if present.autoconf.is_some() => Phase::ChangeIp,
            _ => Phase::SettleLinks,
        };
        waves.push(phase, Operation::ChangeIpv6(changes));
    }
}

fn ipv6_changes(name: &str, section: &Ipv6, present: Option<&Ipv6>) -> Ipv6Changes {
    let wants_autoconf = section.autoconf.or(section.has_token().then_some(true));
    let wants = section.enabled.or(section.needs_protocol().then_some(true));
    // The kernel turns IPv6 on for a new link.
    let is_on = present.map_or(Some(true), |present| present.enabled);
    // Where the kernel has no IPv6 it doesn't tell: there is nothing to turn off, nor on while the protocol is off.
    let is_absent = present.is_some_and(|present| present.autoconf.is_none());
    let is_off_anyway = |wants: bool| is_absent && (!wants || section.enabled == Some(false));
    let switch = |wanted: Option<bool>, is_on: Option<bool>| {
        wanted.filter(|wants| is_on != Some(*wants) && !is_off_anyway(*wants))
    };
    let was_autoconf = present.and_then(|present| present.autoconf);
    let was_forwarding = present.and_then(|present| present.forwarding);
    let autoconf = switch(wants_autoconf, was_autoconf);
    let forwarding = switch(section.forwarding, was_forwarding);
    // It isn't shown where it is on.
    let is_defrtr_on = present.map(|present| present.accept_ra_defrtr.unwrap_or(true));
    let forwards = section.forwarding.or(was_forwarding);
    let is_autoconf = wants_autoconf.or(was_autoconf);
    let had_token = present.and_then(|present| present.token);
    let token = match (section.token, had_token) {
        // The kernel would keep it for later.
        (None, Some(_)) if autoconf == Some(false) => Some(Ipv6Addr::UNSPECIFIED),
        (wanted, had) => wanted.filter(|token| *token != had.unwrap_or(Ipv6Addr::UNSPECIFIED)),
    };
    Ipv6Changes {
        interface: name.to_string(),
        enabled: wants.filter(|wants| is_on != Some(*wants)),
        autoconf,
        accept_ra: (autoconf.is_some() || forwarding.is_some() && is_autoconf == Some(true))
            .then(|| accept_ra(is_autoconf == Some(true), forwards)),
        accept_ra_defrtr: switch(section.accept_ra_defrtr, is_defrtr_on),
        forwarding,
        addr_gen_mode: section.addr_gen_mode.filter(|mode| match present {
            Some(present) => present.addr_gen_mode != Some(*mode) && !is_off_anyway(true),
            None => !is_set_before_up(*mode),
        }),
        token,
    }
}

/// `accept_ra`: where packets are forwarded, 1 means no. Of a new link it isn't known whether they are.
fn accept_ra(autoconf: bool, forwards: Option<bool>) -> u8 {
    match (autoconf, forwards) {
        (false, _) => 0,
        (true, Some(false)) => 1,
        (true, _) => 2,
    }
}
