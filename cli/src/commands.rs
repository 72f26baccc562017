// SPDX-License-Identifier: Apache-2.0

//! The commands: each asks the daemon and writes the answer.

mod apply;
mod checkpoints;
mod confirmation;
mod difference;
mod edit;
mod file_peers;
mod history;
mod local;
mod monitor;
mod persist_nic_names;
mod plan;
mod plugins;
mod policy;
mod progress;
mod running_config;
mod service;
mod show;
mod statistic;
mod status;
mod traces;
mod validate;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use nipart_api::client::Client;

use crate::failure::Failure;
use crate::output::{duration_us, plain, uptime_ms};
use crate::request::{ApplyRequest, Request};

/// Does what was asked.
pub(crate) async fn run(socket: &Path, request: Request) -> Result<ExitCode, Failure> {
    match request {
        Request::Version => version(socket).await,
        Request::Apply(ApplyRequest {
            inputs,
            change,
            without_daemon: Some(directories),
        }) => local::run(inputs, &change, &directories).await,
        Request::Edit(interfaces, change) => edit::run(socket, interfaces, &change).await,
        Request::Service(folder, change) => service::run(socket, &folder, &change).await,
        Request::Persist(request) => persist_nic_names::run(&request).await,
        Request::Statistic {
            state,
            current,
            is_json,
        } => statistic::run(socket, &state, current, is_json).await,
        Request::Policy(request) => policy::run(socket, *request).await,
        Request::Validate(wanted, against, format) => {
            validate::run(socket, *wanted, against, format).await
        }
        Request::Format(input, format) => show::state(&input.state, format),
        request => ask(Client::connect(socket).await?, request).await,
    }
}

async fn ask(client: Client, request: Request) -> Result<ExitCode, Failure> {
    match request {
        Request::Show {
            parameters,
            only_config,
            format,
        } => show::run(client, &parameters, only_config, format).await,
        Request::Apply(request) => apply::run(client, request).await,
        Request::Plan {
            inputs,
            verbose,
            format,
        } => plan::run(client, inputs, verbose, format).await,
        Request::Diff(input, format) => plan::diff(client, input, format).await,
        Request::Commit(checkpoint) => checkpoints::commit(client, checkpoint).await,
        Request::Rollback(checkpoint) => checkpoints::rollback(client, checkpoint).await,
        Request::Forget(checkpoint) => checkpoints::forget(client, &checkpoint).await,
        Request::ListCheckpoints(format) => checkpoints::list(client, format).await,
        Request::Status(format) => status::run(client, format).await,
        Request::GenerateRevert(input, format) => show::revert(client, input, format).await,
        Request::History(request) => history::run(client, request).await,
        Request::ListPlugins(format) => plugins::list(client, format).await,
        Request::ListTraces(limit, format) => traces::list(client, limit, format).await,
        Request::ShowTrace(id, format) => traces::show(client, &id, format).await,
        Request::Monitor(format) => monitor::run(client, format).await,
        // Those that need no daemon were done before.
        Request::Ping
        | Request::Version
        | Request::Edit(..)
        | Request::Service(..)
        | Request::Persist(_)
        | Request::Statistic { .. }
        | Request::Policy(_)
        | Request::Format(..)
        | Request::Validate(..) => ping(client).await,
    }
}

async fn ping(mut client: Client) -> Result<ExitCode, Failure> {
    let asked = Instant::now();
    let pong = client.ping().await?;
    let answered = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
    plain(&format!(
        "nipartd {} answers after {}; running for {}; you {} apply\n",
        pong.version,
        duration_us(answered),
        uptime_ms(pong.uptime_ms),
        if pong.may_apply { "may" } else { "may not" },
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Works without a daemon too: its version is then not known.
async fn version(socket: &Path) -> Result<ExitCode, Failure> {
    let daemon = match Client::connect(socket).await {
        Ok(mut client) => client.ping().await.ok(),
        Err(_) => None,
    };
    let daemon = daemon.map_or("not reachable".to_string(), |pong| pong.version);
    plain(&format!(
        "nipartctl {}\nnipartd {daemon}\n",
        env!("CARGO_PKG_VERSION")
    ))?;
    Ok(ExitCode::SUCCESS)
}
