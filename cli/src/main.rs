// SPDX-License-Identifier: Apache-2.0

//! `nipartctl`: the command line of Nipart.

use std::process::ExitCode;

fn main() -> ExitCode {
    nipartctl::main()
}
