// SPDX-License-Identifier: Apache-2.0

//! `persist-nic-names`: keeps the names that network cards have now, by systemd's `.link` files (`systemd.link(5)`), for
//! whoever changes what gives cards their names: another version of systemd, another kernel.

mod pin;
mod udev;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;

use nipart_config::durable;
use nipart_kernel::Kernel;
use nipart_schemas::error::NipartError;
use nipart_schemas::request::QueryScope;

use self::pin::{Pin, pins};
use crate::failure::{Failure, storage};
use crate::output::{Table, note, plain, styled};
use crate::request::{PersistRequest, PersistWork};

/// Where systemd looks for files of the administrator.
const FOLDER: &str = "etc/systemd/network";
/// Says that names were kept once: what is given other names later keeps those.
const STAMP: &str = ".nipart-persist.stamp";
/// Kernel arguments: whether systemd is told not to name cards.
/// Nothing is begun there.
const RUN_DIR: &str = "/run/nipart";
const COMMAND_LINE: &str = "/proc/cmdline";
const NAMES_ARE_KERNELS: &str = "net.ifnames=0";
/// systemd-udevd isn't root's alone.
const FILE_MODE: u32 = 0o644;

pub(super) async fn run(request: &PersistRequest) -> Result<ExitCode, Failure> {
    let folder = request.root.join(FOLDER);
    match request.work {
        PersistWork::Inspect => inspect(&folder, &cards().await?)?,
        PersistWork::CleanUp => clean_up(request, &folder)?,
        PersistWork::Save => save(request, &folder).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The network cards of the machine, as they are named now.
async fn cards() -> Result<Vec<Pin>, NipartError> {
    let kernel = Kernel::open(Path::new(RUN_DIR)).await?;
    let state = kernel.query(&QueryScope::default()).await?;
    Ok(pins(&state))
}

async fn save(request: &PersistRequest, folder: &Path) -> Result<(), Failure> {
    let arguments = fs::read_to_string(COMMAND_LINE).unwrap_or_default();
    if arguments
        .split_whitespace()
        .any(|word| word == NAMES_ARE_KERNELS)
    {
        note(&format!(
            "{NAMES_ARE_KERNELS}: systemd doesn't name network cards, so that there is nothing to keep"
        ));
        return Ok(());
    }
    let stamp = folder.join(STAMP);
    if exists(&stamp)? {
        note(&format!(
            "names were kept before: {} is there",
            stamp.display()
        ));
        return Ok(());
    }
    let mut text = String::new();
    let mut kernel_arguments = Vec::new();
    if !request.is_dry_run {
        fs::create_dir_all(folder).map_err(|error| storage("create", folder, &error))?;
    }
    for pin in cards().await? {
        let Some(address) = pin.unique_address() else {
            note(&format!("{} is not kept: {}", pin.name, pin.why_not()));
            continue;
        };
        let file = folder.join(pin.file_name());
        if exists(&file)? || exists(&folder.join(pin.nmstates_file_name()))? {
            note(&format!("{} is kept already", pin.name));
            continue;
        }
        text.push_str(&format!("{} {address}: {}\n", pin.name, file.display()));
        kernel_arguments.push(pin.kernel_argument());
        if !request.is_dry_run {
            durable::publish(&file, pin.file().as_bytes(), FILE_MODE)?;
        }
    }
    if !request.is_dry_run {
        durable::publish(&stamp, b"", FILE_MODE)?;
        write_arguments(request, &kernel_arguments)?;
    }
    plain(&text)
}

/// Removes the files without which systemd would give the same names.
fn clean_up(request: &PersistRequest, folder: &Path) -> Result<(), Failure> {
    let mut text = String::new();
    let mut kernel_arguments = Vec::new();
    for (file, pin) in kept(folder)? {
        let usual = match udev::usual_name(&request.root, &pin.name) {
            Ok(usual) => usual,
            Err(error) => {
                note(&format!("{} stays: {}", file.display(), error.message));
                continue;
            }
        };
        if usual.as_deref() != Some(pin.name.as_str()) {
            let usual = usual.as_deref().unwrap_or("the kernel's own");
            note(&format!(
                "{} stays: the name would be {usual}",
                file.display()
            ));
            continue;
        }
        text.push_str(&format!("{}: removed\n", file.display()));
        kernel_arguments.push(pin.kernel_argument());
        if !request.is_dry_run {
            durable::remove(&file)?;
        }
    }
    if !request.is_dry_run {
        if exists(&folder.join(STAMP))? {
            durable::remove(&folder.join(STAMP))?;
        }
        write_arguments(request, &kernel_arguments)?;
    }
    plain(&text)
}

/// A line for each file, with the card that it is for.
fn inspect(folder: &Path, cards: &[Pin]) -> Result<(), Failure> {
    let mut table = Table::new(&["NAME", "MAC ADDRESS", "NOW", "FILE"]);
    for (file, pin) in kept(folder)? {
        let mut cards = cards.iter();
        let card = cards.find(|card| card.address.is_some() && card.address == pin.address);
        table.row(vec![
            pin.name.clone(),
            pin.address
                .map_or(String::new(), |address| address.to_string()),
            card.map_or(String::new(), |card| card.name.clone()),
            file.display().to_string(),
        ]);
    }
    styled(&table.render())
}

/// The files that Nipart has written, by name.
fn kept(folder: &Path) -> Result<Vec<(PathBuf, Pin)>, NipartError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(storage("read", folder, &error)),
    };
    let mut names: Vec<OsString> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| storage("read", folder, &error))?;
        names.push(entry.file_name());
    }
    names.sort();
    let mut kept = Vec::new();
    for name in names {
        let path = folder.join(&name);
        let Some(name) = name.to_str().and_then(pin::name_of_file) else {
            continue;
        };
        let text = durable::read(&path)?.unwrap_or_default();
        if let Some(pin) = Pin::parse(name, &text) {
            kept.push((path, pin));
        }
    }
    Ok(kept)
}

/// For the boot loader: dracut gives cards these names before systemd does.
fn write_arguments(request: &PersistRequest, arguments: &[String]) -> Result<(), NipartError> {
    match &request.kernel_arguments {
        Some(path) if !arguments.is_empty() => {
            // Its directory is synced, too: that has to have a name.
            let path = path::absolute(path).map_err(|error| storage("find", path, &error))?;
            durable::publish(&path, arguments.join(" ").as_bytes(), FILE_MODE)
        }
        _ => Ok(()),
    }
}

fn exists(path: &Path) -> Result<bool, NipartError> {
    path.try_exists()
        .map_err(|error| storage("look for", path, &error))
}
