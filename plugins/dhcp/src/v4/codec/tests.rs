// SPDX-License-Identifier: Apache-2.0

//! Packets made by hand, byte by byte, so that nothing but the RFC is agreed on with the code under test.

mod hostile;
mod reading;
mod writing;

use super::*;

const TRANSACTION: u32 = 0x1234_5678;
const HARDWARE: LinkAddress = LinkAddress([2, 0, 0, 0xaa, 0xbb, 0xcc]);

/// A reply with room for alterations.
#[derive(Clone)]
struct Reply {
    header: [u8; 236],
    options: Vec<u8>,
}

impl Reply {
    /// Header of a reply to us; no options.
    fn bare() -> Reply {
        let mut header = [0; 236];
        header[..4].copy_from_slice(&[2, 1, 6, 0]);
        header[4..8].copy_from_slice(&TRANSACTION.to_be_bytes());
        header[16..20].copy_from_slice(&[192, 0, 2, 77]);
        header[28..34].copy_from_slice(&HARDWARE.0);
        Reply {
            header,
            options: Vec::new(),
        }
    }

    /// An acknowledgement with message type, server and lease time.
    fn acknowledgement() -> Reply {
        Reply::bare()
            .option(53, &[5])
            .option(54, &[192, 0, 2, 1])
            .option(51, &3600_u32.to_be_bytes())
    }

    fn option(mut self, code: u8, value: &[u8]) -> Reply {
        self.options.extend([code, value.len() as u8]);
        self.options.extend(value);
        self
    }

    fn header(mut self, at: usize, bytes: &[u8]) -> Reply {
        self.header[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn without_end(&self) -> Vec<u8> {
        [&self.header[..], &[99, 130, 83, 99], &self.options].concat()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.without_end();
        bytes.push(255);
        bytes
    }

    fn decode(&self) -> Result<ServerMessage, DecodeError> {
        decode(&self.bytes(), TRANSACTION, HARDWARE)
    }
}

/// Everything that this client understands in one packet.
fn rich() -> Reply {
    Reply::acknowledgement()
        .option(1, &[255, 255, 254, 0])
        .option(3, &[192, 0, 2, 1, 192, 0, 2, 2])
        .option(6, &[192, 0, 2, 53])
        .option(12, b"host")
        .option(15, b"Example.COM.\0\0")
        .option(26, &1400_u16.to_be_bytes())
        .option(58, &900_u32.to_be_bytes())
        .option(59, &2700_u32.to_be_bytes())
        .option(119, b"\x03eng\x07example\x03org\x00\x05sales\xc0\x04")
        .option(121, &[24, 198, 51, 100, 192, 0, 2, 9, 0, 192, 0, 2, 1])
        .option(56, b"hello\0")
}
