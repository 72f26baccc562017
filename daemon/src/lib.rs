// SPDX-License-Identifier: Apache-2.0

//! What `nipartd` does itself: supervisor of plugins, event switch, public API.
//!
//! It knows plugins and events, and nothing of networks. One thread, one runtime: `daemon.rs` draws its tasks.

mod api;
mod arguments;
mod backoff;
mod connection;
mod control;
mod daemon;
mod exchange;
mod handle;
mod handshake;
mod logging;
mod notify;
mod registration;
mod run_dir;
mod settings;
mod supervisor;
mod switch;
mod trace;

use std::process::ExitCode;

use clap::Parser;
use nipart_schemas::error::{ErrorKind, NipartError};

use crate::arguments::Arguments;
pub use crate::settings::PLUGIN_NAME;
use crate::settings::Settings;

/// Runs the daemon as the command line says, until it is told to end.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Settings::load(&arguments) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("nipartd: {error}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = logging::start(&settings.log_level, arguments.foreground) {
        eprintln!("nipartd: {error}");
        return ExitCode::from(2);
    }
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> Result<(), NipartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            NipartError::new(ErrorKind::Bug, format!("cannot start the runtime: {error}"))
        })?;
    let result = runtime.block_on(daemon::run(settings));
    runtime.shutdown_background();
    result
}
