// SPDX-License-Identifier: Apache-2.0

//! Packets made by hand, byte by byte, so that nothing but the RFC is agreed on with the code under test.

mod hostile;
mod reading;
mod writing;

use std::net::Ipv6Addr;

use super::*;

const TRANSACTION: u32 = 0x0012_3456;
const DUID: [u8; 10] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 9];
const SERVER: [u8; 10] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 1];
const IAID: [u8; 4] = [1, 2, 3, 4];
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);
const DNS_SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53);

fn identity() -> Identity {
    Identity {
        duid: DUID.to_vec(),
        iaid: IAID,
        hostname: None,
    }
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16;
    [&code.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
}

/// An IAADDR without options of its own.
fn lent(address: Ipv6Addr, preferred: u32, valid: u32) -> Vec<u8> {
    let times = [preferred.to_be_bytes(), valid.to_be_bytes()].concat();
    option(5, &[&address.octets()[..], &times].concat())
}

/// An IA_NA with these options in it.
fn association(iaid: [u8; 4], inner: &[u8]) -> Vec<u8> {
    let times = [50_u32.to_be_bytes(), 80_u32.to_be_bytes()].concat();
    option(3, &[&iaid[..], &times, inner].concat())
}

/// A message of this type with both identifiers and more options.
fn packet(kind: u8, more: &[Vec<u8>]) -> Vec<u8> {
    let [_, high, middle, low] = TRANSACTION.to_be_bytes();
    let identifiers = [option(1, &DUID), option(2, &SERVER)].concat();
    [&[kind, high, middle, low][..], &identifiers, &more.concat()].concat()
}

fn read(kind: u8, more: &[Vec<u8>]) -> Result<ServerMessage, DecodeError> {
    decode(&packet(kind, more), TRANSACTION, &identity())
}

/// Everything that this client understands in one packet.
fn rich() -> Vec<Vec<u8>> {
    vec![
        association(IAID, &lent(ADDRESS, 100, 200)),
        option(7, &[255]),
        option(13, b"\0\0all right\x07"),
        option(14, &[]),
        option(23, &DNS_SERVER.octets()),
        option(24, b"\x07Example\x03com\0\x03org\0"),
        option(32, &7200_u32.to_be_bytes()),
        option(82, &120_u32.to_be_bytes()),
        option(83, &240_u32.to_be_bytes()),
        option(999, b"whatever"),
    ]
}
