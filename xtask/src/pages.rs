// SPDX-License-Identifier: Apache-2.0

//! Manual pages and completions, made from the arguments of `nipartctl`.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use nipartctl::arguments::Arguments;

/// Writes a page for `nipartctl` and each of its commands.
pub(crate) fn write_manuals(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}

/// Writes a file for each shell.
pub(crate) fn write_completions(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut Arguments::command(), "nipartctl", folder)?;
    }
    Ok(())
}
