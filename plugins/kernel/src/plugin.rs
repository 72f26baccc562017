// SPDX-License-Identifier: Apache-2.0

//! The plugin: one owner, one loop.
//!
//! Plans and queries are worked on side by side, so that a long plan doesn't keep anybody from looking. Who wants the
//! state after a plan asks when the plan's answer is there.
//!
//! A plan whose asker has gone gets no answer that anybody waits for. Who looks then, to undo it, must not see the
//! middle of it: whatever is asked later waits for its end.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nipart_plugin_sdk::{EventContext, Handle, Incoming, Plugin};
use nipart_schemas::error::NipartError;
use nipart_schemas::event::{EventData, Role};

use crate::Kernel;
use crate::abandoned::Plans;

/// Questions that are worked on at the same time; further ones wait in the tunnel.
const QUESTIONS_MAX: usize = 32;
/// How long begun work may go on when the daemon has gone: half a plan helps nobody.
const FINISH_LIMIT: Duration = Duration::from_secs(5);

/// Runs until the daemon has gone or asks to finish.
pub async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let kernel = Kernel::open(&plugin.environment().run_dir).await?;
    kernel.agreements().take_up();
    let handle = plugin.handle();
    let plans = Plans::default();
    let mut work = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(()) = work.next() => {}
            interface = kernel.agreements().ended() => tell(&handle, interface).await,
            incoming = plugin.next(), if work.len() < QUESTIONS_MAX => match incoming {
                Some(incoming) => work.push(serve(&kernel, &plans, incoming)),
                None => break,
            },
        }
    }
    let rest = async { while work.next().await.is_some() {} };
    if tokio::time::timeout(FINISH_LIMIT, rest).await.is_err() {
        tracing::warn!("finishing although work is under way");
    }
    Ok(())
}

async fn tell(handle: &Handle, interface: String) {
    let context = EventContext::root(Role::Kernel);
    let data = EventData::KeyAgreementEnded(interface);
    // Without the daemon the plugin ends anyway.
    if let Err(error) = handle.tell(&context, Role::Commander, data).await {
        tracing::warn!("the end of a key agreement was not heard of: {error}");
    }
}

/// Answers one question. A plan is executed to its end although its asker may have gone.
async fn serve(kernel: &Kernel, plans: &Plans, incoming: Incoming) {
    let question = incoming.question;
    plans.no_abandoned().await;
    match incoming.data {
        EventData::Query(scope) => {
            let state = kernel.query(&scope).await;
            let answer = state.map(|state| EventData::State(Box::new(state.into())));
            question.finish(answer).await;
        }
        EventData::Execute(plan) => {
            let cancellation = question.cancellation();
            if cancellation.is_cancelled() {
                // Nobody counts on it any more, so it must not come as a surprise.
                return;
            }
            let begun = plans.begin(cancellation);
            let report = kernel.execute(&plan).await;
            drop(begun);
            question.answer(EventData::Executed(Box::new(report))).await;
        }
        other => question.refuse(&other).await,
    }
}
