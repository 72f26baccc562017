// SPDX-License-Identifier: Apache-2.0

//! GENEVE: hop limit, type of service, and the other end within its address family change in place (`geneve_changelink`,
//! drivers/net/geneve.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;
use super::tunnel::is_fixed_end;

const LARGEST_ID: u32 = (1 << 24) - 1;

pub(super) struct Geneve;

impl Kind for Geneve {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Geneve
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.geneve.as_ref();
        if is_new && section.is_none_or(|section| section.id.is_none() || section.remote.is_none())
        {
            return Err(NipartError::invalid(
                path,
                "a new geneve needs identifier and other end: geneve: {id: NUMBER, remote: ADDRESS}",
            ));
        }
        match section
            .and_then(|section| section.id)
            .filter(|id| *id > LARGEST_ID)
        {
            Some(id) => Err(NipartError::invalid(
                format!("{path}.geneve.id"),
                format!("GENEVE identifier {id} is too large: the largest is {LARGEST_ID}"),
            )),
            None => Ok(()),
        }
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        matches!(key, "id" | "destination-port") || is_fixed_end(key, difference)
    }
}
