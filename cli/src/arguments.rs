// SPDX-License-Identifier: Apache-2.0

//! What can be typed. Words follow `nmstatectl` where it has them.

mod change;
mod files;
mod history;
mod nmstate;
mod policy;

use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use self::change::{ApplyArguments, ChangeArguments, EditArguments};
pub use self::files::{FormatArguments, StatisticArguments, ValidateArguments};
pub use self::history::{
    CheckpointCommand, EndArguments, HistoryArguments, HistoryCommand, HistoryListArguments,
};
pub use self::nmstate::{PersistArguments, ServiceArguments};
pub use self::policy::PolicyArguments;

/// Show and change the network through nipartd.
#[derive(Debug, Parser)]
#[command(name = "nipartctl", version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Arguments {
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 success, 1 differences found (diff, history diff) or something not in sync (status), 2 wrong usage, 3 invalid argument, 4 not supported, 5 permission \
denied, 6 not found, 7 busy, 8 timeout, 9 cancelled, 10 plugin failure, 11 kernel refused, 12 verification failed, \
13 daemon unreachable, 14 storage, 15 protocol, 16 defect of Nipart.";

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Where nipartd listens
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "NIPART_SOCKET_PATH",
        default_value = nipart_api::DEFAULT_SOCKET
    )]
    pub socket: PathBuf,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// No notes on standard error: only errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More of what is done, or would be
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    pub(crate) fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the network
    #[command(visible_alias = "s")]
    Show(ShowArguments),
    /// Make the network as a file says: all of it, verified, or nothing
    Apply(ApplyArguments),
    /// The same as apply, by its old name
    #[command(hide = true)]
    Set(ApplyArguments),
    /// Show what apply would change, without changing it
    Plan(PlanArguments),
    /// Edit what is set of the running network; what was changed is applied
    Edit(EditArguments),
    /// Check a file as apply would, without changing anything
    Validate(ValidateArguments),
    /// Write a file in the canonical form
    #[command(visible_aliases = ["f", "fmt"])]
    Format(FormatArguments),
    /// Tell which types of interfaces stand upon which in files, and which features they use
    Statistic(StatisticArguments),
    /// Compare a file with the running network; exit code 1 when they differ
    Diff(DiffArguments),
    /// Show the state that a policy means for the network as it is
    #[command(visible_alias = "p")]
    Policy(PolicyArguments),
    /// Keep what was applied with --no-commit or --confirm
    Commit(EndArguments),
    /// Take back what was applied with --no-commit or --confirm
    Rollback(EndArguments),
    /// Look at changes that wait to be committed
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Tell whether the network is as saved; exit code 1 when anything is not
    Status(StatusArguments),
    /// Generate the revert of a file: the state that undoes it, if it were applied now
    #[command(name = "gr")]
    GenerateRevert(GenerateRevertArguments),
    /// Look at committed changes, and undo them
    History(HistoryArguments),
    /// Look at the daemon's plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Look into what was done for a request, event by event
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Follow events live
    Monitor(MonitorArguments),
    /// Apply the files of a folder, once each, as nmstate.service does
    Service(ServiceArguments),
    /// Keep the names that network cards have now, by .link files of systemd
    PersistNicNames(PersistArguments),
    /// Ask whether the daemon answers
    Ping,
    /// Show the versions of nipartctl and of the daemon
    Version,
}

/// How to write what is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StateFormat {
    /// YAML, as apply reads it
    #[default]
    Yaml,
    /// JSON
    Json,
    /// A line for each interface
    Table,
}

/// How to write a state.
#[derive(Debug, Args)]
pub struct StateOutput {
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    output: StateFormat,
    /// The same as --output json
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

impl StateOutput {
    pub(crate) fn format(&self) -> StateFormat {
        match self.json {
            true => StateFormat::Json,
            false => self.output,
        }
    }
}

/// How to write lists and reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// Only these interfaces and routes through them; patterns with * and ? are fine
    #[arg(value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// Only what the kernel knows
    #[arg(short, long, conflicts_with = "saved")]
    pub kernel: bool,
    /// Only what is set: nothing that is leased, advertised, made by the kernel, or shown only
    #[arg(short, long, conflicts_with = "saved")]
    pub running_config: bool,
    /// What is saved, rather than what is running
    #[arg(long)]
    pub saved: bool,
    /// Keys instead of `<hidden>`: for those who may change the network
    #[arg(short, long)]
    pub show_secrets: bool,
    /// How to write it
    #[command(flatten)]
    pub output: StateOutput,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Files in YAML or JSON; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// A file in YAML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// How to write it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}

/// Arguments of `gr`.
#[derive(Debug, Args)]
pub struct GenerateRevertArguments {
    /// A file in YAML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How to write it
    #[command(flatten)]
    pub output: StateOutput,
}

/// What to do with plugins.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List all plugins
    List {
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
}

/// What to do with traces.
#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// List the newest requests that the daemon remembers
    List {
        /// At most so many
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = nipart_api::DEFAULT_TRACES)]
        limit: usize,
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
    /// Show every event of a request
    Show {
        /// The request's id or its beginning; "last" is the newest apply, plan or show
        id: String,
        /// How to write it
        #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
        output: ReportFormat,
    },
}

/// Arguments of `monitor`.
#[derive(Debug, Args)]
pub struct MonitorArguments {
    /// How to write it: json is one line for each event
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}

#[cfg(test)]
mod tests;
