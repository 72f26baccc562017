// SPDX-License-Identifier: Apache-2.0

//! The bytes by which a client is known to servers.

use std::io;

use nipart_schemas::lease::{ClientId, Dhcpv4Config};

use crate::identity;
use crate::v4::message::LinkAddress;

/// Type of an identifier that is made of IAID and DUID (RFC 4361 §6.1).
const TYPE_IAID_AND_DUID: u8 = 255;

/// None for the client's default.
pub(crate) fn bytes(config: &Dhcpv4Config, hardware: LinkAddress) -> Option<Vec<u8>> {
    let interface = &config.interface;
    match &config.client_id {
        ClientId::LinkLayer => None,
        ClientId::Bytes(bytes) => Some(bytes.clone()),
        ClientId::IaidAndDuid => Some(of_machine(interface).unwrap_or_else(|error| {
            identity::warn_of_no_machine_id(interface, &error);
            of_hardware(hardware)
        })),
    }
}

/// The same on one machine at each boot; the IAID tells its links apart by their names.
fn of_machine(interface: &str) -> io::Result<Vec<u8>> {
    Ok(joined(
        identity::iaid(interface)?,
        &identity::duid_of_machine()?,
    ))
}

fn of_hardware(hardware: LinkAddress) -> Vec<u8> {
    joined(
        identity::iaid_of_hardware(hardware),
        &identity::duid_of_hardware(hardware),
    )
}

fn joined(iaid: [u8; 4], duid: &[u8]) -> Vec<u8> {
    [&[TYPE_IAID_AND_DUID][..], &iaid, duid].concat()
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
