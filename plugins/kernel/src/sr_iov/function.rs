// SPDX-License-Identifier: Apache-2.0

//! One virtual function, from and to `IFLA_VF_INFO`. Pure.

use nipart_netlink::packet::link::{
    VfInfo, VfInfoMac, VfInfoRate, VfInfoSpoofCheck, VfInfoTrust, VfVlan, VfVlanInfo,
    VlanProtocol as WireProtocol,
};
use nipart_schemas::interface::VlanProtocol;
use nipart_schemas::interface::sr_iov::VirtualFunction;
use nipart_schemas::mac_address::MacAddress;

/// `ETH_ALEN`: the kernel's field is longer than the address in it.
const ADDRESS_LENGTH: usize = 6;

/// None of an entry that doesn't say which function it is about.
pub(super) fn read(info: &[VfInfo]) -> Option<VirtualFunction> {
    let mut id = None;
    let mut function = VirtualFunction::default();
    for attribute in info {
        match attribute {
            VfInfo::Mac(told) => {
                id = Some(told.vf_id);
                function.mac_address = Some(MacAddress::new(&told.mac[..ADDRESS_LENGTH]));
            }
            VfInfo::SpoofCheck(told) => function.spoof_check = Some(told.enabled),
            VfInfo::Trust(told) => function.trust = Some(told.enabled),
            VfInfo::Rate(told) => {
                function.min_tx_rate = Some(told.min_tx_rate);
                function.max_tx_rate = Some(told.max_tx_rate);
            }
            VfInfo::VlanList(list) => {
                // Drivers know one.
                if let Some(VfVlan::Info(told)) = list.first() {
                    function.vlan_id = u16::try_from(told.vlan_id).ok();
                    function.qos = u8::try_from(told.qos).ok();
                    function.vlan_proto = match told.protocol {
                        WireProtocol::Ieee8021Q => Some(VlanProtocol::Ieee8021Q),
                        WireProtocol::Ieee8021Ad => Some(VlanProtocol::Ieee8021Ad),
                        _ => None,
                    };
                }
            }
            _ => {}
        }
    }
    function.id = id?;
    Some(function)
}

/// The attributes that make these changes. The kernel takes rates together, and what belongs to the VLAN: what of that
/// doesn't change is in `complete`.
pub(super) fn compose(changes: &VirtualFunction, complete: &VirtualFunction) -> Vec<VfInfo> {
    let id = changes.id;
    let mut info = Vec::new();
    if let Some(address) = &changes.mac_address {
        info.push(VfInfo::Mac(VfInfoMac::new(id, address.bytes())));
    }
    if changes.vlan_id.is_some() || changes.qos.is_some() || changes.vlan_proto.is_some() {
        let protocol = match complete.vlan_proto {
            Some(VlanProtocol::Ieee8021Ad) => WireProtocol::Ieee8021Ad,
            _ => WireProtocol::Ieee8021Q,
        };
        let vlan = complete.vlan_id.unwrap_or_default().into();
        let qos = complete.qos.unwrap_or_default().into();
        let vlan = VfVlan::Info(VfVlanInfo::new(id, vlan, qos, protocol));
        info.push(VfInfo::VlanList(vec![vlan]));
    }
    if changes.min_tx_rate.is_some() || changes.max_tx_rate.is_some() {
        let min = complete.min_tx_rate.unwrap_or_default();
        let max = complete.max_tx_rate.unwrap_or_default();
        info.push(VfInfo::Rate(VfInfoRate::new(id, min, max)));
    }
    if let Some(is_on) = changes.spoof_check {
        info.push(VfInfo::SpoofCheck(VfInfoSpoofCheck::new(id, is_on)));
    }
    if let Some(is_on) = changes.trust {
        info.push(VfInfo::Trust(VfInfoTrust::new(id, is_on)));
    }
    info
}

/// Whether it is to have a rate.
pub(super) fn has_rate(function: &VirtualFunction) -> bool {
    [function.min_tx_rate, function.max_tx_rate]
        .into_iter()
        .flatten()
        .any(|rate| rate > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_is_sent_together() {
        let present = VirtualFunction {
            id: 3,
            mac_address: Some(MacAddress::new(&[2, 0, 0, 0, 0, 3])),
            spoof_check: Some(true),
            trust: Some(false),
            min_tx_rate: Some(0),
            max_tx_rate: Some(100),
            vlan_id: Some(42),
            qos: Some(5),
            vlan_proto: Some(VlanProtocol::Ieee8021Ad),
            ..VirtualFunction::default()
        };
        assert_eq!(read(&compose(&present, &present)), Some(present.clone()));
        let changes = VirtualFunction {
            id: 3,
            qos: Some(1),
            ..VirtualFunction::default()
        };
        let complete = VirtualFunction {
            qos: Some(1),
            ..present
        };
        let vlan = VfVlanInfo::new(3, 42, 1, WireProtocol::Ieee8021Ad);
        let expected = vec![VfInfo::VlanList(vec![VfVlan::Info(vlan)])];
        assert_eq!(compose(&changes, &complete), expected);
        assert_eq!(read(&expected), None);
    }
}
