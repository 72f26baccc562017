// SPDX-License-Identifier: Apache-2.0

//! Features by the kernel's names (`netdev_features_strings`, net/ethtool/common.c), or by those of `ethtool(8)` that
//! mean one of them.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::lenient::Boolean;
use crate::overlay::{Difference, Overlay, Path};

/// Other names of one feature. `tx`, `sg` and `tso` of `ethtool(8)` are groups: their features have to be written.
const ALIASES: [(&str, &str); 17] = [
    ("rx", "rx-checksum"),
    ("rx-checksumming", "rx-checksum"),
    ("ufo", "tx-udp-fragmentation"),
    ("gso", "tx-generic-segmentation"),
    ("generic-segmentation-offload", "tx-generic-segmentation"),
    ("gro", "rx-gro"),
    ("generic-receive-offload", "rx-gro"),
    ("lro", "rx-lro"),
    ("large-receive-offload", "rx-lro"),
    ("rxvlan", "rx-vlan-hw-parse"),
    ("rx-vlan-offload", "rx-vlan-hw-parse"),
    ("txvlan", "tx-vlan-hw-insert"),
    ("tx-vlan-offload", "tx-vlan-hw-insert"),
    ("ntuple", "rx-ntuple-filter"),
    ("ntuple-filters", "rx-ntuple-filter"),
    ("rxhash", "rx-hashing"),
    ("receive-hashing", "rx-hashing"),
];

/// Features, on or off. Those that aren't named stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EthtoolFeatures(pub BTreeMap<String, bool>);

impl<'de> Deserialize<'de> for EthtoolFeatures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FeaturesVisitor)
    }
}

struct FeaturesVisitor;

impl<'de> Visitor<'de> for FeaturesVisitor {
    type Value = EthtoolFeatures;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("features and whether they are on")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut features = BTreeMap::new();
        while let Some((written, Boolean(is_on))) = map.next_entry::<String, Boolean>()? {
            let alias = ALIASES.iter().find(|(alias, _)| *alias == written);
            let name = alias.map_or(written.as_str(), |(_, name)| name);
            if features.insert(name.to_string(), is_on).is_some() {
                return Err(A::Error::custom(format_args!(
                    "feature {name} is listed twice, once as {written}"
                )));
            }
        }
        Ok(EthtoolFeatures(features))
    }
}

impl Overlay for EthtoolFeatures {
    fn fill_from(&mut self, below: &Self) {
        for (name, is_on) in &below.0 {
            self.0.entry(name.clone()).or_insert(*is_on);
        }
    }

    fn keep_differences(&mut self, current: &Self) {
        self.0
            .retain(|name, is_on| current.0.get(name) != Some(is_on));
    }

    fn keep_named(&mut self, mask: &Self) {
        self.0.retain(|name, _| mask.0.contains_key(name));
    }

    fn differences(&self, current: &Self, path: Path<'_>, out: &mut Vec<Difference>) {
        for (name, is_on) in &self.0 {
            let present = current.0.get(name);
            if present != Some(is_on) {
                out.push(Difference {
                    // The kernel's names have underscores.
                    path: format!("{path}.{name}"),
                    current: present.map_or(Value::Null, |present| Value::from(*present)),
                    desired: Value::from(*is_on),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(text: &str) -> EthtoolFeatures {
        crate::yaml::parse(text).unwrap()
    }

    #[test]
    fn short_names_mean_the_kernels() {
        let read = features("{gro: 'yes', rxvlan: off, tx-udp_tnl-segmentation: true}");
        let expected = [
            ("rx-gro", true),
            ("rx-vlan-hw-parse", false),
            ("tx-udp_tnl-segmentation", true),
        ];
        let expected = expected.map(|(name, is_on)| (name.to_string(), is_on));
        assert_eq!(read.0, BTreeMap::from(expected));
        let twice = crate::yaml::parse::<EthtoolFeatures>("{gro: true, rx-gro: true}");
        let message = twice.unwrap_err().to_string();
        assert!(
            message.contains("feature rx-gro is listed twice"),
            "{message}"
        );
    }

    #[test]
    fn overlaid_name_by_name() {
        let mut wanted = features("{rx-gro: true, rx-lro: false}");
        let present = features("{rx-gro: false, rx-lro: false, rx-hashing: true}");
        let mut out = Vec::new();
        wanted.differences(&present, Path::root("v1"), &mut out);
        let paths: Vec<String> = out.iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["v1.rx-gro: false → true"]);
        let mut back = present.clone();
        back.keep_named(&wanted);
        assert_eq!(back, features("{rx-gro: false, rx-lro: false}"));
        let mut filled = wanted.clone();
        filled.fill_from(&present);
        assert_eq!(
            filled,
            features("{rx-gro: true, rx-lro: false, rx-hashing: true}")
        );
        wanted.keep_differences(&present);
        assert_eq!(wanted, features("{rx-gro: true}"));
    }
}
