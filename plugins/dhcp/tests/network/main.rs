// SPDX-License-Identifier: Apache-2.0

//! The client against real servers, over a veth pair between two network namespaces.

mod dnsmasq;
mod peer;
mod short_leases;
