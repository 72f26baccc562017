// SPDX-License-Identifier: Apache-2.0

//! The config plugin: what Nipart remembers, on disk.
//!
//! [`Store`] keeps the saved state, the state that lasts until the next boot, and the journals of open transactions,
//! each file replaced atomically and synced ([`durable`]); a damaged file is set aside and the last good version
//! used, loudly. [`administrator`] reads the files that administrators write. The library knows no protocol, so
//! that `nipartctl apply --no-daemon` uses it too.

pub mod administrator;
mod checksum;
pub mod durable;
mod history;
mod journals;
mod layer;
mod plugin;
mod store;

pub use self::plugin::run;
pub use self::store::Store;

#[cfg(test)]
mod power_loss;
#[cfg(test)]
mod tests;
