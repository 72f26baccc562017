// SPDX-License-Identifier: Apache-2.0

//! A descriptor that tokio watches until it becomes readable.
//!
//! tokio's `AsyncFd` is unsafe to create, because tokio cannot know that the descriptor stays open and the same while it
//! is watched. [`Watched`] does know: it owns the descriptor and hands out no more than a borrow.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An owned descriptor, watched for becoming readable.
#[derive(Debug)]
pub struct Watched {
    // Private, and never lent out mutably: see the safety comment in `new`.
    descriptor: AsyncFd<OwnedFd>,
}

impl Watched {
    /// Watches a non-blocking descriptor. Must be called inside a tokio runtime with I/O.
    ///
    /// # Errors
    /// When the kernel cannot watch this kind of descriptor, or is out of memory.
    pub fn new(descriptor: OwnedFd) -> io::Result<Watched> {
        // SAFETY: an OwnedFd keeps its descriptor open until it is dropped and always names the same one; it is reached
        // by nobody but this type, which neither replaces nor lends it mutably, and gives it back only by way of
        // AsyncFd::into_inner, which ends the watch first.
        let descriptor = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        Ok(Watched {
            descriptor: descriptor.map_err(io::Error::from)?,
        })
    }

    /// Waits until the descriptor is readable and `operation` succeeds or fails with anything but `WouldBlock`.
    ///
    /// Nothing is lost when the wait is dropped half way. The wait has no limit of its own.
    ///
    /// # Errors
    /// That of `operation`; or that the runtime is shutting down.
    pub async fn read_with<R>(
        &self,
        mut operation: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        self.descriptor
            .async_io(Interest::READABLE, |descriptor| {
                operation(descriptor.as_fd())
            })
            .await
    }

    /// Ends the watch and gives the descriptor back.
    #[must_use]
    pub fn into_descriptor(self) -> OwnedFd {
        self.descriptor.into_inner()
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.get_ref().as_fd()
    }
}
