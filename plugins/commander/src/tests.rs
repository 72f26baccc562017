// SPDX-License-Identifier: Apache-2.0

//! Tests of the parts that need no peers.

mod follow;
mod lock;
