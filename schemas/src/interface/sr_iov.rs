// SPDX-License-Identifier: Apache-2.0

//! Virtual functions of a network card (SR-IOV): parts of it that look like cards of their own, for virtual machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::linux_bridge::VlanProtocol;
use crate::lenient;
use crate::mac_address::MacAddress;
use crate::overlay::{Difference, Overlay, Path, overlay};

/// Key `sr-iov`. Files `sriov_*` of a PCI device (`Documentation/ABI/testing/sysfs-bus-pci` in the kernel).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SrIov {
    /// Whether drivers of this host take new virtual functions: then each gets an interface.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub drivers_autoprobe: Option<bool>,
    /// How many there are. The kernel makes all of them anew when the number changes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub total_vfs: Option<u32>,
    /// Shown only: how many the card can have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vfs: Option<u32>,
    /// What each may do. Those that aren't listed stay as they are; an empty list is each of them as if nothing had been said,
    /// but for `spoof-check`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vfs: Option<VirtualFunctions>,
}

impl Overlay for SrIov {
    fn fill_from(&mut self, below: &Self) {
        self.drivers_autoprobe.fill_from(&below.drivers_autoprobe);
        self.total_vfs.fill_from(&below.total_vfs);
        self.max_vfs.fill_from(&below.max_vfs);
        let mut below = below.clone();
        // Those that go take with them what was said of them.
        below.forget_beyond(self.total_vfs.unwrap_or(u32::MAX));
        self.vfs.fill_from(&below.vfs);
    }

    fn keep_differences(&mut self, current: &Self) {
        self.drivers_autoprobe
            .keep_differences(&current.drivers_autoprobe);
        self.total_vfs.keep_differences(&current.total_vfs);
        self.vfs.keep_differences(&current.vfs);
    }

    fn keep_named(&mut self, mask: &Self) {
        // With another number all of them are others.
        if mask.total_vfs.is_none() || mask.total_vfs == self.total_vfs {
            self.vfs.keep_named(&mask.vfs);
        } else {
            self.forget_shown_only();
        }
        self.drivers_autoprobe.keep_named(&mask.drivers_autoprobe);
        self.total_vfs.keep_named(&mask.total_vfs);
        self.max_vfs.keep_named(&mask.max_vfs);
    }

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        let autoprobe = path.child("drivers_autoprobe");
        self.drivers_autoprobe
            .differences(&current.drivers_autoprobe, autoprobe, out);
        self.total_vfs
            .differences(&current.total_vfs, path.child("total_vfs"), out);
        self.vfs.differences(&current.vfs, path.child("vfs"), out);
    }
}

impl SrIov {
    /// Forgets what is only shown.
    pub fn forget_shown_only(&mut self) {
        self.max_vfs = None;
        for function in self.vfs.iter_mut().flat_map(|vfs| &mut vfs.0) {
            function.iface_name = None;
        }
    }

    /// Forgets functions that aren't among so many.
    pub fn forget_beyond(&mut self, total_vfs: u32) {
        // An empty list says something.
        if let Some(vfs) = self.vfs.as_mut().filter(|vfs| !vfs.0.is_empty()) {
            vfs.0.retain(|function| function.id < total_vfs);
            if vfs.0.is_empty() {
                self.vfs = None;
            }
        }
    }
}

/// The name `sriov:CARD:ID`, which nmstate has for the interface of a virtual function, whatever the kernel calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionName<'a> {
    /// The interface of the card.
    pub card: &'a str,
    /// The number of the function.
    pub id: u32,
}

impl<'a> FunctionName<'a> {
    /// The same in parts; none of other names.
    pub fn parse(name: &'a str) -> Option<Self> {
        let (card, id) = name.strip_prefix("sriov:")?.rsplit_once(':')?;
        let is_number = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
        let id = id.parse().ok().filter(|_| is_number && !card.is_empty())?;
        Some(Self { card, id })
    }
}

/// Virtual functions, each known by its id: laid over others one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct VirtualFunctions(pub Vec<VirtualFunction>);

