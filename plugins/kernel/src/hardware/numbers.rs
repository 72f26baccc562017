// SPDX-License-Identifier: Apache-2.0

//! Settings that are numbers: which attribute each key is, for both directions.

use nipart_netlink::genl::ethtool::{Group, Number, Numbers};
use nipart_schemas::interface::ethtool::{EthtoolCoalesce, EthtoolPause, EthtoolRing};
use nipart_schemas::interface::{Duplex, Ethernet};

/// A group of keys that are numbers in the kernel.
pub(super) trait NumberGroup: Default + PartialEq {
    /// Its messages.
    const GROUP: Group;

    /// What the kernel tells.
    fn read(numbers: &Numbers) -> Self;

    /// What is given.
    fn write(&self) -> Numbers;
}

/// A value that is a number in the kernel.
trait AsNumber: Sized {
    fn from_number(number: Number) -> Option<Self>;

    fn to_number(&self) -> Number;
}

impl AsNumber for bool {
    fn from_number(number: Number) -> Option<Self> {
        matches!(number, Number::U8(_)).then(|| number != Number::U8(0))
    }

    fn to_number(&self) -> Number {
        Number::U8((*self).into())
    }
}

impl AsNumber for u32 {
    fn from_number(number: Number) -> Option<Self> {
        match number {
            Number::U32(number) => Some(number),
            Number::U8(_) => None,
        }
    }

    fn to_number(&self) -> Number {
        Number::U32(*self)
    }
}

impl AsNumber for Duplex {
    fn from_number(number: Number) -> Option<Self> {
        match number {
            Number::U8(number) => Self::from_number(number),
            Number::U32(_) => None,
        }
    }

    fn to_number(&self) -> Number {
        Number::U8(self.number())
    }
}

/// The attributes of a group's keys; what is shown only is never written, what is elsewhere is none of them.
macro_rules! number_group {
    (
        $section:ident in $group:ident { $($field:ident = $attribute:literal),* $(,)? }
        $( shown { $($shown:ident = $shown_attribute:literal),* $(,)? } )?
        $( elsewhere { $($elsewhere:ident),* } )?
    ) => {
        impl NumberGroup for $section {
            const GROUP: Group = Group::$group;

            fn read(numbers: &Numbers) -> Self {
                Self {
                    $( $field: value(numbers, $attribute), )*
                    $($( $shown: value(numbers, $shown_attribute), )*)?
                    $($( $elsewhere: None, )*)?
                }
            }

            fn write(&self) -> Numbers {
                let written = [
                    $( ($attribute, self.$field.as_ref().map(AsNumber::to_number)), )*
                ];
                written
                    .into_iter()
                    .filter_map(|(attribute, number)| Some((attribute, number?)))
                    .collect()
            }
        }
    };
}

/// Of a link that has neither speed nor duplex now (`SPEED_UNKNOWN`, `DUPLEX_UNKNOWN`).
fn is_unknown(number: Number) -> bool {
    matches!(number, Number::U32(u32::MAX) | Number::U8(u8::MAX))
}

fn value<T: AsNumber>(numbers: &Numbers, attribute: u16) -> Option<T> {
    let number = numbers.get(&attribute).copied();
    number
        .filter(|number| !is_unknown(*number))
        .and_then(T::from_number)
}

number_group! {
    Ethernet in LinkModes { auto_negotiation = 2, speed = 5, duplex = 6 }
    elsewhere { sr_iov }
}

number_group! {
    EthtoolPause in Pause { autoneg = 2, rx = 3, tx = 4 }
}

number_group! {
    EthtoolRing in Rings { rx = 6, rx_mini = 7, rx_jumbo = 8, tx = 9 }
    shown { rx_max = 2, rx_mini_max = 3, rx_jumbo_max = 4, tx_max = 5 }
}

number_group! {
    EthtoolCoalesce in Coalesce {
        rx_usecs = 2,
        rx_frames = 3,
        rx_usecs_irq = 4,
        rx_frames_irq = 5,
        tx_usecs = 6,
        tx_frames = 7,
        tx_usecs_irq = 8,
        tx_frames_irq = 9,
        stats_block_usecs = 10,
        adaptive_rx = 11,
        adaptive_tx = 12,
        pkt_rate_low = 13,
        rx_usecs_low = 14,
        rx_frames_low = 15,
        tx_usecs_low = 16,
        tx_frames_low = 17,
        pkt_rate_high = 18,
        rx_usecs_high = 19,
        rx_frames_high = 20,
        tx_usecs_high = 21,
        tx_frames_high = 22,
        sample_interval = 23,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_nothing() {
        let numbers = Numbers::from([
            (2, Number::U8(0)),
            (5, Number::U32(u32::MAX)),
            (6, Number::U8(u8::MAX)),
        ]);
        let expected = Ethernet {
            auto_negotiation: Some(false),
            ..Ethernet::default()
        };
        assert_eq!(Ethernet::read(&numbers), expected);
        assert_eq!(expected.write(), Numbers::from([(2, Number::U8(0))]));
    }

    #[test]
    fn limits_are_read_only() {
        let numbers = Numbers::from([(2, Number::U32(4096)), (6, Number::U32(256))]);
        let ring = EthtoolRing::read(&numbers);
        assert_eq!((ring.rx_max, ring.rx), (Some(4096), Some(256)));
        assert_eq!(ring.write(), Numbers::from([(6, Number::U32(256))]));
    }
}
