// SPDX-License-Identifier: Apache-2.0

//! Files that say what is wanted: states, and policies that stand for one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use nipart_policy::{Policy, is_policy};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::yaml::{self, ParseError};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Largest file that is read, in bytes.
const MAX_FILE_LENGTH: u64 = 48 * 1024 * 1024;

/// A file as it was read, for reports on it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The path of the state in it; empty where it is nothing else.
    pub(crate) root: &'static str,
}

/// A file, understood.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) document: Arc<Document>,
    pub(crate) state: NetworkState,
}

/// A file with a policy, understood.
#[derive(Debug)]
pub(crate) struct PolicyInput {
    pub(crate) document: Arc<Document>,
    pub(crate) policy: Policy,
}

/// What a file says is wanted.
#[derive(Debug)]
pub(crate) enum Wanted {
    State(Input),
    Policy(PolicyInput),
}

impl Wanted {
    pub(crate) fn document(&self) -> &Arc<Document> {
        match self {
            Self::State(input) => &input.document,
            Self::Policy(input) => &input.document,
        }
    }
}

impl PolicyInput {
    /// The state that it means for a network that is as `current` says.
    pub(crate) fn resolve(self, current: &NetworkState) -> Result<Input, Failure> {
        let Self { document, policy } = self;
        match policy.resolve(policy.current().unwrap_or(current)) {
            Ok(state) => Ok(Input { document, state }),
            Err(error) => Err(Failure::refused_document(document, error)),
        }
    }
}

/// Reads what each of the files says is wanted.
pub(crate) fn read_all(files: &[impl AsRef<Path>]) -> Result<Vec<Wanted>, Failure> {
    files
        .iter()
        .map(|file| read_wanted(file.as_ref()))
        .collect()
}

/// Reads a state or a policy.
pub(crate) fn read_wanted(file: &Path) -> Result<Wanted, Failure> {
    let document = read_document(file)?;
    match yaml::parse(&document.text) {
        Ok(state) => Ok(Wanted::State(Input {
            document: document.into(),
            state,
        })),
        // No policy is a state, and few files are policies.
        Err(_) if is_policy(&document.text) => parse_policy(document).map(Wanted::Policy),
        Err(error) => Err(refused(document, error)),
    }
}

/// Reads a state.
pub(crate) fn read(file: &Path) -> Result<Input, Failure> {
    let (document, state) = read_as(file)?;
    Ok(Input { document, state })
}

/// Reads a policy.
pub(crate) fn read_policy(file: &Path) -> Result<PolicyInput, Failure> {
    parse_policy(read_document(file)?)
}

/// Reads whatever is written in a file.
pub(crate) fn read_as<T: DeserializeOwned>(file: &Path) -> Result<(Arc<Document>, T), Failure> {
    let document = read_document(file)?;
    match yaml::parse(&document.text) {
        Ok(value) => Ok((document.into(), value)),
        Err(error) => Err(refused(document, error)),
    }
}

fn parse_policy(mut document: Document) -> Result<PolicyInput, Failure> {
    match Policy::parse(&document.text) {
        Ok(policy) => {
            document.root = policy.root();
            Ok(PolicyInput {
                document: document.into(),
                policy,
            })
        }
        Err(error) => Err(refused(document, error)),
    }
}

fn refused(document: Document, error: ParseError) -> Failure {
    Failure::refused_document(document.into(), error)
}

fn read_document(file: &Path) -> Result<Document, Failure> {
    let is_standard_input = file == Path::new("-");
    let name = match is_standard_input {
        true => "<standard input>".to_string(),
        false => file.display().to_string(),
    };
    let outcome = match is_standard_input {
        true => read_bytes(io::stdin().lock()),
        false => File::open(file).and_then(read_bytes),
    };
    let bytes = outcome.map_err(|error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            io::ErrorKind::FileTooLarge => ErrorKind::InvalidArgument,
            _ => ErrorKind::Storage,
        };
        NipartError::new(kind, format!("can't read {name}: {error}"))
    })?;
    let is_text = String::from_utf8(bytes);
    let (text, problem) = match is_text {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            (text, Some(valid))
        }
    };
    let document = Document {
        name,
        // Some editors begin a file with a mark of the order of its bytes, which UTF-8 doesn't need.
        text: text
            .strip_prefix('\u{feff}')
            .map_or(text.clone(), str::to_string),
        root: "",
    };
    match problem {
        None => Ok(document),
        Some(valid) => {
            let before = document.text.get(..valid).unwrap_or_default();
            let error = ParseError {
                line: before.lines().count().max(1),
                column: before.lines().last().unwrap_or_default().chars().count() + 1,
                message: "this is no text, expected UTF-8".to_string(),
                path: None,
            };
            Err(refused(document, error))
        }
    }
}

fn read_bytes(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = source.take(MAX_FILE_LENGTH + 1).read_to_end(&mut bytes)?;
    match u64::try_from(length) {
        Ok(length) if length <= MAX_FILE_LENGTH => Ok(bytes),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    }
}
