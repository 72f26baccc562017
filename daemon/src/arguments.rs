// SPDX-License-Identifier: Apache-2.0

//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The Nipart network-management daemon.
#[derive(Debug, Parser)]
#[command(name = "nipartd", version)]
pub(crate) struct Arguments {
    /// Settings file [default: /etc/nipart/nipart.yml, which need not exist]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory of sockets; one daemon per directory
    #[arg(long, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    /// Directory of saved state
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Directory of the states that are applied at start
    #[arg(long, value_name = "DIR")]
    pub(crate) states_dir: Option<PathBuf>,
    /// Log to stderr, also when started by systemd
    #[arg(long)]
    pub(crate) foreground: bool,
    /// error, warn, info, debug, trace, or a list such as info,nipart_kernel=debug
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
}
