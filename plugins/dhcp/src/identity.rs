// SPDX-License-Identifier: Apache-2.0

//! What identifiers of both versions of the protocol are made of: a number for the link (IAID) and one for the machine
//! (DUID), so that a server can tell that both are the same client (RFC 4361).

use std::io;

use nipart_sys::machine_id;

use crate::link::LinkAddress;

/// `DUID-UUID` (RFC 6355) and `DUID-LL` of Ethernet (RFC 8415 §11.4).
const DUID_UUID: [u8; 2] = [0, 4];
const DUID_LINK_LAYER: [u8; 4] = [0, 3, 0, 1];

/// Tells the links of a machine apart by their names; the same at each boot.
pub(crate) fn iaid(interface: &str) -> io::Result<[u8; 4]> {
    let [a, b, c, d, ..] = machine_id::derived(&format!("IAID of {interface}"))?;
    Ok([a, b, c, d])
}

/// The IAID where the machine has no id.
pub(crate) fn iaid_of_hardware(LinkAddress([_, _, iaid @ ..]): LinkAddress) -> [u8; 4] {
    iaid
}

/// The same on one machine at each boot.
pub(crate) fn duid_of_machine() -> io::Result<Vec<u8>> {
    let mut uuid = machine_id::derived("DUID")?;
    // Version 4, variant 1 (RFC 9562 §4).
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok([&DUID_UUID[..], &uuid].concat())
}

/// Type and address of the hardware.
pub(crate) fn duid_of_hardware(LinkAddress(address): LinkAddress) -> Vec<u8> {
    [&DUID_LINK_LAYER[..], &address].concat()
}

/// Says that the machine has no id.
pub(crate) fn warn_of_no_machine_id(interface: &str, error: &io::Error) {
    let path = machine_id::PATH;
    tracing::warn!(
        interface,
        "{path}: {error}: the MAC address identifies the machine"
    );
}
