// SPDX-License-Identifier: Apache-2.0

//! IP over InfiniBand: the mode changes in place, and the kernel chooses an MTU with it; what a link is a partition of is
//! said once (`ipoib_changelink`, drivers/infiniband/ulp/ipoib/ipoib_netlink.c).

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::infiniband::PartitionKey;
use nipart_schemas::interface::{Interface, InterfaceType};
use nipart_schemas::overlay::Difference;

use super::Kind;

pub(super) struct Infiniband;

impl Kind for Infiniband {
    fn interface_type(&self) -> InterfaceType {
        InterfaceType::Infiniband
    }

    fn check(&self, interface: &Interface, is_new: bool, path: &str) -> Result<(), NipartError> {
        let section = interface.infiniband.clone().unwrap_or_default();
        if is_new && (section.base_iface.is_none() || section.pkey.is_none()) {
            return Err(NipartError::invalid(
                path,
                "a new infiniband link is a partition over a card: infiniband: {base-iface: NAME, pkey: KEY}",
            ));
        }
        let path = format!("{path}.infiniband.pkey");
        match section.pkey {
            Some(key) if key.is_none() => Err(NipartError::invalid(
                path,
                "0 is no key of a partition, expected 0x0001 to 0x7fff, or the same with 0x8000",
            )),
            Some(PartitionKey::DEFAULT) if section.base_iface.is_some() => {
                Err(NipartError::invalid(
                    path,
                    "the partition with key 0xffff is the card itself: leave out base-iface, and write the settings for the card",
                ))
            }
            _ => Ok(()),
        }
    }

    fn is_fixed(&self, key: &str, _difference: &Difference) -> bool {
        matches!(key, "base-iface" | "pkey")
    }

    // A card's key is what its network says: 0xffff stands for any.
    fn is_equal(&self, key: &str, difference: &Difference) -> bool {
        key == "pkey" && difference.desired == PartitionKey::DEFAULT.to_string()
    }

    fn resets_mtu(&self, key: &str) -> bool {
        key == "mode"
    }
}
