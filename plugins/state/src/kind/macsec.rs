// SPDX-License-Identifier: Apache-2.0

//! MACsec: what is part of the channel's name can't be changed (`macsec_changelink`, drivers/net/macsec.c); `offload` only
//! on newer kernels.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Macsec;

impl Kind for Macsec {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Macsec
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.macsec.as_ref();
        if is_new && section.is_none_or(|section| section.base_iface.is_none()) {
            return Err(NipartError::invalid(
                path,
                "a new macsec needs the interface below: macsec: {base-iface: NAME}",
            ));
        }
        let Some(section) = section else {
            return Ok(());
        };
        let path = format!("{path}.macsec");
        for (key, is_written) in [
            ("mka-cak", section.mka_cak.is_some()),
            ("mka-ckn", section.mka_ckn.is_some()),
        ] {
            if is_written {
                let text =
                    "needs a daemon that agrees upon keys (MKA), which this version doesn't start";
                let error = NipartError::new(ErrorKind::NotSupported, format!("{key} {text}"));
                return Err(error.at(format!("{path}.{key}")));
            }
        }
        if section.port == Some(0) {
            return Err(NipartError::invalid(
                format!("{path}.port"),
                "port 0 is not possible: 1 to 65535",
            ));
        }
        Ok(())
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        matches!(key, "base-iface" | "port" | "offload")
    }
}
