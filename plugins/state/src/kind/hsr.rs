// SPDX-License-Identifier: Apache-2.0

//! HSR and PRP: nothing can be changed later (`hsr_link_ops`, net/hsr/hsr_netlink.c, has no `changelink`).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::hsr::HsrProtocol;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Hsr;

impl Kind for Hsr {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Hsr
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.hsr.clone().unwrap_or_default();
        if is_new && (section.port1.is_none() || section.port2.is_none()) {
            return Err(NipartError::invalid(
                path,
                "a new hsr needs two links: hsr: {port1: NAME, port2: NAME}",
            ));
        }
        let links = [
            ("port1", &section.port1),
            ("port2", &section.port2),
            ("interlink", &section.interlink),
        ];
        for (index, (key, link)) in links.into_iter().enumerate() {
            let is_named_twice = links[..index].iter().any(|(_, other)| *other == link);
            if let Some(name) = link.as_ref().filter(|_| is_named_twice) {
                return Err(NipartError::invalid(
                    format!("{path}.hsr.{key}"),
                    format!("{name} is named twice, expected different links"),
                ));
            }
        }
        if section.protocol == Some(HsrProtocol::Prp) && section.interlink.is_some() {
            return Err(NipartError::invalid(
                format!("{path}.hsr.interlink"),
                "protocol prp has no interlink",
            ));
        }
        Ok(())
    }

    fn is_fixed(&self, _key: &str, _difference: &Difference) -> bool {
        true
    }

    // `hsr_fill_info` doesn't tell the version.
    fn is_equal(&self, key: &str, difference: &Difference) -> bool {
        key == "protocol" && difference.current == "hsr" && difference.desired == "hsr-2012"
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }
}
