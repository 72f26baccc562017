// SPDX-License-Identifier: Apache-2.0

//! Numbers that stay the same on one machine, and tell nobody else which machine it is (`machine-id(5)`).

use std::hash::Hasher;
use std::io;

use siphasher::sip128::{Hasher128, SipHasher24};

/// Where the machine's id is.
pub const PATH: &str = "/etc/machine-id";

/// A number for one purpose, made of the machine's id with a one-way function.
///
/// # Errors
/// When the file can't be read, or has no id yet.
pub fn derived(purpose: &str) -> io::Result<[u8; 16]> {
    let text = std::fs::read_to_string(PATH)?;
    let id = u128::from_str_radix(text.trim(), 16);
    let id = id.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "there is no id in it"))?;
    Ok(keyed(id, purpose))
}

fn keyed(id: u128, purpose: &str) -> [u8; 16] {
    let mut hasher = SipHasher24::new_with_key(&id.to_be_bytes());
    hasher.write(purpose.as_bytes());
    hasher.finish128().as_u128().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_machines_differ_and_nothing_else() {
        // For ever: addresses and leases depend on it.
        let expected = [
            135, 60, 93, 228, 225, 54, 13, 18, 106, 155, 138, 230, 133, 100, 117, 178,
        ];
        assert_eq!(keyed(1, "a purpose"), expected);
        assert_ne!(keyed(1, "another"), expected);
        assert_ne!(keyed(2, "a purpose"), expected);
    }
}
