// SPDX-License-Identifier: Apache-2.0

//! The plugin around [`Names`]: one question after the other.

use nipart_plugin_sdk::Plugin;
use nipart_schemas::error::NipartError;
use nipart_schemas::event::EventData;

use crate::{Names, Paths};

/// Answers `query` and `execute` until the daemon ends the plugin.
///
/// # Errors
/// None of its own: what fails is an answer.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let environment = plugin.environment();
    let paths = Paths::from_process(&environment.run_dir, &environment.state_dir);
    let names = Names::open(paths);
    while let Some(incoming) = plugin.next().await {
        let question = incoming.question;
        match incoming.data {
            EventData::Query(_) => {
                let state = names.query().await;
                let answer = state.map(|state| EventData::State(Box::new(state.into())));
                question.finish(answer).await;
            }
            // Nobody counts on a plan any more whose asker has gone, so it must not come as a surprise.
            EventData::Execute(_) if question.cancellation().is_cancelled() => {}
            EventData::Execute(plan) => {
                let report = names.execute(&plan).await;
                question.answer(EventData::Executed(Box::new(report))).await;
            }
            other => question.refuse(&other).await,
        }
    }
    Ok(())
}
