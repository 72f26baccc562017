// SPDX-License-Identifier: Apache-2.0

//! Nipart's kernel plugin: reads the kernel's network as a [`NetworkState`], and executes plans on it.
//!
//! [`Kernel`] is the library, usable without a daemon; [`run`] puts it behind the plugin protocol.
//!
//! - `query`: link, address and route messages → interfaces and routes. Reads what is needed and no more: a few
//!   interfaces by targeted questions, many by one dump; never one dump for each object.
//! - `execute`: operations → messages, sent in batches, wave after wave.
//! - `kind`: what is particular to each kind of link, one file each, for both directions.
//! - `key_agreement`: keys of MACsec links, which another program agrees upon.
//! - `hardware`: settings of network cards, by generic netlink, where they are asked for.
//! - `sr_iov`: virtual functions of cards, where these settings are asked for.
//!
//! Nothing here decides what to do: plans come from elsewhere and are executed to the letter.
//!
//! [`NetworkState`]: nipart_schemas::network_state::NetworkState

mod abandoned;
mod awaited;
mod error;
mod execute;
mod hardware;
mod kernel;
mod key_agreement;
mod kind;
mod mptcp;
mod plugin;
mod query;
mod sr_iov;
mod wireguard;

pub use self::kernel::Kernel;
pub use self::plugin::run;
