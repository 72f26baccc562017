// SPDX-License-Identifier: Apache-2.0

//! Support for tests that touch the network, and the whole-system tests of Nipart.

pub mod namespace;
