// SPDX-License-Identifier: Apache-2.0

//! Files of captured states, as nmstate writes them: `policy --captured` reads one, `--output-captured` writes one.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::SystemTime;

use nipart_policy::Captured;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arguments::StateFormat;
use crate::failure::{Failure, defect};
use crate::input;
use crate::output::date_and_time;
use crate::pretty::pretty_json;

/// The only version of the format that there is.
const VERSION: &str = "0";

/// One capture in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry<State> {
    meta_info: MetaInfo,
    state: State,
}

/// When it was captured.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaInfo {
    /// RFC 3339, in UTC.
    time: String,
    version: String,
}

/// Reads such a file.
pub(crate) fn read(file: &Path) -> Result<Captured, Failure> {
    let (_, entries) = input::read_as::<BTreeMap<String, Entry<NetworkState>>>(file)?;
    let mut captured = Captured::new();
    for (name, entry) in entries {
        let state = serde_json::to_value(entry.state).map_err(|error| defect(&error))?;
        captured.insert(name, state);
    }
    Ok(captured)
}

/// Writes such a file, for its owner only: a state may have keys in it.
pub(crate) fn write(file: &Path, captured: &Captured, format: StateFormat) -> Result<(), Failure> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let meta_info = MetaInfo {
        time: date_and_time(u64::try_from(now.as_micros()).unwrap_or_default()),
        version: VERSION.to_string(),
    };
    let entries: BTreeMap<&str, Entry<&Value>> = captured
        .iter()
        .map(|(name, state)| {
            let meta_info = meta_info.clone();
            (name.as_str(), Entry { meta_info, state })
        })
        .collect();
    let json = serde_json::to_string(&entries).map_err(|error| defect(&error))?;
    let text = match format {
        StateFormat::Json => pretty_json(&json),
        _ => yaml::json_to_yaml(&json).map_err(|error| defect(&error))?,
    };
    write_text(file, &text).map_err(|error| {
        let message = format!("can't write {}: {error}", file.display());
        NipartError::new(ErrorKind::Storage, message).into()
    })
}

fn write_text(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}
