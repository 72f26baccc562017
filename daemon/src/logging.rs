// SPDX-License-Identifier: Apache-2.0

//! Where logs go: to journald when systemd started us, else to stderr.

use std::io::IsTerminal;

use nipart_schemas::error::{ErrorKind, NipartError};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging.
pub(crate) fn start(level: &str, foreground: bool) -> Result<(), NipartError> {
    let filter: Targets = level.parse().map_err(|error| {
        NipartError::new(
            ErrorKind::InvalidArgument,
            format!("log level `{level}`: {error}"),
        )
    })?;
    let by_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let journald = if by_systemd && !foreground && !std::io::stderr().is_terminal() {
        // Without journald, systemd reads our stderr all the same.
        tracing_journald::layer().ok()
    } else {
        None
    };
    let stderr = journald.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
    });
    tracing_subscriber::registry()
        .with(filter)
        .with(journald)
        .with(stderr)
        .try_init()
        .map_err(|error| NipartError::new(ErrorKind::Bug, format!("cannot start logs: {error}")))
}
