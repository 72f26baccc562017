// SPDX-License-Identifier: Apache-2.0

//! What whole-system tests share: namespaces of their own, a second host, a daemon, and a second pair of eyes.

pub mod check;
pub mod disk;
pub mod examples;
pub mod eyes;
pub mod namespace;
pub mod peer;
pub mod process;
pub mod relay;
pub mod system;
pub mod terminal;
pub mod watch;
