// SPDX-License-Identifier: Apache-2.0

//! The bytes by which a client is known to servers.

use std::io;

use nipart_schemas::lease::{ClientId, Dhcpv4Config};
use nipart_sys::machine_id;

use crate::v4::message::LinkAddress;

/// Type of an identifier that is made of IAID and DUID (RFC 4361 §6.1).
const TYPE_IAID_AND_DUID: u8 = 255;
/// `DUID-UUID` (RFC 6355) and `DUID-LL` of Ethernet (RFC 8415 §11.4).
const DUID_UUID: [u8; 2] = [0, 4];
const DUID_LINK_LAYER: [u8; 4] = [0, 3, 0, 1];

/// None for the client's default.
pub(crate) fn bytes(config: &Dhcpv4Config, hardware: LinkAddress) -> Option<Vec<u8>> {
    let interface = &config.interface;
    match &config.client_id {
        ClientId::LinkLayer => None,
        ClientId::Bytes(bytes) => Some(bytes.clone()),
        ClientId::IaidAndDuid => Some(of_machine(interface).unwrap_or_else(|error| {
            let path = machine_id::PATH;
            tracing::warn!(
                interface,
                "{path}: {error}: the MAC address identifies the machine"
            );
            of_hardware(hardware)
        })),
    }
}

/// The same on one machine at each boot; the IAID tells its links apart by their names.
fn of_machine(interface: &str) -> io::Result<Vec<u8>> {
    let iaid = machine_id::derived(&format!("IAID of {interface}"))?;
    let mut uuid = machine_id::derived("DUID")?;
    // Version 4, variant 1 (RFC 9562 §4).
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok([&[TYPE_IAID_AND_DUID][..], &iaid[..4], &DUID_UUID, &uuid].concat())
}

fn of_hardware(LinkAddress(address): LinkAddress) -> Vec<u8> {
    let iaid = &address[2..];
    [&[TYPE_IAID_AND_DUID][..], iaid, &DUID_LINK_LAYER, &address].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_machine_id() {
        let expected = [255, 3, 4, 5, 6, 0, 3, 0, 1, 1, 2, 3, 4, 5, 6];
        assert_eq!(of_hardware(LinkAddress([1, 2, 3, 4, 5, 6])), expected);
    }
}
