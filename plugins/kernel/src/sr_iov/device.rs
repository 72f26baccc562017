// SPDX-License-Identifier: Apache-2.0

//! The card's device in the file system of the kernel's devices: `Documentation/ABI/testing/sysfs-bus-pci`, files `sriov_*`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, SrIov};

const PCI_DEVICES: &str = "/sys/bus/pci/devices";
/// How many functions the card can have.
const MOST: &str = "sriov_totalvfs";
/// How many it has. Reading it waits while they change: netlink tells the same.
const NUMBER: &str = "sriov_numvfs";
const AUTOPROBE: &str = "sriov_drivers_autoprobe";
/// Cards with a hundred functions and more take minutes to make them.
const NUMBER_LIMIT: Duration = Duration::from_secs(240);

/// A card that can have virtual functions.
pub(super) struct Device {
    folder: PathBuf,
}

impl Device {
    /// The card of the interface, and how many functions it can have; none where it can't have any.
    pub(super) fn with_functions(interface: &Interface) -> Option<(Self, u32)> {
        let address = interface.pci_address.as_ref()?;
        let folder = Path::new(PCI_DEVICES).join(address.to_string());
        let most = fs::read_to_string(folder.join(MOST)).ok()?;
        let most = most.trim().parse().ok().filter(|most| *most > 0)?;
        Some((Self { folder }, most))
    }

    pub(super) fn drivers_autoprobe(&self) -> Option<bool> {
        let text = fs::read_to_string(self.folder.join(AUTOPROBE)).ok()?;
        Some(text.trim() != "0")
    }

    /// The interface of a function. It may be a moment away: drivers take functions after they were made.
    pub(super) fn interface_of(&self, id: u32) -> Option<String> {
        let links = self.folder.join(format!("virtfn{id}")).join("net");
        let first = fs::read_dir(links).ok()?.next()?.ok()?;
        first.file_name().into_string().ok()
    }

    /// Whether the files can be written that such a change needs.
    pub(super) fn check(&self, wanted: &SrIov) -> Result<(), NipartError> {
        let needed = [
            wanted.total_vfs.map(|_| NUMBER),
            wanted.drivers_autoprobe.map(|_| AUTOPROBE),
        ];
        for file in needed.into_iter().flatten() {
            self.open(file).map_err(|error| {
                let advice = match error.kind() {
                    io::ErrorKind::ReadOnlyFilesystem => {
                        ": /sys is mounted read-only here, as in containers; run Nipart where it can be written"
                    }
                    _ => "",
                };
                let text = format!("{}: {error}{advice}", self.folder.join(file).display());
                NipartError::new(ErrorKind::NotSupported, text)
            })?;
        }
        Ok(())
    }

    pub(super) fn set_drivers_autoprobe(&self, wanted: Option<bool>) -> Result<(), NipartError> {
        match wanted {
            Some(wanted) if Some(wanted) != self.drivers_autoprobe() => {
                self.write(AUTOPROBE, u32::from(wanted))
            }
            _ => Ok(()),
        }
    }

    /// Takes all functions away and makes so many: the kernel doesn't go from one number to another (`EBUSY`).
    pub(super) async fn set_number(&self, present: u32, wanted: u32) -> Result<(), NipartError> {
        let steps = [(present > 0).then_some(0), (wanted > 0).then_some(wanted)];
        let device = Self {
            folder: self.folder.clone(),
        };
        let working = tokio::task::spawn_blocking(move || {
            let mut steps = steps.into_iter().flatten();
            steps.try_for_each(|number| device.write(NUMBER, number))
        });
        match tokio::time::timeout(NUMBER_LIMIT, working).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(NipartError::new(ErrorKind::Bug, "the thread has died")),
            Err(_) => Err(NipartError::new(
                ErrorKind::Timeout,
                format!(
                    "the card has not changed the number of its functions within {NUMBER_LIMIT:?}"
                ),
            )),
        }
    }

    fn open(&self, file: &str) -> io::Result<fs::File> {
        OpenOptions::new().write(true).open(self.folder.join(file))
    }

    fn write(&self, file: &str, number: u32) -> Result<(), NipartError> {
        let written = self
            .open(file)
            .and_then(|mut open| open.write_all(number.to_string().as_bytes()));
        written.map_err(|error| {
            let path = self.folder.join(file);
            let text = format!("write {number} to {}: {error}", path.display());
            NipartError::new(ErrorKind::KernelRefused, text)
        })
    }
}
