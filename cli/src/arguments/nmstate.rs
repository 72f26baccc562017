// SPDX-License-Identifier: Apache-2.0

//! Arguments of commands that stand in for services of nmstate: `service`, `persist-nic-names`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `service`.
#[derive(Debug, Args)]
pub struct ServiceArguments {
    /// The folder; nmstate.conf in it has the settings
    #[arg(short, long, value_name = "DIR", default_value = "/etc/nmstate")]
    pub config: PathBuf,
}

/// Arguments of `persist-nic-names`.
#[derive(Debug, Args)]
pub struct PersistArguments {
    /// Only tell what would be done
    #[arg(long, conflicts_with = "inspect")]
    pub dry_run: bool,
    /// Show the names that are kept, and the cards that have them now
    #[arg(long, conflicts_with = "cleanup")]
    pub inspect: bool,
    /// Remove the files without which systemd would give the same names
    #[arg(long)]
    pub cleanup: bool,
    /// Where the file system is that is changed
    #[arg(short, long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
    /// Write arguments for the kernel to this file, which say the same: those to add, or with --cleanup, to remove
    #[arg(long, value_name = "FILE", conflicts_with_all = ["inspect", "dry_run"])]
    pub kargs_out: Option<PathBuf>,
}
