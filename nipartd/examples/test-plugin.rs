// SPDX-License-Identifier: Apache-2.0

//! A plugin that does what the daemon's tests ask of it: `test-plugin ROLE`. Also the smallest plugin in Rust.
//!
//! As commander it takes a client's `show` as a script: `ask ROLE TEXT`, or `flood ROLE COUNT`. To anybody who asks it
//! `custom` it answers the same text, but for `pid`, `wait` (never answers), `cancelled` (how many waits were
//! cancelled), `hang` (stops working altogether) and `exit`.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use nipart_plugin_sdk::{EventContext, Handle, Plugin, Question, process, unexpected};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::network_state::NetworkState;
use serde_json::json;

fn main() -> ExitCode {
    let role = std::env::args().nth(1).unwrap_or_default();
    process::main(vec![Role::from(role)], "test", run)
}

async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
    let cancelled = Arc::new(AtomicU32::new(0));
    while let Some(incoming) = plugin.next().await {
        let question = incoming.question;
        match incoming.data {
            EventData::Custom(value) => {
                let text = value.as_str().unwrap_or_default().to_string();
                answer(question, text, &cancelled).await;
            }
            EventData::Show(request) => {
                let handle = plugin.handle();
                tokio::spawn(async move {
                    let mut cancellation = question.cancellation();
                    tokio::select! {
                        result = script(&handle, question.context(), &request.interfaces) => {
                            question.finish(result).await;
                        }
                        // Dropping the script cancels what it has asked.
                        () = cancellation.cancelled() => {}
                    }
                });
            }
            EventData::PluginChanged(_) => {}
            other => question.refuse(&other).await,
        }
    }
    Ok(())
}

async fn answer(question: Question, text: String, cancelled: &Arc<AtomicU32>) {
    let text = match text.as_str() {
        "pid" => std::process::id().to_string(),
        "cancelled" => cancelled.load(Ordering::Relaxed).to_string(),
        "exit" => std::process::exit(3),
        "hang" => {
            std::thread::sleep(Duration::from_secs(3600));
            text
        }
        "wait" => {
            let cancelled = Arc::clone(cancelled);
            tokio::spawn(async move {
                question.cancellation().cancelled().await;
                cancelled.fetch_add(1, Ordering::Relaxed);
            });
            return;
        }
        _ => text,
    };
    question.answer(EventData::Custom(json!(text))).await;
}

/// Answers with a state whose one interface has the result as its name.
async fn script(
    handle: &Handle,
    context: &EventContext,
    words: &[String],
) -> Result<EventData, NipartError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let text = match words[..] {
        ["ask", role, text] => ask(handle, context, role, text.to_string()).await?,
        ["flood", role, count] => {
            let megabyte = "x".repeat(1 << 20);
            let count = count.parse().unwrap_or(1);
            let asks = (0..count).map(|_| ask(handle, context, role, megabyte.clone()));
            let errors: Vec<NipartError> = join_all(asks)
                .await
                .into_iter()
                .filter_map(Result::err)
                .collect();
            match errors
                .iter()
                .find(|error| error.kind == ErrorKind::PluginFailure)
            {
                Some(error) => error.message.clone(),
                None => format!("{} errors", errors.len()),
            }
        }
        _ => return Err(NipartError::invalid("interfaces", "no such script")),
    };
    let state = json!({"interfaces": [{"name": text, "type": "ethernet"}]});
    let state: NetworkState = serde_json::from_value(state)
        .map_err(|error| NipartError::new(ErrorKind::Bug, error.to_string()))?;
    Ok(EventData::State(Box::new(state.into())))
}

async fn ask(
    handle: &Handle,
    context: &EventContext,
    role: &str,
    text: String,
) -> Result<String, NipartError> {
    let role = Role::from(role.to_string());
    let timeout = Duration::from_secs(20);
    let question = EventData::Custom(json!(text));
    match handle.ask(context, role.clone(), question, timeout).await? {
        EventData::Custom(value) => Ok(value.as_str().unwrap_or_default().to_string()),
        other => Err(unexpected(&role, &other)),
    }
}
