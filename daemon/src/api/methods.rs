// SPDX-License-Identifier: Apache-2.0

//! What each method asks of the core, and the replies made of its answers.

pub(super) mod change;
pub(super) mod history;

use std::collections::HashMap;
use std::fmt;

use nipart_api::call::{ListTracesParameters, PlanParameters, ShowParameters};
use nipart_api::reply::{self, CallError, Plugins, Pong, Trace, TraceEvent, TraceEvents, Traces};
use nipart_api::{DEFAULT_TRACES, READ_TIMEOUT};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::request::{PlanRequest, ShowRequest};
use nipart_schemas::trace::TraceSummary;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::peer::Peer;
use crate::handle::CoreHandle;

/// Requests of clients among the chains.
const CLIENT_REQUESTS: [&str; 3] = ["apply", "plan", "show"];

/// Shortest beginning of an id that is looked up.
const MIN_ID_LENGTH: usize = 4;

pub(super) fn ping(core: &CoreHandle, peer: Peer) -> Pong {
    Pong {
        version: core.version().to_string(),
        uptime_ms: u64::try_from(core.uptime().as_millis()).unwrap_or(u64::MAX),
        may_apply: peer.may_apply,
    }
}

pub(super) async fn show(
    core: &CoreHandle,
    peer: Peer,
    parameters: ShowParameters,
) -> Result<String, CallError> {
    let show_secrets = parameters.show_secrets == Some(true);
    if show_secrets && !peer.may_apply {
        let text = "secrets are shown to those only who may change the network";
        return Err(NipartError::new(ErrorKind::PermissionDenied, text).into());
    }
    let request = EventData::Show(ShowRequest {
        interfaces: parameters.interfaces.unwrap_or_default(),
        source: parameters.source.unwrap_or_default(),
        show_secrets,
    });
    let (_, answer) = core
        .call(Role::Commander, request, READ_TIMEOUT, None)
        .await?;
    Ok(reply::raw_message("state", content(&answer, "state")?))
}

pub(super) async fn plan(
    core: &CoreHandle,
    parameters: PlanParameters,
) -> Result<String, CallError> {
    let request = EventData::Plan(Box::new(PlanRequest {
        state: parameters.state,
    }));
    let (_, answer) = core
        .call(Role::Commander, request, READ_TIMEOUT, None)
        .await?;
    Ok(reply::raw_message("report", content(&answer, "planned")?))
}

pub(super) async fn plugins(core: &CoreHandle) -> Result<Plugins, CallError> {
    let plugins = core.plugins().await?.into_iter().map(Into::into).collect();
    Ok(Plugins { plugins })
}

pub(super) async fn traces(
    core: &CoreHandle,
    parameters: ListTracesParameters,
) -> Result<Traces, CallError> {
    let limit = parameters.limit.unwrap_or(DEFAULT_TRACES);
    let traces = core.traces(limit).await?;
    Ok(Traces {
        traces: traces.into_iter().map(Trace::from).collect(),
    })
}

pub(super) async fn trace(core: &CoreHandle, id: &str) -> Result<TraceEvents, CallError> {
    let chain = match Uuid::try_parse(id) {
        Ok(chain) => chain,
        Err(_) => find_chain(&core.traces(usize::MAX).await?, id)?,
    };
    let records = core.trace(chain).await?;
    Ok(TraceEvents {
        events: records.iter().map(TraceEvent::from).collect(),
    })
}

/// The chain that `id` means: the beginning of an id, or `last`. `summaries` are newest first.
fn find_chain(summaries: &[TraceSummary], id: &str) -> Result<Uuid, NipartError> {
    let not_found =
        |what: String| NipartError::new(ErrorKind::NotFound, format!("no trace of {what}"));
    let found = if id == "last" {
        summaries
            .iter()
            .find(|summary| CLIENT_REQUESTS.contains(&summary.kind.as_str()))
            .ok_or_else(|| not_found("a client's request".to_string()))?
    } else {
        let id = id.to_ascii_lowercase();
        let mut matching = summaries
            .iter()
            .filter(|summary| id.len() >= MIN_ID_LENGTH && summary.id.starts_with(&id));
        let found = matching.next().ok_or_else(|| {
            not_found(format!(
                "{id}: expected `last`, an id, or at least {MIN_ID_LENGTH} characters that one begins with"
            ))
        })?;
        let others = matching.count();
        if others > 0 {
            return Err(NipartError::new(
                ErrorKind::InvalidArgument,
                format!("{} traces begin with {id}", others + 1),
            ));
        }
        found
    };
    Uuid::try_parse(&found.id).map_err(|error| defect(&error))
}

/// What stands behind `tag` in an answer such as `{"state":{…}}`, unparsed.
fn content<'answer>(answer: &'answer RawValue, tag: &str) -> Result<&'answer str, NipartError> {
    let text = answer.get();
    // As our own plugins write it: nothing to parse in megabytes of state.
    let as_usual = text
        .strip_prefix("{\"")
        .and_then(|rest| rest.strip_prefix(tag))
        .and_then(|rest| rest.strip_prefix("\":"))
        .and_then(|rest| rest.strip_suffix('}'));
    if let Some(content) = as_usual {
        return Ok(content);
    }
    serde_json::from_str::<HashMap<&str, &RawValue>>(text)
        .ok()
        .and_then(|answer| answer.get(tag).map(|content| content.get()))
        .ok_or_else(|| {
            NipartError::new(
                ErrorKind::Protocol,
                format!("the commander's answer is no `{tag}`"),
            )
        })
}

/// What can't happen has happened.
pub(super) fn defect(error: &impl fmt::Display) -> NipartError {
    NipartError::new(ErrorKind::Bug, error.to_string())
}

#[cfg(test)]
mod tests {
    use nipart_schemas::event::EventState;

    use super::*;

    fn summary(id: &str, kind: &str) -> TraceSummary {
        TraceSummary {
            id: id.to_string(),
            kind: kind.to_string(),
            started_us: 0,
            duration_us: 0,
            state: EventState::Done,
            events: 1,
            bytes: 1,
        }
    }

    #[test]
    fn chains_are_found_by_the_beginning_of_their_id() {
        let summaries = [
            summary("018ec831-c729-7094-8a3a-3fdee2f00cdf", "link-changed"),
            summary("018ec831-c728-7094-8a3a-3fdee2f00cdf", "apply"),
            summary("018ec831-c727-7094-8a3a-3fdee2f00cdf", "show"),
        ];
        let find = |id: &str| find_chain(&summaries, id).map(|chain| chain.to_string());
        assert_eq!(find("last").unwrap(), summaries[1].id);
        assert_eq!(find("018EC831-C727").unwrap(), summaries[2].id);
        assert_eq!(
            find("018ec831").unwrap_err().kind,
            ErrorKind::InvalidArgument
        );
        assert_eq!(find("018").unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(find("").unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(find("ffff").unwrap_err().kind, ErrorKind::NotFound);
    }

    #[test]
    fn content_is_found_however_it_is_written() {
        for (text, expected) in [
            (r#"{"state":{"interfaces":[]}}"#, r#"{"interfaces":[]}"#),
            (r#"{ "state" : {} }"#, "{}"),
        ] {
            let answer: Box<RawValue> = serde_json::from_str(text).unwrap();
            assert_eq!(content(&answer, "state").unwrap(), expected);
        }
        for text in [r#""state""#, r#"{"applied":{}}"#, "[]"] {
            let answer: Box<RawValue> = serde_json::from_str(text).unwrap();
            assert_eq!(
                content(&answer, "state").unwrap_err().kind,
                ErrorKind::Protocol
            );
        }
    }
}
