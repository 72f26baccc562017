// SPDX-License-Identifier: Apache-2.0

//! Arguments of `history` and `checkpoint`.

use clap::{Args, Subcommand};

use super::{ChangeArguments, ReportFormat};

/// What to do with checkpoints.
#[derive(Debug, Subcommand)]
pub enum CheckpointCommand {
    /// List the changes that wait to be committed, or that could not be taken back
    List {
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
    /// Give up a change that could not be taken back: the network stays as it is
    Forget {
        /// Its id or the beginning of it
        checkpoint: String,
    },
}

/// Which checkpoint to end.
#[derive(Debug, Args)]
pub struct EndArguments {
    /// Its id or the beginning of it; without it, the newest
    pub checkpoint: Option<String>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArguments {
    /// Without a command: list
    #[command(subcommand)]
    pub command: Option<HistoryCommand>,
    /// What to list
    #[command(flatten)]
    pub list: HistoryListArguments,
}

/// What to do with the history.
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// List the newest committed changes
    List(HistoryListArguments),
    /// Show one change: what was asked for, and what undoes it
    Show {
        /// Its number
        id: u64,
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
    /// Compare what was saved after two changes; exit code 1 when it differs
    Diff {
        /// Number of the one
        from: u64,
        /// Number of the other
        to: u64,
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
    /// Undo one change, and keep those after it
    Revert {
        /// Its number
        id: u64,
        /// How to do it
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Undo all changes after this one
    Rollback {
        /// Its number
        id: u64,
        /// How to do it
        #[command(flatten)]
        change: ChangeArguments,
    },
}

/// Arguments of `history list`.
#[derive(Debug, Args)]
pub struct HistoryListArguments {
    /// At most so many
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = nipart_api::DEFAULT_HISTORY)]
    pub limit: usize,
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}
