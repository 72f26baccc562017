// SPDX-License-Identifier: Apache-2.0

//! The words that Nipart's processes and users share: types only, no I/O.

pub mod lease;
