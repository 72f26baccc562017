// SPDX-License-Identifier: Apache-2.0

//! Bond: what the kernel changes on a bond that is up and has ports is changed in place, the rest by a new one
//! (`BOND_OPTFLAG_NOSLAVES` and `BOND_OPTFLAG_IFDOWN`, drivers/net/bonding/bond_options.c).

mod check;

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{BondOptions, Interface, InterfaceType, LinkAggregation};
use nipart_schemas::overlay::Difference;
use serde_json::Value;

use super::Kind;

/// Options that need the link to be created anew, as paths name them.
const FIXED: [&str; 6] = [
    "ad-select",
    "ad-user-port-key",
    "fail-over-mac",
    "lacp-active",
    "lacp-rate",
    "tlb-dynamic-lb",
];

pub(super) struct Bond;

impl Kind for Bond {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Bond
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        check::check(interface.link_aggregation.as_deref(), is_new, path)
    }

    fn is_fixed(&self, key: &str, difference: &Difference) -> bool {
        let option = difference.path.rsplit('.').next().unwrap_or_default();
        key == "mode" || FIXED.contains(&option)
    }

    // What isn't shown is not set.
    fn is_equal(&self, _key: &str, difference: &Difference) -> bool {
        let is_nothing = match &difference.desired {
            Value::String(text) => text.is_empty(),
            Value::Bool(on) => !on,
            _ => false,
        };
        difference.current.is_null() && is_nothing
    }

    fn keeps_what_it_gained(&self) -> bool {
        true
    }

    fn forget(&self, wanted: &Interface, present: &mut Interface) {
        let (Some(wanted), Some(present)) =
            (&wanted.link_aggregation, &mut present.link_aggregation)
        else {
            return;
        };
        if let (Some(ports), Some(configured)) = (&wanted.port, &mut present.ports_config) {
            configured.retain(|port| ports.contains(&port.name));
        }
        present.forget_against(wanted);
    }

    // Delays are kept as multiples of `miimon`: they would change with it.
    fn complete_changes(&self, changes: &mut Interface, wanted: &Interface, present: &Interface) {
        let wanted = options(wanted).cloned().unwrap_or_default();
        let present = options(present).cloned().unwrap_or_default();
        let Some(changes) = changes
            .link_aggregation
            .as_mut()
            .and_then(|section| section.options.as_mut())
        else {
            return;
        };
        match changes.miimon {
            Some(0) => (changes.updelay, changes.downdelay) = (None, None),
            Some(_) => {
                let is_set = |time: &u32| *time > 0;
                changes.updelay = wanted.updelay.or(present.updelay).filter(is_set);
                changes.downdelay = wanted.downdelay.or(present.downdelay).filter(is_set);
            }
            None => {}
        }
    }

    fn take_what_needs_ports(&self, section: &mut Interface) -> Option<Interface> {
        let options = section.link_aggregation.as_mut()?.options.as_mut()?;
        let primary = options.primary.take_if(|name| !name.is_empty())?;
        Some(Interface {
            interface_type: section.interface_type.clone(),
            link_aggregation: Some(Box::new(LinkAggregation {
                options: Some(BondOptions {
                    primary: Some(primary),
                    ..BondOptions::default()
                }),
                ..LinkAggregation::default()
            })),
            ..Interface::named(&section.name)
        })
    }

    // bond_enslave, __bond_release_one (drivers/net/bonding/bond_main.c)
    fn sets_ports_up(&self) -> bool {
        true
    }
}

fn options(interface: &Interface) -> Option<&BondOptions> {
    interface.link_aggregation.as_ref()?.options.as_ref()
}
