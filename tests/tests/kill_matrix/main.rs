// SPDX-License-Identifier: Apache-2.0

//! A change ends with the old network or with the new one, whatever dies, whenever it dies.
//!
//! One change, which touches a bridge, its ports, links that come and go, addresses, routes and rules, is made over and
//! over again. At each event of its chain in turn something terrible happens, before the event is delivered, or just
//! after. Then the system is left to recover, and what the kernel has and what is saved must both be the old or both
//! the new, nothing in between, with nothing left to do.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test: failing loudly is its way of reporting"
)]

mod disk;
mod kill;
mod long;
mod names;
mod refusal;
mod world;
