// SPDX-License-Identifier: Apache-2.0

//! Making tun and tap devices, which no message does.

use std::io;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_sys::tun::{self, Existing, TunFlags};

/// A device to be made, or changed if it is there.
#[derive(Debug)]
pub(crate) struct TunDevice {
    pub(crate) name: String,
    pub(crate) flags: TunFlags,
    pub(crate) existing: Existing,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
}

/// Makes or changes the device.
pub(super) fn settle(device: &TunDevice) -> Result<(), NipartError> {
    attach(device).map_err(|error| explain(device, &error))
}

fn attach(device: &TunDevice) -> io::Result<()> {
    let file = tun::attach(&device.name, device.flags, device.existing)?;
    if let Some(user) = device.owner {
        tun::set_owner(&file, user)?;
    }
    if let Some(group) = device.group {
        tun::set_group(&file, group)?;
    }
    // Last: what isn't finished goes with the file.
    tun::make_persistent(&file)
}

fn explain(device: &TunDevice, error: &io::Error) -> NipartError {
    match error.kind() {
        io::ErrorKind::NotFound => NipartError::new(
            ErrorKind::NotSupported,
            "the kernel has no tun support (module \"tun\"): there is no /dev/net/tun",
        ),
        io::ErrorKind::ResourceBusy if device.existing == Existing::Refused => {
            NipartError::new(ErrorKind::KernelRefused, "File exists (EEXIST)")
        }
        io::ErrorKind::ResourceBusy => NipartError::new(
            ErrorKind::KernelRefused,
            "a program uses the device: stop it first",
        ),
        _ => NipartError::new(ErrorKind::KernelRefused, format!("/dev/net/tun: {error}")),
    }
}
