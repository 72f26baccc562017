// SPDX-License-Identifier: Apache-2.0

//! The commander: expands a request, a link event or a lease into a chain of questions, and sees it to its end.
//!
//! Each workflow is one function under [`chain`] that reads like the chain. All changes of the network go through
//! [`transaction`], under [`lock`]s. [`peers`] is whom the chains talk to: other plugins through events, or, for
//! `nipartctl apply --no-daemon`, the same libraries in one process. What has to go on after a change, DHCP and
//! the watch for links, is in the hands of [`follower`]; changes that wait for their confirmation, of [`checkpoint`].

pub mod ask;
mod awaited;
pub mod chain;
pub mod checkpoint;
mod created;
mod follow;
mod follower;
mod identity;
pub mod lock;
mod looks;
pub mod peers;
mod plugin;
pub mod transaction;

pub use self::plugin::run;

#[cfg(test)]
mod tests;
