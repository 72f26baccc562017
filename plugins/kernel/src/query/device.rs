// SPDX-License-Identifier: Apache-2.0

//! The device behind a network card, from the file system of the kernel's devices. Virtual links have none.

use std::path::Path;

use nipart_schemas::interface::Interface;
use nipart_schemas::pci_address::PciAddress;

/// Where each bus has its devices (`Documentation/filesystems/sysfs.rst` in the kernel).
const BUSES: &str = "/sys/bus";

/// Adds driver and PCI address, from `IFLA_PARENT_DEV_BUS_NAME` and `IFLA_PARENT_DEV_NAME`. What can't be read isn't
/// there.
pub(super) fn observe(bus: &str, device: &str, interface: &mut Interface) {
    let link = Path::new(BUSES).join(bus).join("devices").join(device);
    let last = |path: &Path| Some(path.file_name()?.to_str()?.to_string());
    interface.driver = std::fs::read_link(link.join("driver"))
        .ok()
        .and_then(|driver| last(&driver));
    // A card may sit on a bus of its own, behind that of PCI: its path tells.
    interface.pci_address = std::fs::read_link(&link)
        .ok()
        .and_then(|path| pci_address(&path));
}

fn pci_address(path: &Path) -> Option<PciAddress> {
    let mut names = path.iter().rev().filter_map(|name| name.to_str());
    names.find_map(|name| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_pci_address_of_a_path() {
        for (path, expected) in [
            (
                "../../../devices/pci0000:00/0000:00:03.0",
                Some("0000:00:03.0"),
            ),
            (
                "../../../devices/pci0000:00/0000:00:1c.0/0000:02:00.0/virtio0",
                Some("0000:02:00.0"),
            ),
            ("../../../devices/platform/soc/eth", None),
        ] {
            let found = pci_address(Path::new(path)).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}
