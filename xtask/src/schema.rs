// SPDX-License-Identifier: Apache-2.0

//! The JSON Schema of network states, for editors and for programs that write states.

use std::fs;
use std::io;
use std::path::PathBuf;

use nipart_schemas::network_state::NetworkState;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/nipart.schema.json")
}

fn text() -> io::Result<String> {
    let schema = schemars::schema_for!(NetworkState);
    let text = serde_json::to_string_pretty(&schema)?;
    Ok(format!("{text}\n"))
}

/// Writes the schema to where it is checked in.
pub(crate) fn write() -> io::Result<()> {
    fs::write(path(), text()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_fresh() {
        let written = fs::read_to_string(path()).unwrap_or_default();
        assert!(
            written == text().unwrap(),
            "schemas/nipart.schema.json is stale: run `cargo xtask schema`"
        );
    }

    #[test]
    fn pages_can_be_made() {
        let folder = std::env::temp_dir().join(format!("nipart-pages-{}", std::process::id()));
        crate::pages::write_manuals(&folder).unwrap();
        crate::pages::write_completions(&folder).unwrap();
        for name in [
            "nipartctl.1",
            "nipartctl-apply.1",
            "_nipartctl",
            "nipartctl.bash",
        ] {
            assert!(folder.join(name).exists(), "{name}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
