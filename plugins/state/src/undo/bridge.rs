// SPDX-License-Identifier: Apache-2.0

//! Addresses of bridges. One whose address nobody has set takes the lowest of its ports', and zeros when it has none left
//! (`br_stp_recalculate_bridge_id`, net/bridge/br_stp_if.c).
//!
//! So the ports come first. Only if these don't lead back is the address set, which is the only way; it then stays,
//! whatever ports come.

use std::collections::HashSet;

use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::mac_address::MacAddress;

use super::goal_mut;
use super::touched::Touched;
use crate::context::Context;
use crate::goal::Goals;

pub(super) fn restore<'a>(context: &Context<'a>, touched: &Touched, goals: &mut Goals<'a>) {
    let names = touched.controllers.iter();
    let names: HashSet<&String> = names.chain(&touched.links).collect();
    let bridges = context.desired.interfaces.iter().filter(|before| {
        names.contains(&before.name)
            && before.interface_type == Some(InterfaceType::LinuxBridge)
            && !touched.addressed.contains(&before.name)
    });
    for before in bridges {
        let Some(now) = context.present.get(before.name.as_str()) else {
            continue;
        };
        let address = (!has_other_ports(before, now, touched)).then(|| settable(before));
        if let Some(goal) = goal_mut(context, &before.name, goals) {
            goal.wanted.mac_address = address.flatten();
        }
    }
}

/// Whether ports that it has now go, or others come, with this undo.
fn has_other_ports(before: &Interface, now: &Interface, touched: &Touched) -> bool {
    let ports = |bridge: &Interface| -> HashSet<String> {
        let names = bridge.port_names().into_iter().flatten();
        names.map(str::to_string).collect()
    };
    let (before, now) = (ports(before), ports(now));
    let mut others = before.symmetric_difference(&now);
    others.any(|port| touched.links.contains(port))
}

/// The kernel takes no zeros.
fn settable(before: &Interface) -> Option<MacAddress> {
    let address = before.mac_address.clone();
    address.filter(|address| address.bytes().iter().any(|byte| *byte != 0))
}
