// SPDX-License-Identifier: Apache-2.0

//! IPVLAN: mode and flags change in place, for all links over the same base (`ipvlan_nl_changelink`,
//! drivers/net/ipvlan/ipvlan_main.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Ipvlan;

impl Kind for Ipvlan {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Ipvlan
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.ipvlan.as_ref();
        if is_new && section.is_none_or(|section| section.base_iface.is_none()) {
            return Err(NipartError::invalid(
                path,
                "a new ipvlan needs the interface below: ipvlan: {base-iface: NAME}",
            ));
        }
        if section
            .is_some_and(|section| section.private == Some(true) && section.vepa == Some(true))
        {
            return Err(NipartError::invalid(
                format!("{path}.ipvlan.vepa"),
                "private and vepa exclude each other",
            ));
        }
        Ok(())
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        key == "base-iface"
    }

    fn changes_whole_section(&self) -> bool {
        true
    }
}
