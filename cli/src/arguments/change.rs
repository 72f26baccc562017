// SPDX-License-Identifier: Apache-2.0

//! Arguments of whatever changes the network: `apply`, `history revert`, `history rollback`.

use std::path::PathBuf;

use clap::Args;

use super::ReportFormat;

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// Files in YAML or JSON, applied one after the other; - is standard input. All are checked before the first is
    /// applied
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How to do it
    #[command(flatten)]
    pub change: ChangeArguments,
    /// Don't ask the daemon: do the same work in this process, and quit. Not while nipartd is running, and not for DHCP,
    /// which needs somebody to renew leases
    #[arg(long, conflicts_with_all = ["confirm", "no_commit"])]
    pub no_daemon: bool,
    /// With --no-daemon: where state is saved
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/var/lib/nipart",
        requires = "no_daemon"
    )]
    pub state_dir: PathBuf,
    /// With --no-daemon: where state is kept that a reboot ends
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/run/nipart",
        requires = "no_daemon"
    )]
    pub run_dir: PathBuf,
    /// With --no-daemon: where the administrator's files are
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/etc/nipart/states",
        requires = "no_daemon"
    )]
    pub states_dir: PathBuf,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
pub struct EditArguments {
    /// Only these interfaces and routes through them; patterns with * and ? are fine
    #[arg(value_name = "INTERFACE")]
    pub interfaces: Vec<String>,
    /// How to apply what was changed
    #[command(flatten)]
    pub change: ChangeArguments,
}

/// How a change is made.
#[derive(Debug, Args)]
pub struct ChangeArguments {
    /// Don't check the outcome
    #[arg(long)]
    pub no_verify: bool,
    /// Don't save: gone at the next start
    #[arg(long, alias = "kernel", short_alias = 'k')]
    pub memory_only: bool,
    /// Ask whether to keep the change, and take it back unless the answer is yes within so many seconds. Where there is
    /// no terminal to ask on: like --no-commit, with this time
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_commit", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub confirm: Option<u32>,
    /// Leave a checkpoint: the change is taken back after --timeout seconds unless it is committed
    #[arg(long)]
    pub no_commit: bool,
    /// Fail at once when another change holds one of the interfaces, rather than wait for it
    #[arg(long)]
    pub no_wait: bool,
    /// What the change is for, for the history
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Give up, and undo everything, after so many seconds [default: 120]. With --no-commit: the time to commit it
    /// [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: Option<u32>,
    /// How to write the report
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: ReportFormat,
}
