// SPDX-License-Identifier: Apache-2.0

//! Types of interfaces whose links not every kernel has: applied, looked at with iproute2, changed in place, applied
//! again, reverted, removed. One file for each.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support: failing loudly is its way of reporting"
)]

mod bond;
mod bridge_vlan;
mod dummy;
mod support;
mod vlan;
mod vrf;
