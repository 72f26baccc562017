// SPDX-License-Identifier: Apache-2.0

//! The words that Nipart's processes and users share: types only, no I/O.
//!
//! - What users write and see: [`network_state`], [`interface`], [`ip`], [`route`], [`route_rule`], [`dns`],
//!   [`hostname`], laid over each other and compared by [`overlay`], read and written by [`yaml`].
//! - What processes say to each other: [`event`], and what it carries: [`request`], [`decision`], [`operation`],
//!   [`journal`], [`monitor`], [`lease`], [`plugin`], [`error`]. What only passes through stays [`unread`].

pub mod decision;
pub mod dns;
pub mod error;
pub mod event;
pub mod hostname;
pub mod interface;
pub mod ip;
pub mod journal;
pub mod key;
pub mod lease;
pub mod lenient;
pub mod mac_address;
pub mod mask;
pub mod monitor;
pub mod network_state;
pub mod operation;
pub mod overlay;
pub mod pci_address;
pub mod plugin;
pub mod request;
pub mod revert;
pub mod route;
pub mod route_rule;
pub mod trace;
pub mod unread;
mod word;
pub mod yaml;
