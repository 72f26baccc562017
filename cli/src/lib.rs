// SPDX-License-Identifier: Apache-2.0

//! `nipartctl` as a library, so that manual pages and completions can be made from its arguments.
//!
//! Arguments ([`arguments`]) become a checked request ([`request`]), a command ([`commands`]) asks the daemon and
//! writes ([`output`]), and whatever fails ends in one place with a report and an exit code ([`failure`]).

pub mod arguments;
mod captured;
mod commands;
pub mod failure;
mod input;
mod output;
mod pretty;
mod report;
mod request;
mod suggestion;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Global};
use crate::failure::{Failure, defect};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.global.color.choice().write_global();
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Global {
        socket,
        quiet,
        verbose,
        ..
    } = arguments.global;
    output::write_notes(!quiet);
    let request = request::check(arguments.command, verbose > 0)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| defect(&error))?;
    runtime.block_on(commands::run(&socket, request))
}
