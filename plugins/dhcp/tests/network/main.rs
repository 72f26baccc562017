// SPDX-License-Identifier: Apache-2.0

//! The client against real servers, over a veth pair between two network namespaces.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

mod dnsmasq;
mod dnsmasq6;
mod peer;
mod short_leases;
mod short_leases6;
