// SPDX-License-Identifier: Apache-2.0

//! Running somebody else's tool, within a time.

use std::process::Stdio;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use tokio::process::Command;
use tokio::time::timeout;

/// The tools answer within milliseconds; starting systemd-resolved anew takes longer.
const LIMIT: Duration = Duration::from_secs(15);

/// Runs the program; returns what it prints.
pub(super) async fn run(program: &str, arguments: &[&str]) -> Result<String, NipartError> {
    let failed = |kind: ErrorKind, why: String| {
        let command = format!("{program} {}", arguments.join(" "));
        NipartError::new(kind, format!("{}: {why}", command.trim_end()))
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        // Lines are broken at this width.
        .env("COLUMNS", "60000")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match timeout(LIMIT, command.output()).await {
        Err(_) => {
            let why = format!("it has not ended within {} s", LIMIT.as_secs());
            return Err(failed(ErrorKind::Timeout, why));
        }
        Ok(Err(error)) => return Err(failed(ErrorKind::NotSupported, error.to_string())),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = format!("{}: {}", output.status, said.trim());
        return Err(failed(ErrorKind::NotSupported, why));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
