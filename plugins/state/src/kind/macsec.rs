// SPDX-License-Identifier: Apache-2.0

//! MACsec: what is part of the channel's name can't be changed (`macsec_changelink`, drivers/net/macsec.c); `offload` only
//! on newer kernels. Nor can what the ends agree upon keys by: that begins anew with the link, and nothing is left of it.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{self, Interface, InterfaceType};
use nipart_schemas::key::Cak;
use nipart_schemas::overlay::Difference;
use serde_json::Value;

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
        check_key(section, is_new, &path)
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        matches!(
            key,
            "base-iface" | "port" | "offload" | "mka-cak" | "mka-ckn"
        )
    }

    fn is_fixed_for(&self, present: &Interface, key: &str) -> bool {
        // Who agrees upon keys was told.
        key == "encrypt" && present.agrees_upon_keys()
    }

    /// Only by what is written a key goes, and nothing was.
    fn keeps_what_it_gained(&self) -> bool {
        true
    }

    fn is_equal(&self, key: &str, difference: &Difference) -> bool {
        // That there is to be none.
        let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
        key == "mka-ckn" && is_empty(&difference.current) && is_empty(&difference.desired)
    }
}

/// Key and name of the key come and go together.
fn check_key(section: &interface::Macsec, is_new: bool, path: &str) -> Result<(), NipartError> {
    let has_name = section.mka_ckn.as_ref().map(|name| !name.is_none());
    let has_key = section.mka_cak.as_ref().map(|key| !key.is_none());
    if has_name != has_key {
        let (missing, there) = match has_key {
            Some(true) => ("mka-ckn", "mka-cak"),
            _ => ("mka-cak", "mka-ckn"),
        };
        return Err(NipartError::invalid(
            format!("{path}.{there}"),
            format!("key and name of the key belong together: {missing} is missing"),
        ));
    }
    if is_new && section.mka_cak.as_ref().is_some_and(Cak::is_hidden) {
        return Err(NipartError::invalid(
            format!("{path}.mka-cak"),
            "<hidden> stands for the key that there is, but a new link has none yet: write the key",
        ));
    }
    Ok(())
}
