// SPDX-License-Identifier: Apache-2.0

//! VRF: the table can't be changed later (`vrf_link_ops`, drivers/net/vrf.c, has no `changelink`).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Vrf;

impl Kind for Vrf {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Vrf
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.vrf.as_ref();
        match section.and_then(|section| section.route_table_id) {
            None if is_new => Err(NipartError::invalid(
                path,
                "a new vrf needs its routing table: vrf: {route-table-id: NUMBER}",
            )),
            Some(0) => Err(NipartError::invalid(
                format!("{path}.vrf.route-table-id"),
                "route-table-id 0 is no table: write one from 1 to 4294967295",
            )),
            _ => Ok(()),
        }
    }

    fn is_fixed(&self, _key: &str, _difference: &Difference) -> bool {
        true
    }

    // cycle_netdev (drivers/net/vrf.c)
    fn restarts_ports(&self) -> bool {
        true
    }
}