/// What a virtual function may do. `IFLA_VF_*` of `linux/if_link.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VirtualFunction {
    /// Its number, from 0.
    #[serde(deserialize_with = "lenient::required_number")]
    pub id: u32,
    /// Shown only: its interface, where a driver of this host has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iface_name: Option<String>,
    /// Link-layer address that its driver gets; zero where nobody has given it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<MacAddress>,
    /// Whether frames from other link-layer addresses than its own are dropped.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub spoof_check: Option<bool>,
    /// Whether its user may change what others see, such as its link-layer address.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub trust: Option<bool>,
    /// What it may always send, megabits a second; 0 is no promise.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub min_tx_rate: Option<u32>,
    /// What it may send at most, megabits a second; 0 is no limit.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub max_tx_rate: Option<u32>,
    /// VLAN of all its frames, which it doesn't see, 1 to 4094; 0 is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub vlan_id: Option<u16>,
    /// Priority in the tag of that VLAN, 0 to 7.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub qos: Option<u8>,
    /// EtherType of that tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan_proto: Option<VlanProtocol>,
}

overlay!(VirtualFunction {
    mac_address,
    spoof_check,
    trust,
    min_tx_rate,
    max_tx_rate,
    vlan_id,
    qos,
    vlan_proto,
} read_only { id, iface_name });

impl VirtualFunctions {
    /// What is wanted of these functions: an empty list wants each as if nobody had said anything. Whether frames from other
    /// addresses are dropped stays: with what a driver begins differs.
    fn spelled_out(&self, present: &Self) -> Self {
        if !self.0.is_empty() {
            return self.clone();
        }
        let untouched = |function: &VirtualFunction| VirtualFunction {
            id: function.id,
            mac_address: Some(MacAddress::new(&[0; 6])),
            trust: Some(false),
            min_tx_rate: Some(0),
            max_tx_rate: Some(0),
            vlan_id: Some(0),
            qos: Some(0),
            vlan_proto: Some(VlanProtocol::Ieee8021Q),
            ..VirtualFunction::default()
        };
        // What a driver doesn't tell, it doesn't do.
        let wanted = present.0.iter().map(|function| {
            let mut wanted = untouched(function);
            wanted.keep_named(function);
            wanted
        });
        Self(wanted.collect())
    }

    /// The function with this id.
    pub fn find(&self, id: u32) -> Option<&VirtualFunction> {
        self.0.iter().find(|function| function.id == id)
    }
}

impl Overlay for VirtualFunctions {
    fn fill_from(&mut self, below: &Self) {
        if self.0.is_empty() {
            return;
        }
        for function in &below.0 {
            match self.0.iter_mut().find(|own| own.id == function.id) {
                Some(own) => own.fill_from(function),
                None => self.0.push(function.clone()),
            }
        }
        self.0.sort_by_key(|function| function.id);
    }

    fn keep_differences(&mut self, current: &Self) {
        let functions = self.spelled_out(current).0;
        let changes = functions.into_iter().map(|function| {
            let mut change = Some(function);
            let id = change.as_ref().map(|function| function.id);
            change.keep_differences(&id.and_then(|id| current.find(id).cloned()));
            change
        });
        self.0 = changes.flatten().collect();
    }

