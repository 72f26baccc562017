// SPDX-License-Identifier: Apache-2.0

//! The one error that crosses process boundaries.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, coarse enough for a program to act on. Each kind has its own exit code in `nipartctl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is refused: syntax, unknown key, bad value, contradiction. Nothing was changed.
    InvalidArgument,
    /// The input is fine but this kernel or this version can't do it. Nothing was changed.
    NotSupported,
    /// The caller may not do this.
    PermissionDenied,
    /// A named object (interface, trace, plugin) doesn't exist.
    NotFound,
    /// Somebody else holds what is needed.
    Busy,
    /// The deadline passed.
    Timeout,
    /// The asker has gone or cancelled.
    Cancelled,
    /// A plugin died, refuses, or can't be reached.
    PluginFailure,
    /// The kernel refused an operation.
    KernelRefused,
    /// The outcome differs from what was wanted.
    VerificationFailed,
    /// The daemon can't be reached.
    DaemonUnreachable,
    /// Reading or writing files failed.
    Storage,
    /// A peer broke the protocol.
    Protocol,
    /// A defect in Nipart itself.
    Bug,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InvalidArgument => "invalid argument",
            Self::NotSupported => "not supported",
            Self::PermissionDenied => "permission denied",
            Self::NotFound => "not found",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::PluginFailure => "plugin failure",
            Self::KernelRefused => "kernel refused",
            Self::VerificationFailed => "verification failed",
            Self::DaemonUnreachable => "daemon unreachable",
            Self::Storage => "storage",
            Self::Protocol => "protocol",
            Self::Bug => "bug",
        })
    }
}

/// An error as it is sent between processes and shown to users.
///
/// `message` says what was being done, to which object, and why it failed, in the kernel's own words where
/// the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NipartError {
    /// What a program acts on.
    pub kind: ErrorKind,
    /// What a person reads: one sentence, no trailing period.
    pub message: String,
    /// Where in the user's document, such as `interfaces[2].bridge.port[0].name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Further facts, each a line: what else failed, what was undone, what to do now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl NipartError {
    /// An error of `kind` that reads `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            path: None,
            notes: Vec::new(),
        }
    }

    /// The user's document is refused at `path`.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message).at(path)
    }

    /// The same error, located at `path` in the user's document.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same error with one more line of facts.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same error, saying first what was being done.
    #[must_use]
    pub fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for NipartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(formatter, "{}: {path}: {}", self.kind, self.message)?,
            None => write!(formatter, "{}: {}", self.kind, self.message)?,
        }
        for note in &self.notes {
            write!(formatter, "\n  {note}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NipartError {}
