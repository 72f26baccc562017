// SPDX-License-Identifier: Apache-2.0

//! `nmstate.conf`, as nmstate.service(8) describes it: a section `[service]` with two switches.

use std::path::Path;

use nipart_config::durable;
use nipart_schemas::error::{ErrorKind, NipartError};

/// What is done with files that were applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ServiceSettings {
    /// Keep the file, and write a copy whose name ends with `.applied`; otherwise the file is renamed so.
    pub(super) keep_state_file_after_apply: bool,
}

impl ServiceSettings {
    /// The settings of the file; the usual ones where there is none.
    pub(super) fn read(path: &Path) -> Result<Self, NipartError> {
        let text = durable::read(path)?.unwrap_or_default();
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, NipartError> {
        let mut settings = Self::default();
        let mut section = "";
        for (index, line) in text.lines().enumerate() {
            let refuse = |kind: ErrorKind, why: String| {
                let place = format!("{}, line {}", path.display(), index + 1);
                Err(NipartError::new(kind, format!("{place}: {why}")))
            };
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                section = name.trim();
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return refuse(
                    ErrorKind::InvalidArgument,
                    format!("{line:?} is no setting, expected KEY = VALUE"),
                );
            };
            let (key, value) = (key.trim(), value.trim());
            let is_on = match value.to_ascii_lowercase().as_str() {
                "true" => true,
                "false" => false,
                _ => {
                    return refuse(
                        ErrorKind::InvalidArgument,
                        format!("{key} is {value:?}, expected true or false"),
                    );
                }
            };
            match (section, key) {
                ("service", "keep_state_file_after_apply") => {
                    settings.keep_state_file_after_apply = is_on;
                }
                ("service", "override_iface") if !is_on => {}
                ("service", "override_iface") => {
                    return refuse(
                        ErrorKind::NotSupported,
                        "override_iface is not supported: what a file doesn't say stays as it is"
                            .to_string(),
                    );
                }
                _ => {
                    return refuse(
                        ErrorKind::InvalidArgument,
                        format!(
                            "unknown setting `{key}` in section [{section}], expected one of \
                             `keep_state_file_after_apply`, `override_iface` in section [service]"
                        ),
                    );
                }
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_understood_or_refused() {
        let parse = |text: &str| ServiceSettings::parse(text, Path::new("nmstate.conf"));
        for (text, expected) in [
            ("", false),
            ("# nothing\n\n[service]\n", false),
            (
                "[service]\nkeep_state_file_after_apply = true\noverride_iface=false\n",
                true,
            ),
            (
                "[service]\n; no\nkeep_state_file_after_apply=False\n",
                false,
            ),
        ] {
            let settings = parse(text).unwrap();
            assert_eq!(settings.keep_state_file_after_apply, expected, "{text}");
        }
        for (text, kind, expected) in [
            (
                "[service]\nkeep",
                ErrorKind::InvalidArgument,
                "nmstate.conf, line 2: \"keep\" is no setting",
            ),
            (
                "keep_state_file_after_apply = true",
                ErrorKind::InvalidArgument,
                "in section []",
            ),
            (
                "[service]\nkeep_state_file_after_apply = maybe",
                ErrorKind::InvalidArgument,
                "expected true or false",
            ),
            (
                "[service]\noverride_iface = true",
                ErrorKind::NotSupported,
                "not supported",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind, kind, "{text}");
            assert!(error.message.contains(expected), "{error}");
        }
    }
}
