// SPDX-License-Identifier: Apache-2.0

//! The bytes by which a client is known to servers (RFC 8415 §11).

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use nipart_schemas::lease::Duid;
use nipart_sys::machine_id;

use crate::identity;
use crate::link::LinkAddress;

/// `DUID-LLT` of Ethernet (RFC 8415 §11.2).
const DUID_LINK_LAYER_TIME: [u8; 4] = [0, 1, 0, 1];
/// 2000-01-01 UTC in seconds of Unix.
const MILLENNIUM: u64 = 946_684_800;
/// Shortest and longest identifier: its type, and 1 to 128 bytes (RFC 8415 §11.1).
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=130;

/// The client identifier of a link.
pub(crate) fn bytes(interface: &str, duid: &Duid, hardware: LinkAddress) -> Vec<u8> {
    let of_hardware = || identity::duid_of_hardware(hardware);
    let made = match duid {
        Duid::Bytes(bytes) if LENGTHS.contains(&bytes.len()) => return bytes.clone(),
        Duid::Bytes(bytes) => {
            let length = bytes.len();
            tracing::warn!(interface, length, "not a DUID: the machine's is used");
            identity::duid_of_machine()
        }
        Duid::LinkLayer => return of_hardware(),
        Duid::LinkLayerTime => {
            identity_time().map(|time| of_hardware_and_time(hardware, seconds_of(time)))
        }
        Duid::Uuid => identity::duid_of_machine(),
    };
    made.unwrap_or_else(|error| {
        identity::warn_of_no_machine_id(interface, &error);
        of_hardware()
    })
}

/// Number of the link's IA_NA.
pub(crate) fn iaid(interface: &str, hardware: LinkAddress) -> [u8; 4] {
    identity::iaid(interface).unwrap_or_else(|_| identity::iaid_of_hardware(hardware))
}

/// When the machine got its id: the nearest to "when the identifier was made" that outlives a reboot without a file of
/// our own.
fn identity_time() -> io::Result<SystemTime> {
    std::fs::metadata(machine_id::PATH)?.modified()
}

/// Seconds since 2000, modulo 2³² (RFC 8415 §11.2).
fn seconds_of(time: SystemTime) -> u32 {
    let unix = time
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    unix.wrapping_sub(MILLENNIUM) as u32
}

fn of_hardware_and_time(LinkAddress(address): LinkAddress, seconds: u32) -> Vec<u8> {
    [&DUID_LINK_LAYER_TIME[..], &seconds.to_be_bytes(), &address].concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HARDWARE: LinkAddress = LinkAddress([1, 2, 3, 4, 5, 6]);

    #[test]
    fn of_each_kind() {
        let made = |duid| bytes("eth0", &duid, HARDWARE);
        assert_eq!(made(Duid::LinkLayer), [0, 3, 0, 1, 1, 2, 3, 4, 5, 6]);
        assert_eq!(made(Duid::Bytes(vec![0, 2, 9])), [0, 2, 9]);
        let expected = [0, 1, 0, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5, 6];
        assert_eq!(of_hardware_and_time(HARDWARE, 5), expected);
        if std::fs::exists(machine_id::PATH).is_ok_and(|exists| exists) {
            assert_eq!(made(Duid::LinkLayerTime).len(), 14);
        }
        // Those of the machine, or of the hardware on a machine without an id; never what no server takes.
        for unusable in [vec![], vec![0, 2], vec![0; 131]] {
            assert_eq!(made(Duid::Bytes(unusable)), made(Duid::Uuid));
        }
    }

    #[test]
    fn time_counts_from_the_millennium() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(seconds_of(at(MILLENNIUM)), 0);
        assert_eq!(seconds_of(at(MILLENNIUM + (1 << 32) + 7)), 7);
        assert_eq!(seconds_of(at(MILLENNIUM - 1)), u32::MAX);
    }
}
