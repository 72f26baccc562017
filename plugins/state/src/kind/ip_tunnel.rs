// SPDX-License-Identifier: Apache-2.0

//! IP tunnels: a change in place must name everything (`ipip_netlink_parms`, net/ipv4/ipip.c).

use std::collections::BTreeSet;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::ip_tunnel::Ip6TunnelFlag;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::Kind;
use super::tunnel::{Tunnel, is_fixed_end};

pub(super) struct IpTunnel;

impl Kind for IpTunnel {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::IpTunnel
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let Some(section) = &interface.ip_tunnel else {
            return if is_new {
                Err(incomplete(path))
            } else {
                Ok(())
            };
        };
        if is_new && section.mode.is_none() {
            return Err(incomplete(path));
        }
        let path = format!("{path}.ip-tunnel");
        let tunnel = Tunnel {
            path: &path,
            local: section.local,
            remote: section.remote,
            ttl: section.ttl,
            flow_label: section.flow_label,
            pmtu_disc: section.pmtu_disc,
        };
        tunnel.check()?;
        let Some(mode) = section.mode else {
            return Ok(());
        };
        let is_over_ipv6 = mode.is_over_ipv6();
        for (key, end) in [("local", section.local), ("remote", section.remote)] {
            if let Some(end) = end.filter(|end| end.is_ipv6() != is_over_ipv6) {
                return Err(NipartError::invalid(
                    format!("{path}.{key}"),
                    format!("{end} is not of the address family that carries this mode"),
                ));
            }
        }
        let foreign = [
            ("flow-label", !is_over_ipv6 && section.flow_label.is_some()),
            (
                "encap-limit",
                !is_over_ipv6 && section.encap_limit.is_some(),
            ),
            (
                "ip6tun-flags",
                !is_over_ipv6 && section.ip6tun_flags.is_some(),
            ),
            ("pmtu-disc", is_over_ipv6 && section.pmtu_disc.is_some()),
        ];
        match foreign.iter().find(|(_, is_foreign)| *is_foreign) {
            Some((key, _)) => Err(NipartError::invalid(
                format!("{path}.{key}"),
                format!("{key} means nothing to this mode"),
            )),
            None => Ok(()),
        }
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        matches!(key, "mode" | "base-iface") || is_fixed_end(key, difference)
    }

    /// In any order, and without what the kernel found out.
    fn is_equal(&self, key: &str, difference: &Difference) -> bool {
        let flags = |value: &Value| -> Option<BTreeSet<Ip6TunnelFlag>> {
            let flags: Vec<Ip6TunnelFlag> = serde_json::from_value(value.clone()).ok()?;
            Some(
                flags
                    .into_iter()
                    .filter(|flag| !flag.is_shown_only())
                    .collect(),
            )
        };
        key == "ip6tun-flags"
            && flags(&difference.desired)
                .is_some_and(|desired| desired == flags(&difference.current).unwrap_or_default())
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }

    fn changes_whole_section(&self) -> bool {
        true
    }
}

fn incomplete(path: &str) -> NipartError {
    NipartError::invalid(
        path,
        "a new ip-tunnel needs a mode: ip-tunnel: {mode: ipip}",
    )
}
