// SPDX-License-Identifier: Apache-2.0

//! GRE: a change in place must name everything (`ipgre_netlink_parms`, net/ipv4/ip_gre.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Gre as Section, Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;
use super::tunnel::{Tunnel, is_fixed_end};

pub(super) struct Gre;

impl Kind for Gre {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Gre
    }

    fn check(&self, interface: &Interface, _is_new: bool, path: &str) -> Result<(), NipartError> {
        check(interface.gre.as_deref(), &format!("{path}.gre"))
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        key == "base-iface" || is_fixed_end(key, difference)
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }

    fn changes_whole_section(&self) -> bool {
        true
    }
}

pub(super) struct GreTap;

impl Kind for GreTap {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::GreTap
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        if is_new
            && interface
                .gretap
                .as_ref()
                .is_none_or(|section| section.remote.is_none())
        {
            return Err(NipartError::invalid(
                path,
                "a new gretap needs the other end: gretap: {remote: ADDRESS}",
            ));
        }
        check(interface.gretap.as_deref(), &format!("{path}.gretap"))
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        key == "base-iface" || is_fixed_end(key, difference)
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }

    fn changes_whole_section(&self) -> bool {
        true
    }
}

fn check(section: Option<&Section>, path: &str) -> Result<(), NipartError> {
    let Some(section) = section else {
        return Ok(());
    };
    let tunnel = Tunnel {
        path,
        local: section.local,
        remote: section.remote,
        ttl: section.ttl,
        flow_label: section.flow_label,
        pmtu_disc: section.pmtu_disc,
    };
    tunnel.check()
}
