// SPDX-License-Identifier: Apache-2.0

use super::*;

fn bitset(is_plain: bool, bits: &[(u32, &str, bool)]) -> Attributes {
    let mut list = Attributes::default();
    for (number, name, is_set) in bits {
        let mut bit = Attributes::default();
        bit.value(1, &number.to_ne_bytes());
        bit.text(2, name);
        if *is_set {
            bit.value(3, &[]);
        }
        list.nested(1, &bit);
    }
    let mut bitset = Attributes::default();
    if is_plain {
        bitset.value(1, &[]);
    }
    bitset.nested(3, &list);
    bitset
}

#[test]
fn features_that_can_be_changed() {
    let mut answer = about(Some("eth0"));
    let bits = [
        (3, "rx-gro", true),
        (5, "rx-lro", true),
        (7, "rx-fcs", false),
        (9, "highdma", true),
    ];
    answer.nested(ETHTOOL_A_FEATURES_HW, &bitset(false, &bits));
    answer.nested(
        ETHTOOL_A_FEATURES_ACTIVE,
        &bitset(true, &[(3, "rx-gro", false), (9, "highdma", false)]),
    );
    answer.nested(
        ETHTOOL_A_FEATURES_NOCHANGE,
        &bitset(true, &[(9, "highdma", false)]),
    );
    let answer = answer.bytes();
    assert_eq!(name_of(&answer).as_deref(), Some("eth0"));
    let expected = [("rx-gro".to_string(), true), ("rx-lro".to_string(), false)];
    assert_eq!(read_features(&answer), Features::from(expected));
}

#[test]
fn numbers_of_both_widths() {
    let mut answer = about(Some("eth0"));
    answer.value(2, &[1]);
    answer.value(5, &1000u32.to_ne_bytes());
    answer.nested(7, &bitset(true, &[]));
    let expected = [(2, Number::U8(1)), (5, Number::U32(1000))];
    assert_eq!(read_numbers(&answer.bytes()), Numbers::from(expected));
}

#[test]
fn error_correction_there_and_back() {
    let mut answer = about(Some("eth0"));
    answer.nested(ETHTOOL_A_FEC_MODES, &replacement(&[50, 74]));
    answer.value(ETHTOOL_A_FEC_AUTO, &[0]);
    answer.value(ETHTOOL_A_FEC_ACTIVE, &50u32.to_ne_bytes());
    let expected = Fec {
        auto: Some(false),
        modes: vec![50, 74],
        active: Some(50),
    };
    assert_eq!(read_fec(&answer.bytes()), expected);
    assert_eq!(read_fec(&about(None).bytes()), Fec::default());
}
