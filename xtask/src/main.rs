// SPDX-License-Identifier: Apache-2.0

//! Developer commands: what is made from the sources, and not written by hand.

mod pages;
mod properties;
mod schema;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Make what is made from the sources.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write nipartctl's manual pages, and completions for bash, fish and zsh
    Man {
        /// Where to; completions go to a folder in it
        #[arg(default_value = "target/man")]
        folder: PathBuf,
    },
    /// Write the JSON Schema of network states to schemas/nipart.schema.json, and the list of properties to
    /// docs/properties.md
    Schema,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> io::Result<()> {
    match command {
        Command::Man { folder } => {
            pages::write_manuals(&folder)?;
            pages::write_completions(&folder.join("completions"))
        }
        Command::Schema => {
            schema::write()?;
            properties::write()
        }
    }
}
