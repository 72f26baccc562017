// SPDX-License-Identifier: Apache-2.0

//! Arguments of commands that look at files alone: `validate`, `format`, `statistic`.

use std::path::PathBuf;

use clap::Args;

use super::StateOutput;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// A file in YAML or JSON; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// Check it against the network that this file shows, rather than the one that nipartd sees
    #[arg(short, long, value_name = "FILE")]
    pub current: Option<PathBuf>,
    /// Ask nobody: take for granted that the links are there which the file speaks of
    #[arg(long, conflicts_with = "current")]
    pub offline: bool,
    /// How to write it
    #[command(flatten)]
    pub output: StateOutput,
}

/// Arguments of `format`.
#[derive(Debug, Args)]
pub struct FormatArguments {
    /// A file in YAML or JSON; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// How to write it
    #[command(flatten)]
    pub output: StateOutput,
}

/// Arguments of `statistic`.
#[derive(Debug, Args)]
pub struct StatisticArguments {
    /// Files in YAML or JSON, each laid over those before it; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub files: Vec<PathBuf>,
    /// The network is as this file shows it, rather than as nipartd sees it
    #[arg(short, long, value_name = "FILE")]
    pub current: Option<PathBuf>,
    /// Write JSON rather than YAML
    #[arg(long)]
    pub json: bool,
}
