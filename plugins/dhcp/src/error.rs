// SPDX-License-Identifier: Apache-2.0

//! What can go wrong around a client: what was being done, to which link, and what the kernel said.

use std::io;

use rustix::io::Errno;
use thiserror::Error;

/// Why a client could not be started or commanded.
#[derive(Debug, Error)]
pub enum DhcpError {
    /// A system call failed.
    #[error("{interface}: {action}: {source}")]
    System {
        /// Kernel name of the link.
        interface: String,
        /// What was being done.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The link has no 6-byte hardware address, which this client needs.
    #[error("{interface}: DHCP is not supported on links of ARP hardware type {kind}")]
    UnsupportedHardware {
        /// Kernel name of the link.
        interface: String,
        /// ARP hardware type (`ARPHRD_*`).
        kind: u16,
    },
    /// The client takes no more commands at the moment.
    #[error("{interface}: the DHCP client does not keep up with its commands")]
    Busy {
        /// Kernel name of the link.
        interface: String,
    },
    /// The client has ended.
    #[error("{interface}: the DHCP client has ended")]
    Ended {
        /// Kernel name of the link.
        interface: String,
    },
}

impl DhcpError {
    /// Whether the same thing may work later without anybody changing the configuration.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        match self {
            Self::System { .. } | Self::Busy { .. } => true,
            Self::UnsupportedHardware { .. } | Self::Ended { .. } => false,
        }
    }

    /// Whether the kernel says that the link is gone, or another has its name.
    pub(crate) fn is_of_lost_link(&self) -> bool {
        let Self::System { source, .. } = self else {
            return false;
        };
        let lost = [Errno::NODEV, Errno::NXIO].map(Errno::raw_os_error);
        source
            .raw_os_error()
            .is_some_and(|error| lost.contains(&error))
    }

    /// For `map_err`: a system call failed while doing `action` to the link.
    pub(crate) fn system<E: Into<io::Error>>(
        interface: &str,
        action: &'static str,
    ) -> impl FnOnce(E) -> DhcpError {
        move |source| DhcpError::System {
            interface: interface.to_owned(),
            action,
            source: source.into(),
        }
    }
}
