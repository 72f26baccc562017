// SPDX-License-Identifier: Apache-2.0

//! What a process is to do, and how it is told: pure.

use std::path::Path;

use nipart_schemas::interface::Macsec;
use nipart_schemas::key::{Cak, KeyName};
use serde::{Deserialize, Serialize};

/// `DEFAULT_ENCRYPT` of `drivers/net/macsec.c`.
const DEFAULT_ENCRYPT: bool = false;
/// Number of the secure channel unless told otherwise (`macsec_newlink`).
const DEFAULT_PORT: u16 = 1;

/// What was begun for a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agreement {
    /// The link's number: another link of that name knows nothing of it.
    pub(super) link: u32,
    /// The interface below.
    pub(super) base: String,
    pub(super) port: u16,
    pub(super) encrypt: bool,
    pub(super) key: Cak,
    pub(super) key_name: KeyName,
}

impl Agreement {
    /// What the section of a new link says; none without a key.
    pub(super) fn of(link: u32, section: &Macsec) -> Option<Self> {
        let key = section.mka_cak.clone().filter(|key| !key.is_none())?;
        Some(Self {
            link,
            base: section.base_iface.clone()?,
            port: section.port.unwrap_or(DEFAULT_PORT),
            encrypt: section.encrypt.unwrap_or(DEFAULT_ENCRYPT),
            key,
            key_name: section.mka_ckn.clone()?,
        })
    }

    /// wpa_supplicant.conf(5): nobody authenticates, both have the key.
    pub(super) fn configuration(&self, control: &Path) -> String {
        let Self {
            port,
            encrypt,
            key_name,
            ..
        } = self;
        let only_integrity = u8::from(!encrypt);
        let (key, key_name) = (self.secret(), key_name.as_str());
        format!(
            "ctrl_interface={}
eapol_version=3
ap_scan=0
network={{
key_mgmt=NONE
eapol_flags=0
macsec_policy=1
macsec_integ_only={only_integrity}
macsec_port={port}
mka_cak={key}
mka_ckn={key_name}
}}
",
            control.display()
        )
    }

    /// The key's digits, for nobody but the process.
    pub(super) fn secret(&self) -> String {
        String::from(self.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_the_section_says() {
        let section = |text: &str| -> Macsec { nipart_schemas::yaml::parse(text).unwrap() };
        assert_eq!(Agreement::of(7, &section("{base-iface: eth0}")), None);
        let with_key = section(
            "{base-iface: eth0, encrypt: true, port: 9, mka-cak: 00112233445566778899AABBCCDDEEFF, mka-ckn: '0A'}",
        );
        let agreement = Agreement::of(7, &with_key).unwrap();
        let text = agreement.configuration(Path::new("/run/c"));
        for line in [
            "ctrl_interface=/run/c",
            "macsec_integ_only=0",
            "macsec_port=9",
            "mka_cak=00112233445566778899aabbccddeeff",
            "mka_ckn=0a",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!format!("{agreement:?}").contains("00112233"));
    }
}
