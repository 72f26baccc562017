// SPDX-License-Identifier: Apache-2.0

//! IPv4 and UDP headers around DHCP messages that travel through the packet socket (RFC 2131 §4.1).
//!
//! The kernel builds the link header; these two are ours, because a host without an address cannot use a UDP socket.

use std::net::Ipv4Addr;

use etherparse::{IpDscp, IpNumber, Ipv4Header, Ipv4HeaderSlice, UdpHeader, UdpHeaderSlice};
use thiserror::Error;

/// Port that servers and relays listen on (RFC 2131 §4.1).
pub const SERVER_PORT: u16 = 67;
/// Port that clients listen on (RFC 2131 §4.1).
pub const CLIENT_PORT: u16 = 68;

/// Class selector 6, network control: what a busy switch keeps longest.
const NETWORK_CONTROL: u8 = 48;
const TIME_TO_LIVE: u8 = 64;

/// Why a received packet is not a DHCP datagram for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The IPv4 header is malformed or its length does not fit the packet.
    #[error("malformed IPv4 header")]
    Ipv4Header,
    /// The checksum of the IPv4 header is wrong.
    #[error("wrong IPv4 header checksum")]
    Ipv4Checksum,
    /// A part of a larger datagram.
    #[error("fragmented datagram")]
    Fragment,
    /// Not UDP, or not to the client port.
    #[error("not a datagram to the DHCP client port")]
    OtherProtocol,
    /// The UDP length does not fit the packet.
    #[error("malformed UDP header")]
    UdpHeader,
    /// The checksum of the datagram is wrong.
    #[error("wrong UDP checksum")]
    UdpChecksum,
    /// Too long for an IPv4 packet (when sending).
    #[error("payload too long")]
    TooLong,
}

/// Whether the kernel vouches for the UDP checksum of a packet to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumState {
    /// It is in the packet and has to be right.
    Present,
    /// It was left to hardware that the packet never met (`TP_STATUS_CSUMNOTREADY`): what stands there means nothing.
    NotReady,
}

/// Puts IPv4 and UDP headers, both with checksums, before a DHCP message from client to server port.
///
/// # Errors
/// [`FrameError::TooLong`] for more than 65,507 bytes.
pub fn wrap(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    payload: &[u8],
) -> Result<Vec<u8>, FrameError> {
    let udp_length =
        u16::try_from(UdpHeader::LEN + payload.len()).map_err(|_| FrameError::TooLong)?;
    let mut ipv4 = Ipv4Header::new(
        udp_length,
        TIME_TO_LIVE,
        IpNumber::UDP,
        source.octets(),
        destination.octets(),
    )
    .map_err(|_| FrameError::TooLong)?;
    ipv4.dscp = IpDscp::try_new(NETWORK_CONTROL).unwrap_or_default();
    ipv4.header_checksum = ipv4.calc_header_checksum();
    let udp = UdpHeader::with_ipv4_checksum(CLIENT_PORT, SERVER_PORT, &ipv4, payload)
        .map_err(|_| FrameError::TooLong)?;

    let mut packet = Vec::with_capacity(Ipv4Header::MIN_LEN + UdpHeader::LEN + payload.len());
    packet.extend_from_slice(&ipv4.to_bytes());
    packet.extend_from_slice(&udp.to_bytes());
    packet.extend_from_slice(payload);
    Ok(packet)
}

/// Checks the headers of a received packet and gives the DHCP message inside.
///
/// Bytes beyond the IPv4 length are padding of the link (Ethernet's 60 bytes) and are cut off.
///
/// # Errors
/// [`FrameError`] with what is wrong. Never panics, whatever the bytes.
pub fn unwrap(packet: &[u8], checksum: ChecksumState) -> Result<&[u8], FrameError> {
    let ipv4 = Ipv4HeaderSlice::from_slice(packet).map_err(|_| FrameError::Ipv4Header)?;
    if ones_complement_sum(ipv4.slice()) != 0xffff {
        return Err(FrameError::Ipv4Checksum);
    }
    if ipv4.is_fragmenting_payload() {
        return Err(FrameError::Fragment);
    }
    if ipv4.protocol() != IpNumber::UDP {
        return Err(FrameError::OtherProtocol);
    }
    let datagram = packet
        .get(ipv4.slice().len()..usize::from(ipv4.total_len()))
        .ok_or(FrameError::Ipv4Header)?;
    let udp = UdpHeaderSlice::from_slice(datagram).map_err(|_| FrameError::UdpHeader)?;
    if udp.destination_port() != CLIENT_PORT {
        return Err(FrameError::OtherProtocol);
    }
    let payload = datagram
        .get(UdpHeader::LEN..usize::from(udp.length()))
        .ok_or(FrameError::UdpHeader)?;
    // Zero says that the sender did not compute one (RFC 768).
    if checksum == ChecksumState::Present && udp.checksum() != 0 {
        let computed = udp
            .to_header()
            .calc_checksum_ipv4_raw(ipv4.source(), ipv4.destination(), payload)
            .map_err(|_| FrameError::UdpHeader)?;
        if computed != udp.checksum() {
            return Err(FrameError::UdpChecksum);
        }
    }
    Ok(payload)
}

/// Sum of 16-bit words with carries wrapped round; 0xffff over a header with a right checksum (RFC 1071).
fn ones_complement_sum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([high, low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests;
