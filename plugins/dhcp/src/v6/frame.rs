// SPDX-License-Identifier: Apache-2.0

//! IPv6 and UDP headers around a message that leaves when the link has no address any more.
//!
//! Turning IPv6 off takes the link-local address along, and only then is it certain that the lease is given back: until
//! the change is committed, its undo may want it. So the last word goes through a packet socket, from the address that
//! the client spoke from before; the server's answer to it is not awaited anyway.

use std::io;
use std::net::Ipv6Addr;

use etherparse::{IpNumber, Ipv6Header, UdpHeader};
use nipart_sys::packet::{self, PROTOCOL_IPV6};

use crate::closing;
use crate::v6::socket::{ALL_SERVERS, CLIENT_PORT, SERVER_PORT};

/// Hardware address of the group of all servers and relays (RFC 2464 §7).
const ALL_SERVERS_HARDWARE: [u8; 6] = [0x33, 0x33, 0, 1, 0, 2];

/// Sends a message to all servers and relays of the link with this index, from an address that it need not have. Never
/// waits.
///
/// # Errors
/// `EPERM` without `CAP_NET_RAW`, `ENETDOWN` or `ENXIO` when the link is down or gone.
pub(crate) fn send(index: u32, source: Ipv6Addr, payload: &[u8]) -> io::Result<()> {
    let packet = wrap(source, payload)?;
    let descriptor = packet::open()?;
    let sent = packet::send(
        &descriptor,
        index,
        PROTOCOL_IPV6,
        &ALL_SERVERS_HARDWARE,
        &packet,
    );
    closing::elsewhere(descriptor);
    sent
}

/// Puts IPv6 and UDP headers before a message from client to server port, for this link only.
fn wrap(source: Ipv6Addr, payload: &[u8]) -> io::Result<Vec<u8>> {
    let too_long = || io::Error::new(io::ErrorKind::InvalidInput, "the message is too long");
    let length = u16::try_from(UdpHeader::LEN + payload.len()).map_err(|_| too_long())?;
    let ipv6 = Ipv6Header {
        payload_length: length,
        next_header: IpNumber::UDP,
        hop_limit: 1,
        source: source.octets(),
        destination: ALL_SERVERS.octets(),
        ..Ipv6Header::default()
    };
    let udp = UdpHeader::with_ipv6_checksum(CLIENT_PORT, SERVER_PORT, &ipv6, payload)
        .map_err(|_| too_long())?;
    Ok([&ipv6.to_bytes()[..], &udp.to_bytes(), payload].concat())
}

#[cfg(test)]
mod tests {
    use etherparse::{Ipv6HeaderSlice, UdpHeaderSlice};

    use super::*;

    #[test]
    fn the_headers_are_right() {
        let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);
        let packet = wrap(source, b"message").unwrap();
        let ipv6 = Ipv6HeaderSlice::from_slice(&packet).unwrap().to_header();
        assert_eq!((ipv6.hop_limit, ipv6.next_header), (1, IpNumber::UDP));
        assert_eq!(usize::from(ipv6.payload_length), packet.len() - 40);
        assert_eq!(Ipv6Addr::from(ipv6.source), source);
        let group: Ipv6Addr = "ff02::1:2".parse().unwrap();
        assert_eq!(Ipv6Addr::from(ipv6.destination), group);
        let udp = UdpHeaderSlice::from_slice(&packet[40..])
            .unwrap()
            .to_header();
        assert_eq!((udp.source_port, udp.destination_port), (546, 547));
        let payload = &packet[48..];
        assert_eq!(payload, b"message");
        assert_eq!(
            udp.checksum,
            udp.calc_checksum_ipv6(&ipv6, payload).unwrap()
        );
        assert!(wrap(source, &[0; 65_528]).is_err());
    }
}
