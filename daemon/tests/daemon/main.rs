// SPDX-License-Identifier: Apache-2.0

//! The daemon with real processes as plugins. Needs neither root nor a network.

mod life;
mod questions;
mod strangers;
mod support;
