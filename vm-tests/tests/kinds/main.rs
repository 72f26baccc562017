// SPDX-License-Identifier: Apache-2.0

//! Kinds of links that not every kernel has: created, compared with what iproute2 says, changed in place, applied again,
//! removed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test support: failing loudly is its way of reporting"
)]

mod hsr;
mod infiniband;
mod ipvlan;
mod macsec;
mod macsec_keys;
mod secrets;
mod tunnel;
mod wireguard;
