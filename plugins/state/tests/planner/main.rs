// SPDX-License-Identifier: Apache-2.0

//! Tests of the one function that decides: cases as data, and properties over a model of the kernel.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod examples;
mod model;
mod properties;
