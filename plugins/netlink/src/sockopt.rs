// SPDX-License-Identifier: Apache-2.0

//! Opening netlink sockets and setting the options that each kind of socket needs.

use std::os::fd::AsFd;

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt;

use crate::error::NetlinkError;
use crate::socket::SocketOptions;

/// Default size of receive buffers in bytes: room for the acks of thousands of messages, or for some ten
/// thousand notifications. Only a limit, the kernel allocates what is queued.
pub(crate) const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// Opens a non-blocking socket that hears nobody but the kernel.
pub(crate) fn open_request_socket(options: SocketOptions) -> Result<Socket, NetlinkError> {
    let socket = open(options.protocol, options.receive_buffer)?;
    // Extended acks carry the kernel's text; capped acks leave out the copy of the request, so that acks are
    // small and the text follows a header of fixed size.
    socket
        .set_ext_ack(true)
        .map_err(|error| NetlinkError::from_io("setting NETLINK_EXT_ACK", &error))?;
    socket
        .set_cap_ack(true)
        .map_err(|error| NetlinkError::from_io("setting NETLINK_CAP_ACK", &error))?;
    if options.strict {
        // Without it the kernel ignores most filters and dumps everything.
        socket
            .set_netlink_get_strict_chk(true)
            .map_err(|error| NetlinkError::from_io("setting NETLINK_GET_STRICT_CHK", &error))?;
    }
    // A connected netlink socket refuses messages from anyone but the peer, here port 0, the kernel.
    socket
        .connect(&SocketAddr::new(0, 0))
        .map_err(|error| NetlinkError::from_io("connecting the netlink socket", &error))?;
    Ok(socket)
}

/// Opens a non-blocking `NETLINK_ROUTE` socket that listens to multicast groups (`RTNLGRP_*`).
pub(crate) fn open_multicast_socket(
    receive_buffer: usize,
    groups: &[u32],
) -> Result<Socket, NetlinkError> {
    let socket = open(NETLINK_ROUTE, receive_buffer)?;
    for group in groups {
        socket
            .add_membership(*group)
            .map_err(|error| NetlinkError::from_io("joining a netlink group", &error))?;
    }
    Ok(socket)
}

fn open(protocol: isize, receive_buffer: usize) -> Result<Socket, NetlinkError> {
    let mut socket = Socket::new(protocol)
        .map_err(|error| NetlinkError::from_io("opening a netlink socket", &error))?;
    socket
        .set_non_blocking(true)
        .map_err(|error| NetlinkError::from_io("making the netlink socket non-blocking", &error))?;
    let granted = set_receive_buffer(&socket, receive_buffer)?;
    tracing::trace!(asked = receive_buffer, granted, "netlink receive buffer");
    socket
        .bind(&SocketAddr::new(0, 0))
        .map_err(|error| NetlinkError::from_io("binding the netlink socket", &error))?;
    Ok(socket)
}

/// Sets the receive buffer to `bytes`, past `net.core.rmem_max` where `CAP_NET_ADMIN` allows it
/// (`SO_RCVBUFFORCE`), else as far as that limit goes. Returns the size in force, which the kernel doubles
/// for its own bookkeeping.
pub(crate) fn set_receive_buffer(socket: impl AsFd, bytes: usize) -> Result<usize, NetlinkError> {
    let socket = socket.as_fd();
    if sockopt::set_socket_recv_buffer_size_force(socket, bytes).is_err() {
        // The capability is checked in the initial user namespace, so this is normal in a container.
        sockopt::set_socket_recv_buffer_size(socket, bytes)
            .map_err(|errno| NetlinkError::from_io("setting SO_RCVBUF", &errno.into()))?;
    }
    sockopt::socket_recv_buffer_size(socket)
        .map_err(|errno| NetlinkError::from_io("reading SO_RCVBUF", &errno.into()))
}
