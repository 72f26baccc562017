// SPDX-License-Identifier: Apache-2.0

//! Arguments of `policy`, which are those of `nmstatectl policy`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub struct PolicyArguments {
    /// A policy in YAML or JSON; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The network is as this file shows it, rather than as nipartd sees it
    #[arg(short, long, value_name = "FILE")]
    pub current: Option<PathBuf>,
    /// Take what stands in this file as captured already, under the same names
    #[arg(short = 's', long, value_name = "FILE")]
    pub captured: Option<PathBuf>,
    /// Write what was captured to this file
    #[arg(short, long, value_name = "FILE")]
    pub output_captured: Option<PathBuf>,
    /// Write JSON rather than YAML
    #[arg(long)]
    pub json: bool,
}
