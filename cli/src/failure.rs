// SPDX-License-Identifier: Apache-2.0

//! What went wrong: the report on standard error, and the exit code.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::yaml::{self, ParseError};

use crate::input::Document;
use crate::report;

/// `diff` has found differences; `status`, something that isn't in sync.
pub(crate) const DIFFERENCES: u8 = 1;

/// The exit code of each kind of error. 2 is clap's, for wrong usage.
pub fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::InvalidArgument => 3,
        ErrorKind::NotSupported => 4,
        ErrorKind::PermissionDenied => 5,
        ErrorKind::NotFound => 6,
        ErrorKind::Busy => 7,
        ErrorKind::Timeout => 8,
        ErrorKind::Cancelled => 9,
        ErrorKind::PluginFailure => 10,
        ErrorKind::KernelRefused => 11,
        ErrorKind::VerificationFailed => 12,
        ErrorKind::DaemonUnreachable => 13,
        ErrorKind::Storage => 14,
        ErrorKind::Protocol => 15,
        ErrorKind::Bug => 16,
        // A kind that a newer daemon may have.
        _ => 16,
    }
}

/// Why the command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error, with the place in the user's document where it has one.
    Error(Box<NipartError>, Option<Place>),
    /// Whoever read our output has had enough.
    BrokenPipe,
}

/// A place in the user's document.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) document: Arc<Document>,
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
}

impl Failure {
    /// The document was refused by the parser.
    pub(crate) fn refused_document(document: Arc<Document>, error: ParseError) -> Self {
        let place = Place {
            document,
            line: error.line,
            column: error.column,
        };
        let mut refused = NipartError::new(ErrorKind::InvalidArgument, error.message);
        refused.path = error.path;
        Self::Error(Box::new(refused), Some(place))
    }

    /// The document was refused by the daemon, or couldn't be made so.
    pub(crate) fn of_document(document: &Arc<Document>, error: NipartError) -> Self {
        let found = error.path.as_deref().and_then(|path| match document.root {
            "" => yaml::locate(&document.text, path),
            root => yaml::locate(&document.text, &format!("{root}.{path}")),
        });
        let place = found.map(|(line, column)| Place {
            document: Arc::clone(document),
            line,
            column,
        });
        Self::Error(Box::new(error), place)
    }

    /// The same, where the error's path in the document is another.
    pub(crate) fn relocated(
        self,
        document: &Arc<Document>,
        change: impl FnOnce(NipartError) -> NipartError,
    ) -> Self {
        match self {
            Self::Error(error, _) => Self::of_document(document, change(*error)),
            Self::BrokenPipe => self,
        }
    }

    /// The same with one more line of facts.
    pub(crate) fn note(self, note: String) -> Self {
        match self {
            Self::Error(error, place) => Self::Error(Box::new(error.note(note)), place),
            Self::BrokenPipe => self,
        }
    }

    /// Whether the document has to be written otherwise.
    pub(crate) fn is_mistake(&self) -> bool {
        match self {
            Self::Error(error, _) => matches!(
                error.kind,
                ErrorKind::InvalidArgument | ErrorKind::NotSupported | ErrorKind::NotFound
            ),
            Self::BrokenPipe => false,
        }
    }

    /// Reports, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::BrokenPipe => ExitCode::SUCCESS,
            Self::Error(error, place) => {
                // Nobody to tell when standard error is closed.
                let _ = writeln!(
                    anstream::stderr(),
                    "{}",
                    report::render(error, place.as_ref())
                );
                ExitCode::from(exit_code(error.kind))
            }
        }
    }
}

impl From<NipartError> for Failure {
    fn from(error: NipartError) -> Self {
        Self::Error(Box::new(error), None)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => NipartError::new(ErrorKind::Storage, format!("can't write: {error}")).into(),
        }
    }
}

/// A file that can't be read, written, or found.
pub(crate) fn storage(doing: &str, path: &Path, error: &io::Error) -> NipartError {
    NipartError::new(
        ErrorKind::Storage,
        format!("can't {doing} {}: {error}", path.display()),
    )
}

/// What can't happen has happened.
pub(crate) fn defect(error: &impl fmt::Display) -> Failure {
    NipartError::new(ErrorKind::Bug, error.to_string()).into()
}
