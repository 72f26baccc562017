// SPDX-License-Identifier: Apache-2.0

//! What can go wrong when talking to the kernel, in the kernel's own words where it has any.

mod errno;

use std::fmt;
use std::time::Duration;

/// A refusal by the kernel: `NLMSG_ERROR`, or `NLMSG_DONE` with a negative code, plus its extended ack.
///
/// Displayed as `Numerical result out of range (ERANGE): MTU must be between 68 and 65535`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KernelError {
    /// Positive error number as in `errno(3)`.
    pub errno: i32,
    /// The kernel's explanation (`NLMSGERR_ATTR_MSG`, `linux/netlink.h`); absent where the code path has none.
    pub text: Option<String>,
    /// Offset in bytes, from the start of the request's netlink header, of the attribute that was refused
    /// (`NLMSGERR_ATTR_OFFS`).
    pub attribute_offset: Option<u32>,
    /// Kind of the attribute that is required and was not sent (`NLMSGERR_ATTR_MISS_TYPE`).
    pub missing_attribute: Option<u32>,
}

impl KernelError {
    /// A refusal without any explanation.
    #[must_use]
    pub fn from_errno(errno: i32) -> Self {
        Self {
            errno,
            ..Self::default()
        }
    }

    /// Symbolic name such as `EEXIST`; `None` for numbers the table lacks.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        errno::name(self.errno)
    }

    /// The object that was to be created exists already.
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.errno == libc::EEXIST
    }

    /// The object does not exist: the kernel says `ENODEV` for links, `EADDRNOTAVAIL` for addresses,
    /// `ESRCH` for routes and `ENOENT` for tables, rules and neighbours.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(
            self.errno,
            libc::ENODEV | libc::ENOENT | libc::ESRCH | libc::EADDRNOTAVAIL
        )
    }

    /// The kernel lacks the feature, or the module for this kind of link.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self.errno, libc::EOPNOTSUPP | libc::EAFNOSUPPORT)
    }

    /// The process lacks `CAP_NET_ADMIN` in the namespace.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        matches!(self.errno, libc::EPERM | libc::EACCES)
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&errno::describe(self.errno))?;
        if let Some(text) = &self.text {
            write!(formatter, ": {text}")?;
        }
        if let Some(kind) = self.missing_attribute {
            write!(formatter, " (attribute {kind} is missing)")?;
        }
        Ok(())
    }
}

impl std::error::Error for KernelError {}

/// Why a request has no good answer. Cloneable, since one failure can answer every message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetlinkError {
    /// The kernel refused the request; nothing was changed by it.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The request may or may not have taken effect: dump and compare. The socket has been replaced.
    #[error("{operation}: no answer from the kernel within {limit:?}, outcome unknown")]
    Timeout {
        /// What was being done.
        operation: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The receive buffer overflowed and took answers with it; the request may or may not have taken effect.
    /// The socket has been replaced.
    #[error("{operation}: the kernel's answers were lost, outcome unknown")]
    AnswersLost {
        /// What was being done.
        operation: &'static str,
    },
    /// The request was held back because one of an earlier batch failed ([`crate::OnFailure::StopAfterBatch`]).
    #[error("not sent because an earlier request failed")]
    NotSent,
    /// The socket was busy with other requests until the deadline; nothing was sent.
    #[error("{operation}: not sent, the socket was busy for {limit:?}")]
    Busy {
        /// What was to be done.
        operation: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// Other processes kept changing what was being dumped.
    #[error("{operation}: interrupted by changes {attempts} times in a row")]
    Interrupted {
        /// What was being read.
        operation: &'static str,
        /// Number of dumps that were tried.
        attempts: u32,
    },
    /// Earlier requests are still stuck in the kernel, each holding a thread; nothing was sent.
    #[error("{operation}: not sent, {stuck} earlier requests are stuck in the kernel")]
    Stuck {
        /// What was to be done.
        operation: &'static str,
        /// Number of requests without an answer.
        stuck: usize,
    },
    /// A system call on the socket failed; nothing was changed.
    #[error("{action}: {}", errno::describe(*errno))]
    Socket {
        /// The call or option that failed.
        action: &'static str,
        /// Positive error number as in `errno(3)`.
        errno: i32,
    },
    /// The kernel's answer could not be read as netlink at all.
    #[error("{operation}: the kernel's answer is malformed")]
    Malformed {
        /// What was being done.
        operation: &'static str,
    },
    /// The thread that serves the socket has ended.
    #[error("{operation}: the netlink socket is closed")]
    Closed {
        /// What was being done.
        operation: &'static str,
    },
}

impl NetlinkError {
    /// The kernel's refusal, if this is one.
    #[must_use]
    pub fn kernel(&self) -> Option<&KernelError> {
        match self {
            Self::Kernel(error) => Some(error),
            _ => None,
        }
    }

    /// See [`KernelError::is_exists`].
    #[must_use]
    pub fn is_exists(&self) -> bool {
        self.kernel().is_some_and(KernelError::is_exists)
    }

    /// See [`KernelError::is_not_found`].
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kernel().is_some_and(KernelError::is_not_found)
    }

    /// See [`KernelError::is_unsupported`].
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.kernel().is_some_and(KernelError::is_unsupported)
    }

    /// The request may have taken effect although no answer says so: the caller has to look.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(
            self,
            Self::Timeout { .. }
                | Self::AnswersLost { .. }
                | Self::Malformed { .. }
                | Self::Closed { .. }
        )
    }

    /// A failed system call, from the standard library's error.
    pub(crate) fn from_io(action: &'static str, error: &std::io::Error) -> Self {
        Self::Socket {
            action,
            errno: error.raw_os_error().unwrap_or(libc::EIO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_number_name_and_kernel_text() {
        let error = KernelError {
            errno: libc::ERANGE,
            text: Some("MTU must be between 68 and 65535".to_owned()),
            ..KernelError::default()
        };
        assert_eq!(
            error.to_string(),
            "Numerical result out of range (ERANGE): MTU must be between 68 and 65535"
        );
        assert_eq!(
            KernelError::from_errno(libc::EEXIST).to_string(),
            "File exists (EEXIST)"
        );
        assert_eq!(
            KernelError::from_errno(5000).to_string(),
            "Unknown error 5000"
        );
    }

    #[test]
    fn recognises_absence() {
        assert!(NetlinkError::from(KernelError::from_errno(libc::ENODEV)).is_not_found());
        assert!(!NetlinkError::NotSent.is_not_found());
        assert!(
            NetlinkError::Timeout {
                operation: "x",
                limit: Duration::ZERO
            }
            .is_outcome_unknown()
        );
    }
}
