// SPDX-License-Identifier: Apache-2.0

//! Settings of network cards: family `ethtool` (`linux/ethtool_netlink.h`,
//! `Documentation/networking/ethtool-netlink.rst` in the kernel).

mod bitset;

use std::collections::BTreeMap;

use netlink_packet_core::NLM_F_ACK;

use self::bitset::{members, replacement, with_names};
use super::attribute::{Attributes, read, read_u8, read_u32};
use super::{Command, GenericSocket};
use crate::error::NetlinkError;

const FAMILY: &str = "ethtool";
const VERSION: u8 = 1;
const ETHTOOL_MSG_FEATURES_GET: u8 = 11;
const ETHTOOL_MSG_FEATURES_SET: u8 = 12;
const ETHTOOL_MSG_FEC_GET: u8 = 29;
const ETHTOOL_MSG_FEC_SET: u8 = 30;
/// `ETHTOOL_A_*_HEADER` is the first attribute of every message.
const HEADER: u16 = 1;
const ETHTOOL_A_HEADER_DEV_NAME: u16 = 2;
const ETHTOOL_A_FEATURES_HW: u16 = 2;
const ETHTOOL_A_FEATURES_WANTED: u16 = 3;
const ETHTOOL_A_FEATURES_ACTIVE: u16 = 4;
const ETHTOOL_A_FEATURES_NOCHANGE: u16 = 5;
const ETHTOOL_A_FEC_MODES: u16 = 2;
const ETHTOOL_A_FEC_AUTO: u16 = 3;
const ETHTOOL_A_FEC_ACTIVE: u16 = 4;

/// Messages that have nothing but numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Auto-negotiation, speed, duplex: `ETHTOOL_MSG_LINKMODES_*`.
    LinkModes,
    /// `ETHTOOL_MSG_RINGS_*`.
    Rings,
    /// `ETHTOOL_MSG_COALESCE_*`.
    Coalesce,
    /// `ETHTOOL_MSG_PAUSE_*`.
    Pause,
}

impl Group {
    /// The command that asks; the one that sets follows it.
    fn get(self) -> u8 {
        match self {
            Self::LinkModes => 4,
            Self::Rings => 15,
            Self::Coalesce => 19,
            Self::Pause => 21,
        }
    }
}

/// A number, as wide as its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// `NLA_U8`.
    U8(u8),
    /// `NLA_U32`.
    U32(u32),
}

/// The numbers of a message by their attributes' kinds.
pub type Numbers = BTreeMap<u16, Number>;

/// Features that can be changed, and whether they are on.
pub type Features = BTreeMap<String, bool>;

/// Forward error correction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fec {
    /// Whether the mode is chosen by itself.
    pub auto: Option<bool>,
    /// Link modes (`ETHTOOL_LINK_MODE_FEC_*_BIT`) that may be used.
    pub modes: Vec<u32>,
    /// The one that is used; never sent.
    pub active: Option<u32>,
}

/// The family, known by its number. Each of its questions is about one interface, or about all when none is named;
/// what doesn't support what is asked for, or has gone, is missing from the answer.
pub struct Ethtool<'s> {
    socket: &'s GenericSocket,
    family: u16,
}

impl GenericSocket {
    /// None when the kernel hasn't got it.
    pub async fn ethtool(&self) -> Result<Option<Ethtool<'_>>, NetlinkError> {
        let family = self.family_if_any(FAMILY).await?;
        Ok(family.map(|family| Ethtool {
            socket: self,
            family,
        }))
    }
}

