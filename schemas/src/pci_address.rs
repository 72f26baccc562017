// SPDX-License-Identifier: Apache-2.0

//! Where a card sits on the PCI bus.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::overlay::overlay_leaf;

/// A PCI address, `DOMAIN:BUS:DEVICE.FUNCTION` in hexadecimal digits such as `0000:00:1f.4`; the domain may be left out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

/// A device's number has five bits, a function's three.
const LARGEST_DEVICE: u8 = 31;
const LARGEST_FUNCTION: u8 = 7;

impl FromStr for PciAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| {
            format!("{text:?} is not a PCI address: expected one such as 0000:00:1f.4 or 00:1f.4")
        })
    }
}

fn read(text: &str) -> Option<PciAddress> {
    let (rest, function) = text.rsplit_once('.')?;
    let (rest, device) = rest.rsplit_once(':')?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
    let digits = |text: &str, longest: usize| {
        let are_digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (are_digits && (1..=longest).contains(&text.len()))
            .then(|| u32::from_str_radix(text, 16).ok())?
    };
    let byte = |text: &str, longest: usize| u8::try_from(digits(text, longest)?).ok();
    Some(PciAddress {
        domain: digits(domain, 8)?,
        bus: byte(bus, 2)?,
        device: byte(device, 2).filter(|device| *device <= LARGEST_DEVICE)?,
        function: byte(function, 1).filter(|function| *function <= LARGEST_FUNCTION)?,
    })
}

impl TryFrom<String> for PciAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PciAddress> for String {
    fn from(address: PciAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            device,
            function,
        } = self;
        write!(
            formatter,
            "{domain:04x}:{bus:02x}:{device:02x}.{function:x}"
        )
    }
}

overlay_leaf!(PciAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_in_full() {
        for (text, expected) in [
            ("0000:00:1f.4", "0000:00:1f.4"),
            ("00:1F.4", "0000:00:1f.4"),
            ("10000:e1:00.0", "10000:e1:00.0"),
        ] {
            let address: PciAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), expected);
        }
        for wrong in [
            "",
            "00:1f",
            "00:20.0",
            "00:1f.8",
            "00:+1.0",
            "0000:00:1f.4 ",
            "a.b",
        ] {
            assert!(wrong.parse::<PciAddress>().is_err(), "{wrong:?}");
        }
    }
}
