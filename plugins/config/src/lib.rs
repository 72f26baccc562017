// SPDX-License-Identifier: Apache-2.0

//! Nipart's config plugin.

use nipart_plugin_sdk::Plugin;
use nipart_schemas::error::NipartError;

/// Runs until the daemon has gone or asks to finish.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    while let Some(incoming) = plugin.next().await {
        incoming.question.refuse(&incoming.data).await;
    }
    Ok(())
}
