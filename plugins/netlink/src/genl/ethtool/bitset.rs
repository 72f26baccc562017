// SPDX-License-Identifier: Apache-2.0

//! Sets whose members have numbers and names (`ETHTOOL_A_BITSET_*`), in their long form: a list of bits.

use std::collections::BTreeMap;

use super::super::attribute::{Attributes, read, read_u32};
use super::{Features, find};

const ETHTOOL_A_BITSET_NOMASK: u16 = 1;
const ETHTOOL_A_BITSET_BITS: u16 = 3;
const ETHTOOL_A_BITSET_BITS_BIT: u16 = 1;
const ETHTOOL_A_BITSET_BIT_INDEX: u16 = 1;
const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;
const ETHTOOL_A_BITSET_BIT_VALUE: u16 = 3;

/// The members of a set that was read. With a mask the list has all bits that the mask has, and those that are set are
/// marked; without, it has only these.
pub(super) fn members(bitset: &[u8]) -> BTreeMap<u32, String> {
    let is_plain = find(bitset, ETHTOOL_A_BITSET_NOMASK).is_some();
    let bits = find(bitset, ETHTOOL_A_BITSET_BITS).unwrap_or_default();
    let member = |bit: &[u8]| {
        let number = find(bit, ETHTOOL_A_BITSET_BIT_INDEX).and_then(read_u32)?;
        let is_set = is_plain || find(bit, ETHTOOL_A_BITSET_BIT_VALUE).is_some();
        let name = find(bit, ETHTOOL_A_BITSET_BIT_NAME).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        is_set.then(|| (number, String::from_utf8_lossy(name).into_owned()))
    };
    let bits = read(bits).into_iter();
    bits.filter(|bit| bit.kind == ETHTOOL_A_BITSET_BITS_BIT)
        .filter_map(|bit| member(bit.value))
        .collect()
}

/// A change of these members, by their names.
pub(super) fn with_names(members: &Features) -> Attributes {
    let bits = members.iter().map(|(name, is_set)| {
        let mut bit = Attributes::default();
        bit.text(ETHTOOL_A_BITSET_BIT_NAME, name);
        if *is_set {
            bit.value(ETHTOOL_A_BITSET_BIT_VALUE, &[]);
        }
        bit
    });
    let mut bitset = Attributes::default();
    bitset.nested(ETHTOOL_A_BITSET_BITS, &list(bits));
    bitset
}

/// A set of these members, by their numbers, in place of the one that there is.
pub(super) fn replacement(members: &[u32]) -> Attributes {
    let bits = members.iter().map(|number| {
        let mut bit = Attributes::default();
        bit.value(ETHTOOL_A_BITSET_BIT_INDEX, &number.to_ne_bytes());
        bit
    });
    let mut bitset = Attributes::default();
    bitset.value(ETHTOOL_A_BITSET_NOMASK, &[]);
    bitset.nested(ETHTOOL_A_BITSET_BITS, &list(bits));
    bitset
}

fn list(bits: impl Iterator<Item = Attributes>) -> Attributes {
    let mut list = Attributes::default();
    bits.for_each(|bit| list.nested(ETHTOOL_A_BITSET_BITS_BIT, &bit));
    list
}
