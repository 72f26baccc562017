// SPDX-License-Identifier: Apache-2.0

//! Nipart's monitor plugin: tells who asked for it when a link appears, goes, comes up or goes down.
//!
//! - `rules`: pure. What the rules wait for, what is known of those links, what is to be told, and when.
//! - `monitor`: the thin shell around it: the socket that listens, the one that looks up, the timer.
//! - [`run`]: puts it behind the plugin protocol.
//!
//! Links that no rule names are passed over before they are parsed, and without rules there is no socket at all: the
//! plugin costs nothing where nobody waits for anything.

mod changes;
mod message;
mod monitor;
mod plugin;
mod rules;

pub use self::monitor::{Monitor, News};
pub use self::plugin::run;
pub use self::rules::Telling;
