// SPDX-License-Identifier: Apache-2.0

//! Tun and tap devices: who may use one can be changed, but not taken back.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Tun;

impl Kind for Tun {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Tun
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.tun.as_ref();
        if is_new && section.is_none_or(|section| section.mode.is_none()) {
            return Err(NipartError::invalid(
                path,
                "a new tun needs a mode: tun: {mode: tap}",
            ));
        }
        let owners = [
            ("owner", section.and_then(|section| section.owner)),
            ("group", section.and_then(|section| section.group)),
        ];
        for (key, number) in owners {
            // `INVALID_UID`
            if number == Some(u32::MAX) {
                return Err(NipartError::invalid(
                    format!("{path}.tun.{key}"),
                    format!("{key} {} is nobody: 0 to 4294967294", u32::MAX),
                ));
            }
        }
        Ok(())
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        matches!(key, "mode" | "multi-queue")
    }

    // A device is opened as what it is.
    fn changes_whole_section(&self) -> bool {
        true
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}
