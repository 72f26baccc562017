// SPDX-License-Identifier: Apache-2.0

//! What each source says, remembered until the next boot.

use std::path::Path;

use nipart_config::durable;
use nipart_plugin_sdk::codec;
use nipart_schemas::dns::DnsSource;
use nipart_schemas::error::{ErrorKind, NipartError};

/// Reads all sources; none when nothing was ever written.
pub(crate) fn read(path: &Path) -> Result<Vec<DnsSource>, NipartError> {
    let Some(text) = durable::read(path)? else {
        return Ok(Vec::new());
    };
    codec::json(&text).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("{} is damaged: {error}", path.display()),
        )
        .note("remove it, and apply what is wanted again")
    })
}

/// Writes all sources; without any, the file goes.
pub(crate) fn write(path: &Path, sources: &[DnsSource]) -> Result<(), NipartError> {
    if sources.is_empty() {
        return durable::remove(path);
    }
    let text = serde_json::to_string_pretty(sources).map_err(|error| {
        NipartError::new(
            ErrorKind::Bug,
            format!("write {} as JSON: {error}", path.display()),
        )
    })?;
    durable::replace(path, text.as_bytes(), None)
}
