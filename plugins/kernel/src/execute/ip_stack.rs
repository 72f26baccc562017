// SPDX-License-Identifier: Apache-2.0

//! The switches of IPv4 and IPv6 that have no netlink attributes, or none that does the same; and the token, which has.

use std::net::Ipv6Addr;

use nipart_netlink::NetlinkRequest;
use nipart_netlink::packet::link::{AfSpecInet6, AfSpecUnspec, LinkAttribute};
use nipart_netlink::sysctl::{self, Family, Scope};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::Interface;
use nipart_schemas::ip::AddrGenMode;
use nipart_schemas::operation::Ipv6Changes;
use nipart_sys::machine_id;

use super::Step;
use super::link::numbered;
use crate::error::from_sysctl;

/// One file in the interface's directory under `/proc/sys/net/ipv4/conf` or `/proc/sys/net/ipv6/conf`.
#[derive(Debug)]
pub(crate) struct Switch {
    interface: String,
    family: Family,
    key: &'static str,
    value: u8,
    /// A missing file is no failure: where there is no IPv6, it is off.
    may_be_missing: bool,
    /// Needs a secret, which is to be there first.
    with_secret: bool,
}

impl Switch {
    fn new(interface: &str, family: Family, key: &'static str, value: u8) -> Self {
        Self {
            interface: interface.to_string(),
            family,
            key,
            value,
            may_be_missing: family == Family::Ipv6 && value == 0,
            with_secret: false,
        }
    }
}

pub(super) fn change_ipv4(interface: &str, forwarding: bool) -> Step {
    let value = u8::from(forwarding);
    let switch = Switch::new(interface, Family::Ipv4, "forwarding", value);
    Step::Write(vec![switch])
}

/// Autoconfiguration first: when the protocol is switched on, the kernel asks for router advertisements at once, and
/// when packets are to be forwarded it forgets what it learned from them, unless told not to.
pub(super) fn change_ipv6(index: u32, changes: &Ipv6Changes) -> Vec<Step> {
    let name = &changes.interface;
    let switch = |key, value| Switch::new(name, Family::Ipv6, key, value);
    let mut switches = Vec::new();
    switches.extend(changes.autoconf.map(|on| switch("autoconf", u8::from(on))));
    switches.extend(
        changes
            .accept_ra_defrtr
            .map(|on| switch("accept_ra_defrtr", u8::from(on))),
    );
    switches.extend(changes.accept_ra.map(|when| switch("accept_ra", when)));
    switches.extend(
        changes
            .forwarding
            .map(|on| switch("forwarding", u8::from(on))),
    );
    switches.extend(changes.addr_gen_mode.map(|mode| mode_of(name, mode)));
    switches.extend(changes.enabled.map(|on| Switch {
        may_be_missing: !on,
        ..switch("disable_ipv6", u8::from(!on))
    }));
    let written = (!switches.is_empty()).then_some(Step::Write(switches));
    let token = changes.token.map(|token| set_token(index, token));
    // The kernel takes none, not even `::`, while it doesn't listen to router advertisements.
    if changes.token.is_some_and(|token| token.is_unspecified()) {
        token.into_iter().chain(written).collect()
    } else {
        written.into_iter().chain(token).collect()
    }
}

/// What a new link needs before it comes up.
pub(super) fn before_up(interface: &Interface) -> Option<Step> {
    let mode = interface.ipv6.as_ref()?.addr_gen_mode?;
    Some(Step::Write(vec![mode_of(&interface.name, mode)]))
}

/// `IFLA_INET6_ADDR_GEN_MODE` would leave a link that is up without the addresses of the new mode.
fn mode_of(interface: &str, mode: AddrGenMode) -> Switch {
    Switch {
        may_be_missing: false,
        with_secret: mode == AddrGenMode::StablePrivacy,
        ..Switch::new(interface, Family::Ipv6, "addr_gen_mode", mode.number())
    }
}

fn set_token(index: u32, token: Ipv6Addr) -> Step {
    let token = AfSpecUnspec::Inet6(vec![AfSpecInet6::Token(token)]);
    let mut message = numbered(index);
    let attributes = &mut message.attributes;
    attributes.push(LinkAttribute::AfSpecUnspec(vec![token]));
    Step::send(NetlinkRequest::change_link(message))
}

/// Writes the switches of an operation.
pub(super) fn write(switches: &[Switch]) -> Result<(), NipartError> {
    switches.iter().try_for_each(write_one)
}

fn write_one(switch: &Switch) -> Result<(), NipartError> {
    let scope = Scope::Interface(&switch.interface);
    let write = |key: &str, value: &str| sysctl::write(switch.family, scope, key, value);
    if switch.with_secret
        && let Some(secret) = missing_secret(&switch.interface)?
    {
        let none = AddrGenMode::None.number().to_string();
        // The secret sets the mode along, but makes no addresses: that takes a change of the mode.
        write("stable_secret", &secret.to_string())
            .and_then(|()| write(switch.key, &none))
            .map_err(|error| from_sysctl(&error))?;
    }
    match write(switch.key, &switch.value.to_string()) {
        Err(error) if switch.may_be_missing && error.is_not_found() => Ok(()),
        result => result.map_err(|error| from_sysctl(&error)),
    }
}

/// The secret that stable addresses of this link are to be made with; none when the kernel has been given one. One that
/// isn't there can't be read.
///
/// # Errors
/// `not-supported` when there is nothing to make it of.
pub(super) fn missing_secret(interface: &str) -> Result<Option<Ipv6Addr>, NipartError> {
    let has_secret = |scope| sysctl::read(Family::Ipv6, scope, "stable_secret").is_ok();
    if has_secret(Scope::Interface(interface)) || has_secret(Scope::Default) {
        return Ok(None);
    }
    // For each name another one (`Net_Iface` of RFC 7217): virtual links have no permanent MAC address to differ by.
    match machine_id::derived(&format!("stable_secret of {interface}")) {
        Ok(secret) => Ok(Some(secret.into())),
        Err(error) => Err(NipartError::new(
            ErrorKind::NotSupported,
            format!(
                "stable addresses need a secret, which is made of {}: {error}; write one to net.ipv6.conf.default.stable_secret",
                machine_id::PATH
            ),
        )),
    }
}
