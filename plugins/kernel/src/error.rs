// SPDX-License-Identifier: Apache-2.0

//! From what the netlink engine reports to the error that crosses process boundaries.

use nipart_netlink::NetlinkError;
use nipart_netlink::sysctl::SysctlError;
use nipart_schemas::error::{ErrorKind, NipartError};

/// The error in the kernel's own words, without what was being done.
pub(crate) fn from_netlink(error: &NetlinkError) -> NipartError {
    let kind = match error {
        NetlinkError::Kernel(_) => ErrorKind::KernelRefused,
        NetlinkError::Timeout { .. } | NetlinkError::Busy { .. } => ErrorKind::Timeout,
        _ => ErrorKind::PluginFailure,
    };
    NipartError::new(kind, error.to_string())
}

/// The same for a switch under `/proc/sys`.
pub(crate) fn from_sysctl(error: &SysctlError) -> NipartError {
    NipartError::new(ErrorKind::KernelRefused, error.to_string())
}

/// The plan names a link that doesn't exist.
pub(crate) fn no_such_link(name: &str) -> NipartError {
    NipartError::new(
        ErrorKind::KernelRefused,
        format!("there is no interface {name}"),
    )
}
