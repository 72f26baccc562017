// SPDX-License-Identifier: Apache-2.0

//! `show` and `gr`: the state passes as text from the daemon to the output, never built up as a tree for YAML.

use std::process::ExitCode;

use nipart_api::call::{PlanParameters, ShowParameters};
use nipart_api::client::Client;
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::revert;
use nipart_schemas::yaml;

use super::policy;
use super::running_config::running_config;
use crate::arguments::StateFormat;
use crate::failure::{Failure, defect};
use crate::input::Wanted;
use crate::output::{Table, note, plain, styled};
use crate::pretty::pretty_json;

pub(super) async fn run(
    mut client: Client,
    parameters: &ShowParameters,
    only_config: bool,
    format: StateFormat,
) -> Result<ExitCode, Failure> {
    let json = client.show(parameters).await?;
    if !only_config {
        return write(&json, format);
    }
    let running = serde_json::from_str(&json).map_err(|error| defect(&error))?;
    state(&running_config(running), format)
}

/// `gr`: what would undo a file.
pub(super) async fn revert(
    mut client: Client,
    wanted: Wanted,
    format: StateFormat,
) -> Result<ExitCode, Failure> {
    let input = policy::resolve(&mut client, wanted).await?;
    let parameters = PlanParameters { state: input.state };
    let json = client
        .generate_revert(&parameters)
        .await
        .map_err(|error| Failure::of_document(&input.document, error))?;
    for name in raised(&mut client, &json).await? {
        let text = format!("{name} is down now and comes back up: a state can't say otherwise");
        if format == StateFormat::Yaml {
            plain(&format!("# {text}\n"))?;
        }
        note(&text);
    }
    write(&json, format)
}

/// The interfaces that the revert brings back otherwise than they are.
async fn raised(client: &mut Client, revert: &str) -> Result<Vec<String>, Failure> {
    let revert: NetworkState = serde_json::from_str(revert).map_err(|error| defect(&error))?;
    let is_up = |back: &&Interface| back.wanted_state() == InterfaceState::Up;
    let names = revert.interfaces.iter().filter(is_up);
    let names: Vec<String> = names.map(|back| back.name.clone()).collect();
    if names.is_empty() {
        return Ok(names);
    }
    let parameters = ShowParameters {
        interfaces: Some(names),
        ..ShowParameters::default()
    };
    let current = client.show(&parameters).await?;
    let current = serde_json::from_str(&current).map_err(|error| defect(&error))?;
    let names = revert::raised(&revert, &current).into_iter();
    Ok(names.map(str::to_string).collect())
}

/// Writes a state that is at hand.
pub(super) fn state(state: &NetworkState, format: StateFormat) -> Result<ExitCode, Failure> {
    let json = serde_json::to_string(state).map_err(|error| defect(&error))?;
    write(&json, format)
}

fn write(json: &str, format: StateFormat) -> Result<ExitCode, Failure> {
    match format {
        StateFormat::Yaml => plain(&yaml::json_to_yaml(json).map_err(|error| defect(&error))?)?,
        StateFormat::Json => plain(&pretty_json(json))?,
        StateFormat::Table => {
            let state = serde_json::from_str(json).map_err(|error| defect(&error))?;
            styled(&table(&state))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn table(state: &NetworkState) -> String {
    let mut table = Table::new(&[
        "NAME",
        "TYPE",
        "STATE",
        "MTU",
        "MAC ADDRESS",
        "CONTROLLER",
        "ADDRESSES",
    ]);
    for interface in &state.interfaces {
        table.row(vec![
            interface.name.clone(),
            interface
                .interface_type
                .as_ref()
                .map_or(String::new(), ToString::to_string),
            state_word(interface).to_string(),
            interface.mtu.map_or(String::new(), |mtu| mtu.to_string()),
            interface
                .mac_address
                .as_ref()
                .map_or(String::new(), ToString::to_string),
            interface.controller.clone().unwrap_or_default(),
            addresses(interface),
        ]);
    }
    table.render()
}

fn state_word(interface: &Interface) -> &'static str {
    match interface.state {
        None => "",
        Some(InterfaceState::Up) => "up",
        Some(InterfaceState::Down) => "down",
        Some(InterfaceState::Absent) => "absent",
        Some(InterfaceState::Ignore) => "ignore",
    }
}

fn addresses(interface: &Interface) -> String {
    let ipv4 = interface.ipv4.iter().flat_map(|ipv4| &ipv4.address);
    let ipv6 = interface.ipv6.iter().flat_map(|ipv6| &ipv6.address);
    let all: Vec<String> = ipv4
        .flatten()
        .map(ToString::to_string)
        .chain(ipv6.flatten().map(ToString::to_string))
        .collect();
    all.join(", ")
}
