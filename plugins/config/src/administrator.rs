// SPDX-License-Identifier: Apache-2.0

//! The files that administrators write: `/etc/nipart/states/*.yml`, in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};

use nipart_schemas::interface::InterfaceState;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::route::Route;
use nipart_schemas::yaml;

use crate::durable;

/// All files of the directory laid over each other, later names on top. One that doesn't parse is left out, loudly:
/// it must not keep the others from being applied. What is wanted absent in the end is in it as such.
pub fn read(directory: &Path) -> NetworkState {
    files(directory)
        .iter()
        .fold(NetworkState::default(), |below, path| {
            match read_one(path) {
                Ok(state) => with_absent(&state, &below),
                Err(problem) => {
                    tracing::error!("{} is left out: {problem}", path.display());
                    below
                }
            }
        })
}

/// `upper` over `below`, with the interfaces, routes and rules that it wants absent.
fn with_absent(upper: &NetworkState, below: &NetworkState) -> NetworkState {
    let mut state = upper.laid_over(below);
    let interfaces = upper.interfaces.iter();
    let absent = interfaces.filter(|each| each.wanted_state() == InterfaceState::Absent);
    state.interfaces.extend(absent.cloned());
    let routes = upper.config_routes().iter();
    let absent: Vec<Route> = routes.filter(|route| route.is_absent()).cloned().collect();
    if !absent.is_empty() {
        let routes = state.routes.get_or_insert_default();
        routes.config.get_or_insert_default().extend(absent);
    }
    let rules = upper.rules().iter();
    state.add_rules(rules.filter(|rule| rule.is_absent()).cloned().collect());
    state
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yml" || extension == "yaml")
        })
        .collect();
    paths.sort();
    paths
}

fn read_one(path: &Path) -> Result<NetworkState, String> {
    let text = durable::read(path)
        .map_err(|error| error.message)?
        .unwrap_or_default();
    yaml::parse(&text).map_err(|error| error.to_string())
}
