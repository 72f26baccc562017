// SPDX-License-Identifier: Apache-2.0

//! The daemon with real processes as plugins. Needs neither root nor a network.

// Clippy knows test functions, not the helpers beside them.
#![allow(clippy::unwrap_used)]

mod life;
mod questions;
mod strangers;
mod support;
