// SPDX-License-Identifier: Apache-2.0

//! The dns plugin: name resolution, and the machine's name.
//!
//! ```text
//!  sources (dns.json) ──effective──▶ resolv.conf, written by us          when nobody else answers programs
//!                      └──parts────▶ systemd-resolved: links, drop-in    when resolv.conf is a link into its directory
//! ```
//!
//! [`Names`] remembers what each source says, until the next boot, and makes what programs use follow from that. What
//! stood in resolv.conf before is kept ([`original`]) and comes back when the last source goes. What a source is to
//! say is decided by others. The library knows no protocol, so that `nipartctl apply --no-daemon` uses it too.

mod host_name;
mod names;
mod original;
mod paths;
mod plugin;
mod resolv_conf;
mod resolved;
mod sources;

pub use self::names::Names;
pub use self::paths::{Paths, variables};
pub use self::plugin::run;

#[cfg(test)]
mod tests;
