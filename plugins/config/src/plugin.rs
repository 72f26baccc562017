// SPDX-License-Identifier: Apache-2.0

//! The plugin around [`Store`].

use nipart_plugin_sdk::Plugin;
use nipart_schemas::error::NipartError;
use nipart_schemas::event::EventData;

use crate::store::Store;

/// Answers for the store until the daemon ends the plugin.
///
/// # Errors
/// When the store can't be opened.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let environment = plugin.environment();
    let mut store = Store::open(
        &environment.state_dir,
        &environment.run_dir,
        &environment.states_dir,
    )?;
    while let Some(incoming) = plugin.next().await {
        let answer = match incoming.data {
            EventData::LoadSaved(scope) => store
                .load(&scope)
                .map(|saved| EventData::Saved(Box::new(saved))),
            EventData::OpenJournal(journal) => {
                store.open_journal(*journal).map(|()| EventData::Done)
            }
            EventData::CloseJournal(closing) => {
                store.close_journal(&closing).map(|()| EventData::Done)
            }
            EventData::History(request) => store
                .history(&request)
                .map(|report| EventData::HistoryReport(Box::new(report))),
            other => {
                incoming.question.refuse(&other).await;
                continue;
            }
        };
        incoming.question.finish(answer).await;
    }
    Ok(())
}
