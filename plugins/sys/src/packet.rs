// SPDX-License-Identifier: Apache-2.0

//! Packet sockets (`packet(7)`): bind to one link, send to a hardware address, receive with auxiliary data.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// `ETH_P_IP`: IPv4 packets.
pub const PROTOCOL_IPV4: u16 = 0x0800;

/// `ETH_P_IPV6`: IPv6 packets.
pub const PROTOCOL_IPV6: u16 = 0x86dd;

/// Whom the link layer addressed a received packet to (`sll_pkttype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressee {
    /// This link's own hardware address.
    Host,
    /// Everybody.
    Broadcast,
    /// A group.
    Multicast,
    /// Somebody else: promiscuous mode, or a VLAN that this host has no link for.
    OtherHost,
    /// The packet was sent by this host.
    Outgoing,
    /// A value that this crate does not know.
    Other(u8),
}

/// What came with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// How many bytes of the buffer were filled.
    pub length: usize,
    /// The packet was longer than the buffer; the rest is lost.
    pub truncated: bool,
    /// Whom the link layer addressed it to.
    pub addressee: Addressee,
    /// Hardware address of the sender: the first `sender_length` bytes count.
    pub sender: [u8; 8],
    /// Length of the sender's hardware address.
    pub sender_length: u8,
    /// The transport checksum was not filled in yet: the packet came from this host and hardware would have done it.
    pub checksum_not_ready: bool,
    /// VLAN that a tag on the frame names, when the kernel kept the tag.
    pub vlan: Option<u16>,
}

/// Opens a non-blocking, close-on-exec packet socket without link headers (`SOCK_DGRAM`) that receives nothing yet.
///
/// Its protocol is 0 on purpose: such a socket is not hooked into the receive path before [`bind`], so a filter can be
/// attached in time and binding waits for no RCU grace period.
///
/// # Errors
/// `EPERM` without `CAP_NET_RAW`; what `socket(2)` says otherwise.
pub fn open() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers are passed.
    let descriptor = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    crate::check(descriptor)?;
    // SAFETY: the call succeeded, so `descriptor` is open and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Binds a packet socket to one link and one protocol (an `ETH_P_*` number in host byte order).
///
/// # Errors
/// `ENODEV` when there is no such link, `ENETDOWN` when it is down.
pub fn bind(socket: impl AsFd, interface_index: u32, protocol: u16) -> io::Result<()> {
    let address = link_layer_address(interface_index, protocol, &[])?;
    // SAFETY: `address` is an initialised sockaddr_ll that lives across the call; the length is its size.
    let result = unsafe {
        libc::bind(
            socket.as_fd().as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    crate::check(result)
}

/// Asks the kernel to add `struct tpacket_auxdata` to each packet (`PACKET_AUXDATA`), which [`receive`] reads.
///
/// # Errors
/// What `setsockopt(2)` says.
pub fn enable_auxiliary_data(socket: impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int; `on` is one, lives across the call, and the length given is its size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_AUXDATA,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    crate::check(result)
}

/// Sends `packet` out of the link to a hardware address of at most 8 bytes; the kernel builds the link header.
///
/// # Errors
/// `InvalidInput` for a longer address; `ENETDOWN`, `ENXIO`, `ENOBUFS`, `WouldBlock` as the kernel says.
pub fn send(
    socket: impl AsFd,
    interface_index: u32,
    protocol: u16,
    destination: &[u8],
    packet: &[u8],
) -> io::Result<()> {
    let address = link_layer_address(interface_index, protocol, destination)?;
    // SAFETY: `packet` and `address` are valid for reads of the lengths given and live across the call.
    let sent = unsafe {
        libc::sendto(
            socket.as_fd().as_raw_fd(),
            packet.as_ptr().cast(),
            packet.len(),
            libc::MSG_NOSIGNAL,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Room for the control messages of one packet, aligned as `struct cmsghdr` must be.
#[repr(C, align(8))]
struct ControlBuffer([u8; 128]);

/// Receives one packet into `buffer`, from its network header on.
///
/// # Errors
/// `WouldBlock` when none waits; `ENETDOWN` once after the link went down.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut address = link_layer_address(0, 0, &[])?;
    let mut control = ControlBuffer([0; 128]);
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: msghdr is plain data for which all bytes zero is a valid value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = (&raw mut address).cast();
    message.msg_namelen = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    // SAFETY: every pointer in `message` names memory of the length beside it that lives across the call and that
    // nothing else reads or writes meanwhile.
    let length = unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, 0) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;

    let (checksum_not_ready, vlan) = auxiliary_data(&message);
    Ok(Received {
        // Never beyond the buffer, even though the kernel promises so already.
        length: length.min(buffer.len()),
        truncated: message.msg_flags & libc::MSG_TRUNC != 0,
        addressee: match address.sll_pkttype {
            libc::PACKET_HOST => Addressee::Host,
            libc::PACKET_BROADCAST => Addressee::Broadcast,
            libc::PACKET_MULTICAST => Addressee::Multicast,
            libc::PACKET_OTHERHOST => Addressee::OtherHost,
            libc::PACKET_OUTGOING => Addressee::Outgoing,
            other => Addressee::Other(other),
        },
        sender: address.sll_addr,
        sender_length: address.sll_halen.min(8),
        checksum_not_ready,
        vlan,
    })
}

/// Finds `struct tpacket_auxdata` among the control messages: (checksum not ready, VLAN of a kept tag).
fn auxiliary_data(message: &libc::msghdr) -> (bool, Option<u16>) {
    // SAFETY: `message` was filled by recvmsg, so its control pointer and length describe the control buffer.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR only give headers that lie wholly inside the control buffer, which is
        // aligned for them.
        let control = unsafe { *header };
        // SAFETY: CMSG_LEN only computes.
        let wanted_length =
            unsafe { libc::CMSG_LEN(size_of::<libc::tpacket_auxdata>() as libc::c_uint) };
        if control.cmsg_level == libc::SOL_PACKET
            && control.cmsg_type == libc::PACKET_AUXDATA
            && control.cmsg_len as usize >= wanted_length as usize
        {
            // SAFETY: `header` names a control message inside the buffer.
            let data = unsafe { libc::CMSG_DATA(header) };
            // SAFETY: the control message is long enough (checked above) for a tpacket_auxdata, which is plain data.
            let data: libc::tpacket_auxdata =
                unsafe { data.cast::<libc::tpacket_auxdata>().read_unaligned() };
            let vlan = (data.tp_status & libc::TP_STATUS_VLAN_VALID != 0)
                .then_some(data.tp_vlan_tci & 0x0fff);
            return (data.tp_status & libc::TP_STATUS_CSUMNOTREADY != 0, vlan);
        }
        // SAFETY: `header` came from the same `message`, which has not changed.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    (false, None)
}

/// Fills a `struct sockaddr_ll`.
fn link_layer_address(
    interface_index: u32,
    protocol: u16,
    destination: &[u8],
) -> io::Result<libc::sockaddr_ll> {
    let invalid = |text| io::Error::new(io::ErrorKind::InvalidInput, text);
    let mut hardware = [0; 8];
    hardware
        .get_mut(..destination.len())
        .ok_or_else(|| invalid("the hardware address is too long"))?
        .copy_from_slice(destination);
    Ok(libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::c_ushort,
        sll_protocol: protocol.to_be(),
        sll_ifindex: i32::try_from(interface_index)
            .map_err(|_| invalid("the link index is out of range"))?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: destination.len() as libc::c_uchar,
        sll_addr: hardware,
    })
}
