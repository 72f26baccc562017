// SPDX-License-Identifier: Apache-2.0

//! Forward error correction: a set of modes in the kernel, one mode and whether it is chosen by itself in states.

use nipart_netlink::genl::ethtool::Fec;
use nipart_schemas::interface::ethtool::{EthtoolFec, FecMode};

/// None when the driver says nothing.
pub(super) fn shown(fec: &Fec) -> Option<EthtoolFec> {
    let shown = EthtoolFec {
        auto: fec.auto,
        mode: mode(fec),
    };
    (shown != EthtoolFec::default()).then_some(shown)
}

/// The only mode that may be used, otherwise the one that is.
fn mode(fec: &Fec) -> Option<FecMode> {
    let number = match fec.modes.as_slice() {
        [only] => Some(*only),
        _ => fec.active,
    };
    FecMode::from_number(u8::try_from(number?).ok()?)
}

/// None when all is as wanted.
pub(super) fn changes(wanted: &EthtoolFec, present: &Fec) -> Option<Fec> {
    let changed_mode = wanted.mode.filter(|wanted| mode(present) != Some(*wanted));
    let changes = Fec {
        auto: wanted.auto.filter(|auto| present.auto != Some(*auto)),
        modes: changed_mode
            .map(|mode| mode.number().into())
            .into_iter()
            .collect(),
        active: None,
    };
    (changes != Fec::default()).then_some(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mode_of_several() {
        let several = Fec {
            auto: Some(true),
            modes: vec![50, 51],
            active: Some(51),
        };
        let expected = EthtoolFec {
            auto: Some(true),
            mode: Some(FecMode::Baser),
        };
        assert_eq!(shown(&several), Some(expected.clone()));
        assert_eq!(shown(&Fec::default()), None);
        assert_eq!(changes(&expected, &several), None);
        let wanted = EthtoolFec {
            auto: Some(false),
            mode: Some(FecMode::Rs),
        };
        let expected = Fec {
            auto: Some(false),
            modes: vec![50],
            active: None,
        };
        assert_eq!(changes(&wanted, &several), Some(expected));
    }
}