    fn keep_named(&mut self, mask: &Self) {
        if mask.0.is_empty() {
            // It is about all of them.
            return;
        }
        self.0.retain_mut(|function| match mask.find(function.id) {
            Some(mask) => {
                function.keep_named(mask);
                true
            }
            None => false,
        });
    }

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        for function in &self.spelled_out(current).0 {
            let id = function.id.to_string();
            let current = current.find(function.id).cloned();
            Some(function.clone()).differences(&current, path.child(&id), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(text: &str) -> VirtualFunctions {
        crate::yaml::parse(text).unwrap()
    }

    fn section(text: &str) -> SrIov {
        crate::yaml::parse(text).unwrap()
    }

    #[test]
    fn an_empty_list_is_about_all() {
        let present = functions(
            "[{id: 0, mac-address: '02:00:00:00:00:09', spoof-check: false, trust: true, vlan-id: 7, qos: 3, vlan-proto: 802.1ad}, {id: 1, mac-address: '00:00:00:00:00:00', trust: false}]",
        );
        let none = functions("[]");
        let mut changes = none.clone();
        changes.keep_differences(&present);
        assert_eq!(
            changes,
            functions(
                "[{id: 0, mac-address: '00:00:00:00:00:00', trust: false, vlan-id: 0, qos: 0, vlan-proto: 802.1q}]"
            )
        );
        let mut after = changes.clone();
        after.fill_from(&present);
        let mut again = Some(none.clone());
        again.keep_differences(&Some(after));
        assert_eq!(again, None);
        // The way back is about all of them, too.
        let mut back = present.clone();
        back.keep_named(&none);
        assert_eq!(back, present);
        // Laid over what was said before, it stays.
        let mut upper = section("{vfs: []}");
        upper.fill_from(&section("{total-vfs: 2, vfs: [{id: 0, trust: true}]}"));
        assert_eq!(upper, section("{total-vfs: 2, vfs: []}"));
        let mut upper = section("{total-vfs: 3}");
        upper.fill_from(&section("{total-vfs: 2, vfs: []}"));
        assert_eq!(upper, section("{total-vfs: 3, vfs: []}"));
    }

    #[test]
    fn names_of_functions() {
        let name = FunctionName::parse("sriov:enp1s0f0np0:12");
        assert_eq!(
            name,
            Some(FunctionName {
                card: "enp1s0f0np0",
                id: 12
            })
        );
        for name in [
            "sriov:eth0",
            "sriov::1",
            "sriov:eth0:",
            "sriov:eth0:+1",
            "eth0:1",
        ] {
            assert_eq!(FunctionName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn another_number_takes_functions_along() {
        let below = section(
            "{total-vfs: 2, max-vfs: 7, vfs: [{id: 0, trust: true}, {id: 1, trust: true}]}",
        );
        let upper = section("{total-vfs: 1, drivers-autoprobe: false}");
        let mut filled = upper.clone();
        filled.fill_from(&below);
        assert_eq!(
            filled,
            section(
                "{total-vfs: 1, max-vfs: 7, drivers-autoprobe: false, vfs: [{id: 0, trust: true}]}"
            )
        );
        let mut none = section("{total-vfs: 0}");
        none.fill_from(&below);
        assert_eq!(none, section("{total-vfs: 0, max-vfs: 7}"));
        // The way back needs all that was said of them.
        let mut back = below.clone();
        back.keep_named(&upper);
        assert_eq!(
            back,
            section("{total-vfs: 2, vfs: [{id: 0, trust: true}, {id: 1, trust: true}]}")
        );
        let mut back = below;
        back.keep_named(&section("{total-vfs: 2, vfs: [{id: 1, trust: true}]}"));
        assert_eq!(back, section("{total-vfs: 2, vfs: [{id: 1, trust: true}]}"));
    }

    #[test]
    fn overlaid_function_by_function() {
        let present = functions(
            "[{id: 0, trust: false, qos: 0, iface-name: v0}, {id: 1, trust: false, qos: 2}]",
        );
        let wanted = functions("[{id: '1', trust: yes, qos: 2}, {id: 0, qos: 0}]");
        let mut out = Vec::new();
        wanted.differences(&present, Path::root("vfs"), &mut out);
        let paths: Vec<String> = out.iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["vfs.1.trust: false → true"]);
        let mut changes = wanted.clone();
        changes.keep_differences(&present);
        assert_eq!(changes, functions("[{id: 1, trust: true}]"));
        let mut filled = changes.clone();
        filled.fill_from(&present);
        assert_eq!(
            filled,
            functions(
                "[{id: 0, trust: false, qos: 0, iface-name: v0}, {id: 1, trust: true, qos: 2}]"
            )
        );
        let mut back = present;
        back.keep_named(&changes);
        assert_eq!(back, functions("[{id: 1, trust: false}]"));
    }
}
