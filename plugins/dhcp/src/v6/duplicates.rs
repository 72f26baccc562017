// SPDX-License-Identifier: Apache-2.0

//! News of addresses that another host has, as the kernel finds out by duplicate address detection (RFC 4862 §5.4).
//!
//! When it fails, the kernel marks the address (`IFA_F_DADFAILED`) and tells of it: an address that is valid for ever
//! stays so marked, any other is removed at once. So it is the message that has to be caught, whichever of the two it is:
//! to look at the addresses of the link later is too late.

use std::io;
use std::net::Ipv6Addr;

use nipart_sys::filter::{Instruction, attach_filter};
use nipart_sys::watched::Watched;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};

use crate::bpf::{JUMP_ANY_BIT, JUMP_EQUAL, LOAD_BYTE_ABSOLUTE, LOAD_WORD_ABSOLUTE, RETURN};

/// `sizeof(struct nlmsghdr)`.
const HEADER_LENGTH: usize = 16;
/// `sizeof(struct ifaddrmsg)`: family, prefix length, flags, scope, index.
const BODY_LENGTH: usize = 8;
/// Offsets of `ifa_flags` and `ifa_index` in a message.
const FLAGS: usize = HEADER_LENGTH + 2;
const INDEX: usize = HEADER_LENGTH + 4;
/// `IFA_F_DADFAILED`, `linux/if_addr.h`.
const DUPLICATE: u8 = 0x08;
/// `IFA_ADDRESS`: of an address with a peer the peer's, and then there is `IFA_LOCAL`.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// More than any message about an address has.
const BUFFER_LENGTH: usize = 512;

/// Multicast group `RTNLGRP_IPV6_IFADDR` (9) as a bit.
const ADDRESS_GROUP: u32 = 1 << 8;

/// Opens a socket that hears of changes of IPv6 addresses, as far as `filter` lets them through.
///
/// # Errors
/// When the process is out of descriptors.
pub(crate) fn address_changes(filter: &[Instruction]) -> io::Result<Watched> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // The protocol that is used when none is named is NETLINK_ROUTE.
    let descriptor = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?;
    // First the filter, so that nothing else gets in.
    attach_filter(&descriptor, filter)?;
    bind(&descriptor, &SocketAddrNetlink::new(0, ADDRESS_GROUP))?;
    Watched::new(descriptor)
}

/// Tells of addresses of one link that another host has.
#[derive(Debug)]
pub struct DuplicateNews {
    descriptor: Watched,
}

impl DuplicateNews {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn open(index: u32) -> io::Result<DuplicateNews> {
        Ok(DuplicateNews {
            descriptor: address_changes(&duplicates_on(index))?,
        })
    }

    /// Waits for the next one. Nothing is lost when the wait is dropped half way.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn next(&self) -> io::Result<Ipv6Addr> {
        loop {
            let mut buffer = [0; BUFFER_LENGTH];
            let length = self
                .descriptor
                .read_with(|descriptor| {
                    match recvfrom(descriptor, &mut buffer, RecvFlags::empty()) {
                        Ok((length, ..)) => Ok(length),
                        // The queue has room for hundreds, of which one link has 16 at most: nothing of note is lost.
                        Err(Errno::NOBUFS) => Ok(0),
                        Err(error) => Err(error.into()),
                    }
                })
                .await?;
            if let Some(address) = buffer.get(..length).and_then(address) {
                return Ok(address);
            }
        }
    }
}

/// Lets through what is told of duplicates on the link with this index: hardly ever anything.
fn duplicates_on(index: u32) -> [Instruction; 6] {
    let instruction = |code, operand, jump_false| Instruction {
        code,
        jump_true: 0,
        jump_false,
        operand,
    };
    [
        instruction(LOAD_BYTE_ABSOLUTE, FLAGS as u32, 0),
        instruction(JUMP_ANY_BIT, DUPLICATE.into(), 3),
        instruction(LOAD_WORD_ABSOLUTE, INDEX as u32, 0),
        // The filter reads big-endian what the kernel wrote in its own order.
        instruction(JUMP_EQUAL, u32::from_be_bytes(index.to_ne_bytes()), 1),
        instruction(RETURN, u32::MAX, 0),
        instruction(RETURN, 0, 0),
    ]
}

/// The link's own address in a message; none in one that is broken.
fn address(message: &[u8]) -> Option<Ipv6Addr> {
    let mut attributes = message.get(HEADER_LENGTH + BODY_LENGTH..)?;
    let mut found = None;
    while let Some((header, _)) = attributes.split_first_chunk::<4>() {
        let [a, b, c, d] = *header;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = attributes.get(4..length)?;
        let own = <[u8; 16]>::try_from(value).ok().map(Ipv6Addr::from);
        match u16::from_ne_bytes([c, d]) {
            IFA_LOCAL => return own,
            IFA_ADDRESS => found = own,
            _ => {}
        }
        attributes = attributes
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x77);
    const PEER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

    fn message(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LENGTH + BODY_LENGTH];
        for (kind, value) in attributes {
            let length = u16::try_from(4 + value.len()).unwrap();
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn the_own_address_is_found() {
        let (own, peer) = (ADDRESS.octets(), PEER.octets());
        let alone = message(&[(6, &[0; 16]), (IFA_ADDRESS, &own), (8, &[0; 4])]);
        assert_eq!(address(&alone), Some(ADDRESS));
        let with_peer = message(&[(IFA_ADDRESS, &peer), (9, b"odd"), (IFA_LOCAL, &own)]);
        assert_eq!(address(&with_peer), Some(ADDRESS));
    }

    #[test]
    fn broken_messages_say_nothing() {
        let whole = message(&[(IFA_ADDRESS, &ADDRESS.octets())]);
        for length in 0..whole.len() {
            assert_eq!(address(&whole[..length]), None, "{length}");
        }
        assert_eq!(address(&message(&[(IFA_ADDRESS, &[1; 4])])), None);
        // An attribute that claims to be shorter than its own header must not loop for ever.
        for claimed in 0..4 {
            let mut endless = whole.clone();
            endless[HEADER_LENGTH + BODY_LENGTH] = claimed;
            assert_eq!(address(&endless), None);
        }
    }
}
