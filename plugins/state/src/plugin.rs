// SPDX-License-Identifier: Apache-2.0

//! The plugin around [`crate::decide`]: one question, one answer.

use nipart_plugin_sdk::Plugin;
use nipart_schemas::error::NipartError;
use nipart_schemas::event::EventData;

/// Answers `decide` until the daemon ends the plugin.
///
/// # Errors
/// None of its own: a refused state is an answer.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    while let Some(incoming) = plugin.next().await {
        match incoming.data {
            EventData::Decide(request) => {
                let decision =
                    crate::decide(&request).map(|decision| EventData::Decision(Box::new(decision)));
                incoming.question.finish(decision).await;
            }
            other => incoming.question.refuse(&other).await,
        }
    }
    Ok(())
}
