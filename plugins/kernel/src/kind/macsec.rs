// SPDX-License-Identifier: Apache-2.0

//! MACsec (`drivers/net/macsec.c`): the device; a change keeps what it doesn't name.

use nipart_netlink::packet::link::{InfoData, InfoKind, InfoMacSec, MacSecOffload, MacSecValidate};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::macsec::{MacsecOffload, MacsecValidation};
use nipart_schemas::interface::{self, Interface, InterfaceType};

use super::{Composed, LinkKind, Order};
use crate::query::{LinkFacts, Surroundings};

pub(super) struct Macsec;

impl LinkKind for Macsec {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Macsec
    }

    fn info_kind(&self) -> InfoKind {
        InfoKind::MacSec
    }

    fn observe(
        &self,
        link: &LinkFacts,
        surroundings: &Surroundings<'_>,
        interface: &mut Interface,
    ) {
        let Some(InfoData::MacSec(attributes)) = &link.data else {
            return;
        };
        let mut section = interface::Macsec {
            base_iface: surroundings.base_of(link),
            ..interface::Macsec::default()
        };
        for attribute in attributes {
            match attribute {
                // The channel's name: MAC address and port, in network byte order.
                InfoMacSec::Sci(sci) => {
                    let [.., high, low] = sci.to_ne_bytes();
                    section.port = Some(u16::from_be_bytes([high, low]));
                }
                InfoMacSec::Encrypt(on) => section.encrypt = Some(*on != 0),
                InfoMacSec::IncSci(on) => section.send_sci = Some(*on != 0),
                InfoMacSec::Validation(validation) => {
                    section.validation = shown_validation(*validation);
                }
                InfoMacSec::Offload(offload) => section.offload = shown_offload(*offload),
                _ => {}
            }
        }
        interface.macsec = Some(Box::new(section));
    }

    fn compose(&self, order: &Order<'_>) -> Result<Composed, NipartError> {
        let section = order.interface.macsec.clone().unwrap_or_default();
        let base = match &section.base_iface {
            Some(name) if order.is_new => Some(order.names.index(name)?),
            _ => None,
        };
        let validation = section.validation.map(|validation| match validation {
            MacsecValidation::Disabled => MacSecValidate::Disabled,
            MacsecValidation::Check => MacSecValidate::Check,
            MacsecValidation::Strict => MacSecValidate::Strict,
        });
        let offload = section.offload.map(|offload| match offload {
            MacsecOffload::Off => MacSecOffload::Off,
            MacsecOffload::Phy => MacSecOffload::Phy,
            MacsecOffload::Mac => MacSecOffload::Mac,
        });
        let attributes = [
            section.port.map(InfoMacSec::Port),
            section.encrypt.map(|on| InfoMacSec::Encrypt(on.into())),
            section.send_sci.map(|on| InfoMacSec::IncSci(on.into())),
            validation.map(InfoMacSec::Validation),
            offload.map(InfoMacSec::Offload),
        ];
        Ok(Composed {
            base,
            data: Some(InfoData::MacSec(attributes.into_iter().flatten().collect())),
            ..Composed::default()
        })
    }
}

fn shown_validation(validation: MacSecValidate) -> Option<MacsecValidation> {
    match validation {
        MacSecValidate::Disabled => Some(MacsecValidation::Disabled),
        MacSecValidate::Check => Some(MacsecValidation::Check),
        MacSecValidate::Strict => Some(MacsecValidation::Strict),
        _ => None,
    }
}

fn shown_offload(offload: MacSecOffload) -> Option<MacsecOffload> {
    match offload {
        MacSecOffload::Off => Some(MacsecOffload::Off),
        MacSecOffload::Phy => Some(MacsecOffload::Phy),
        MacSecOffload::Mac => Some(MacsecOffload::Mac),
        _ => None,
    }
}
