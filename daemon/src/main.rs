// SPDX-License-Identifier: Apache-2.0

//! `nipartd`: the daemon.

#![allow(dead_code)]

mod api;
mod handle;

fn main() {}
