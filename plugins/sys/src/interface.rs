// SPDX-License-Identifier: Apache-2.0

//! Hardware address and MTU of a link, and tying a socket to a link.
//!
//! The old ioctls are used rather than sysfs: they answer for the network namespace of the socket, while `/sys` shows
//! the namespace that it was mounted in.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The hardware address of a link as `SIOCGIFHWADDR` reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HardwareAddress {
    /// ARP hardware type (`ARPHRD_*`): 1 for Ethernet.
    pub kind: u16,
    /// The address, zero padded. How many bytes count follows from `kind`: 6 for Ethernet. Longer ones are cut off.
    pub bytes: [u8; 14],
}

/// Asks for the hardware address of the link called `name`. Any socket of the namespace will do.
///
/// # Errors
/// `InvalidInput` for a name that no link can have; `ENODEV` when there is no such link.
pub fn hardware_address(socket: impl AsFd, name: &str) -> io::Result<HardwareAddress> {
    let request = interface_request(&socket, name, libc::SIOCGIFHWADDR)?;
    // SAFETY: SIOCGIFHWADDR succeeded, so the kernel filled `ifru_hwaddr`; any bytes are a valid sockaddr anyway.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    Ok(HardwareAddress {
        kind: address.sa_family,
        bytes: address.sa_data.map(|byte| byte.cast_unsigned()),
    })
}

/// Asks for the MTU of the link called `name`, in bytes. Any socket of the namespace will do.
///
/// # Errors
/// As [`hardware_address`].
pub fn mtu(socket: impl AsFd, name: &str) -> io::Result<u32> {
    let request = interface_request(&socket, name, libc::SIOCGIFMTU)?;
    // SAFETY: SIOCGIFMTU succeeded, so the kernel filled `ifru_mtu`; any bytes are a valid integer anyway.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    Ok(u32::try_from(mtu).unwrap_or(0))
}

/// Ties `socket` to the link with this index (`SO_BINDTOIFINDEX`): it sends and receives there and nowhere else.
///
/// The index rather than the name, so that a rename in between cannot pick another link.
///
/// # Errors
/// The kernel's own: `ENODEV` when there is no such link, `EPERM` when the socket is already tied and we lack the right.
pub fn bind_to_interface(socket: impl AsFd, index: u32) -> io::Result<()> {
    let value = libc::c_int::try_from(index).map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the link index is out of range",
        )
    })?;
    // SAFETY: the option takes an int; `value` is one, lives across the call, and the length given is its size.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    crate::check(result)
}

/// Runs one of the `SIOCGIF*` questions about the link called `name`.
fn interface_request(
    socket: &impl AsFd,
    name: &str,
    question: libc::Ioctl,
) -> io::Result<libc::ifreq> {
    let mut request = named_request(name)?;
    // SAFETY: the `SIOCGIF*` questions read the name of an ifreq and write its union; `request` is a valid ifreq that
    // lives across the call and is borrowed by nobody else.
    let result = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), question, &raw mut request) };
    crate::check(result)?;
    Ok(request)
}

/// A request about the link called `name`, otherwise zero.
pub(crate) fn named_request(name: &str) -> io::Result<libc::ifreq> {
    let mut raw_name: [libc::c_char; libc::IFNAMSIZ] = [0; libc::IFNAMSIZ];
    // One byte stays zero: the kernel wants the name terminated.
    if name.is_empty() || name.len() >= raw_name.len() || name.bytes().any(|byte| byte == 0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a name that a link can have",
        ));
    }
    for (slot, byte) in raw_name.iter_mut().zip(name.bytes()) {
        *slot = byte.cast_signed();
    }
    Ok(libc::ifreq {
        ifr_name: raw_name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_hwaddr: libc::sockaddr {
                sa_family: 0,
                sa_data: [0; 14],
            },
        },
    })
}