impl Ethtool<'_> {
    /// The numbers of a group, by interface.
    pub async fn numbers(
        &self,
        group: Group,
        interface: Option<&str>,
    ) -> Result<Vec<(String, Numbers)>, NetlinkError> {
        self.get(group.get(), interface, read_numbers).await
    }

    /// Sets numbers of a group; the others stay. Fails with `EOPNOTSUPP` when the driver can't.
    pub async fn set_numbers(
        &self,
        group: Group,
        interface: &str,
        numbers: &Numbers,
    ) -> Result<(), NetlinkError> {
        let mut attributes = about(Some(interface));
        for (kind, number) in numbers {
            match number {
                Number::U8(number) => attributes.value(*kind, &[*number]),
                Number::U32(number) => attributes.value(*kind, &number.to_ne_bytes()),
            }
        }
        self.set(group.get() + 1, attributes).await
    }

    /// Features that can be changed, by interface.
    pub async fn features(
        &self,
        interface: Option<&str>,
    ) -> Result<Vec<(String, Features)>, NetlinkError> {
        self.get(ETHTOOL_MSG_FEATURES_GET, interface, read_features)
            .await
    }

    /// Turns features on and off. What the driver doesn't do for lack of others is no failure: look again.
    pub async fn set_features(
        &self,
        interface: &str,
        features: &Features,
    ) -> Result<(), NetlinkError> {
        let mut attributes = about(Some(interface));
        attributes.nested(ETHTOOL_A_FEATURES_WANTED, &with_names(features));
        self.set(ETHTOOL_MSG_FEATURES_SET, attributes).await
    }

    /// Forward error correction, by interface.
    pub async fn fec(&self, interface: Option<&str>) -> Result<Vec<(String, Fec)>, NetlinkError> {
        self.get(ETHTOOL_MSG_FEC_GET, interface, read_fec).await
    }

    /// Sets what is given: no modes leave them.
    pub async fn set_fec(&self, interface: &str, fec: &Fec) -> Result<(), NetlinkError> {
        let mut attributes = about(Some(interface));
        if !fec.modes.is_empty() {
            attributes.nested(ETHTOOL_A_FEC_MODES, &replacement(&fec.modes));
        }
        if let Some(auto) = fec.auto {
            attributes.value(ETHTOOL_A_FEC_AUTO, &[u8::from(auto)]);
        }
        self.set(ETHTOOL_MSG_FEC_SET, attributes).await
    }

    async fn get<T>(
        &self,
        command: u8,
        interface: Option<&str>,
        read: fn(&[u8]) -> T,
    ) -> Result<Vec<(String, T)>, NetlinkError> {
        let command = Command {
            family: self.family,
            command,
            version: VERSION,
            flags: NLM_F_ACK,
            attributes: about(interface).bytes(),
        };
        let answers = match interface {
            Some(_) => self.socket.request(command).await,
            None => self.socket.dump(command).await,
        };
        let answers = match answers {
            Err(NetlinkError::Kernel(error)) if error.is_unsupported() || error.is_not_found() => {
                Vec::new()
            }
            other => other?,
        };
        let named = |answer: &Vec<u8>| Some((name_of(answer)?, read(answer)));
        Ok(answers.iter().filter_map(named).collect())
    }

    async fn set(&self, command: u8, attributes: Attributes) -> Result<(), NetlinkError> {
        let command = Command {
            family: self.family,
            command,
            version: VERSION,
            flags: NLM_F_ACK,
            attributes: attributes.bytes(),
        };
        self.socket.request(command).await.map(|_| ())
    }
}

/// The header of a message.
fn about(interface: Option<&str>) -> Attributes {
    let (mut attributes, mut header) = (Attributes::default(), Attributes::default());
    if let Some(interface) = interface {
        header.text(ETHTOOL_A_HEADER_DEV_NAME, interface);
    }
    attributes.nested(HEADER, &header);
    attributes
}

fn name_of(answer: &[u8]) -> Option<String> {
    let header = find(answer, HEADER)?;
    let name = find(header, ETHTOOL_A_HEADER_DEV_NAME)?;
    let name = name.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

fn find(attributes: &[u8], kind: u16) -> Option<&[u8]> {
    let mut found = read(attributes).into_iter();
    let found = found.find(|attribute| attribute.kind == kind)?;
    Some(found.value)
}

fn read_numbers(answer: &[u8]) -> Numbers {
    let number = |value: &[u8]| match value.len() {
        1 => read_u8(value).map(Number::U8),
        4 => read_u32(value).map(Number::U32),
        _ => None,
    };
    let attributes = read(answer).into_iter();
    attributes
        .filter_map(|attribute| Some((attribute.kind, number(attribute.value)?)))
        .collect()
}

fn read_features(answer: &[u8]) -> Features {
    let set = |kind| members(find(answer, kind).unwrap_or_default());
    let active = set(ETHTOOL_A_FEATURES_ACTIVE);
    let fixed = set(ETHTOOL_A_FEATURES_NOCHANGE);
    set(ETHTOOL_A_FEATURES_HW)
        .into_iter()
        .filter(|(number, _)| !fixed.contains_key(number))
        .map(|(number, name)| (name, active.contains_key(&number)))
        .collect()
}

fn read_fec(answer: &[u8]) -> Fec {
    let modes = members(find(answer, ETHTOOL_A_FEC_MODES).unwrap_or_default());
    Fec {
        auto: find(answer, ETHTOOL_A_FEC_AUTO)
            .and_then(read_u8)
            .map(|auto| auto != 0),
        modes: modes.into_keys().collect(),
        active: find(answer, ETHTOOL_A_FEC_ACTIVE).and_then(read_u32),
    }
}

#[cfg(test)]
mod tests;
