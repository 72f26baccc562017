// SPDX-License-Identifier: Apache-2.0

//! An interface that is captured as a whole wants little: what was done to it after it was captured. All the rest is as
//! it is, and isn't to be saved as if somebody had asked for it.

use std::collections::BTreeSet;

use nipart_schemas::interface::Interface;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::overlay::Overlay;
use serde_json::Value;

use crate::template::is_reference;

/// Which of the desired interfaces are templates.
pub(crate) enum WholeInterfaces {
    All,
    At(BTreeSet<usize>),
}

impl WholeInterfaces {
    pub(crate) fn of(desired: &Value) -> Self {
        match desired.get("interfaces") {
            Some(Value::Array(items)) => {
                let templates = items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| is_reference(item));
                Self::At(templates.map(|(index, _)| index).collect())
            }
            Some(list) if is_reference(list) => Self::All,
            _ => Self::At(BTreeSet::new()),
        }
    }

    /// Leaves of each of them its name, type, state, and what differs from `current`.
    pub(crate) fn reduce(&self, state: &mut NetworkState, current: &NetworkState) {
        for (index, interface) in state.interfaces.iter_mut().enumerate() {
            let is_whole = match self {
                Self::All => true,
                Self::At(indexes) => indexes.contains(&index),
            };
            if is_whole && let Some(current) = current.interface(&interface.name) {
                keep_differences(interface, current);
            }
        }
    }
}

fn keep_differences(interface: &mut Interface, current: &Interface) {
    let (interface_type, state) = (interface.interface_type.take(), interface.state.take());
    interface.keep_differences(current);
    (interface.interface_type, interface.state) = (interface_type, state);
    // These have rules of their own, and are compared as they are written.
    macro_rules! forget_equal {
        ($($field:ident)*) => { $(
            if interface.$field == current.$field {
                interface.$field = None;
            }
        )* };
    }
    forget_equal!(identifier profile_name drift wait_ip alt_names dns copy_mac_from lldp);
}
