// SPDX-License-Identifier: Apache-2.0

//! The plugin: one owner, one loop.

use nipart_plugin_sdk::{Incoming, Plugin};
use nipart_schemas::error::NipartError;
use nipart_schemas::event::EventData;

use crate::{Monitor, News, Telling};

/// Runs until the daemon has gone or asks to finish.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let mut monitor = Monitor::open()?;
    loop {
        let tellings = tokio::select! {
            incoming = plugin.next() => match incoming {
                Some(incoming) => serve(&mut monitor, incoming).await,
                None => return Ok(()),
            },
            news = monitor.next() => news?,
        };
        tell(&plugin, tellings).await;
    }
}

async fn serve(monitor: &mut Monitor, incoming: Incoming) -> Vec<News> {
    let EventData::SetMonitorRules(rules) = incoming.data else {
        incoming.question.refuse(&incoming.data).await;
        return Vec::new();
    };
    let (answer, tellings) = match monitor.set_rules(rules).await {
        Ok(tellings) => (
            Ok(EventData::Done),
            tellings.into_iter().map(News::Link).collect(),
        ),
        Err(error) => (Err(error), Vec::new()),
    };
    incoming.question.finish(answer).await;
    tellings
}

/// Each change starts a chain of its own.
async fn tell(plugin: &Plugin, news: Vec<News>) {
    let handle = plugin.handle();
    for news in news {
        let (followup, data) = match news {
            News::Link(Telling { followup, change }) => (followup, EventData::LinkChanged(change)),
            News::Changed { followup, names } => (followup, EventData::LinksChanged(names)),
        };
        if let Err(error) = handle.tell(&plugin.new_chain(), followup, data).await {
            tracing::warn!(%error, "a change of a link could not be told");
        }
    }
}
