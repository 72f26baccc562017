// SPDX-License-Identifier: Apache-2.0

//! Network cards of the virtual machine: what virtual links don't have. One file for each driver; what one lacks another has.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail loudly, in their helpers too"
)]

mod e100;
mod e1000e;
mod identity;
mod igb;
mod support;
mod virtio_net;
mod vmxnet3;
