// SPDX-License-Identifier: Apache-2.0

//! Checks of settings of the hardware: what a driver doesn't support isn't shown, and can't be wanted.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Ethernet, Interface, InterfaceType};
use nipart_schemas::overlay::{Overlay, Path};

use crate::context::Context;

pub(super) fn check(
    context: &Context<'_>,
    interface: &Interface,
    present: Option<&Interface>,
    path: &str,
) -> Result<(), NipartError> {
    let name = interface.name.as_str();
    if interface.lldp.as_ref().and_then(|lldp| lldp.enabled) == Some(true) {
        return Err(NipartError::new(
            ErrorKind::NotSupported,
            "LLDP is not supported yet: leave the key out, and run an LLDP daemon beside Nipart",
        )
        .at(format!("{path}.lldp.enabled")));
    }
    if interface.ethernet.is_some()
        && let Some(kind) = context.type_of(name)
        && !matches!(
            kind,
            InterfaceType::Ethernet
                | InterfaceType::Veth
                | InterfaceType::Tun
                | InterfaceType::Other(_)
        )
    {
        return Err(NipartError::invalid(
            format!("{path}.ethernet"),
            format!("{name} is of type {kind}, which agrees upon nothing with another end"),
        ));
    }
    super::sr_iov::check(context, interface, present, path)?;
    let Some(present) = present else {
        return Ok(());
    };
    check_negotiated(interface, present, path)?;
    check_supported(interface, present, path)
}

/// Speed and duplex can be set where they aren't negotiated.
fn check_negotiated(
    interface: &Interface,
    present: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    let Some(wanted) = &interface.ethernet else {
        return Ok(());
    };
    let present = present.ethernet.as_ref();
    let negotiates = present.and_then(|present| present.auto_negotiation);
    if wanted.auto_negotiation.or(negotiates) != Some(true) {
        return Ok(());
    }
    let keys = [
        ("speed", wanted.speed.is_some()),
        ("duplex", wanted.duplex.is_some()),
    ];
    let Some((key, _)) = keys.into_iter().find(|(_, is_written)| *is_written) else {
        return Ok(());
    };
    Err(NipartError::invalid(
        format!("{path}.ethernet.{key}"),
        format!(
            "{} negotiates its {key}: write auto-negotiation: false to set it",
            interface.name
        ),
    ))
}

fn check_supported(
    interface: &Interface,
    present: &Interface,
    path: &str,
) -> Result<(), NipartError> {
    let mut unsupported = Vec::new();
    let wanted = interface.ethtool.clone().unwrap_or_default();
    let shown = present.ethtool.clone().unwrap_or_default();
    wanted.differences(&shown, Path::root("ethtool"), &mut unsupported);
    unsupported.retain(|difference| difference.current.is_null());
    let modes = |of: &Interface| of.ethernet.as_ref().and_then(Ethernet::link_modes);
    if modes(interface).is_some() && modes(present).is_none() {
        return Err(refused(&interface.name, "ethernet", path));
    }
    match unsupported.first() {
        Some(difference) => Err(refused(&interface.name, &difference.path, path)),
        None => Ok(()),
    }
}

fn refused(name: &str, key: &str, path: &str) -> NipartError {
    let text = format!(
        "{name} can't change {key}: its driver doesn't support it; nipartctl show {name} lists what it does"
    );
    NipartError::new(ErrorKind::NotSupported, text).at(format!("{path}.{key}"))
}
