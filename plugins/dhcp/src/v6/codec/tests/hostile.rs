// SPDX-License-Identifier: Apache-2.0

//! What is refused, and that nothing makes the reader panic.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_not_for_us() {
    let good = packet(7, &rich());
    let with = |alter: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        alter(&mut bytes);
        decode(&bytes, TRANSACTION, &identity())
    };
    assert!(with(&|_| ()).is_ok());
    for kind in [0, 1, 3, 5, 6, 8, 10, 11, 12, 13, 255] {
        assert_eq!(
            with(&|bytes| bytes[0] = kind),
            Err(DecodeError::MessageType(kind))
        );
    }
    assert_eq!(
        with(&|bytes| bytes[3] ^= 1),
        Err(DecodeError::OtherTransaction)
    );
    // In the client identifier, and its number.
    for at in [5, 8] {
        assert_eq!(
            with(&|bytes| bytes[at] ^= 0x40),
            Err(DecodeError::OtherClient),
            "{at}"
        );
    }
    for length in 0..4 {
        assert_eq!(
            with(&|bytes| bytes.truncate(length)),
            Err(DecodeError::TooShort)
        );
    }
}

#[test]
fn servers_without_a_name() {
    let [_, high, middle, low] = TRANSACTION.to_be_bytes();
    let header = [7, high, middle, low];
    let read = |server: &[u8]| {
        let bytes = [&header[..], &option(1, &DUID), &option(2, server)].concat();
        decode(&bytes, TRANSACTION, &identity())
    };
    for length in [0, 2, 131, 1000] {
        assert_eq!(read(&vec![1; length]), Err(DecodeError::Server), "{length}");
    }
    for length in [3, 130] {
        assert!(read(&vec![1; length]).is_ok(), "{length}");
    }
    let bytes = [&header[..], &option(1, &DUID)].concat();
    assert_eq!(
        decode(&bytes, TRANSACTION, &identity()),
        Err(DecodeError::Server)
    );
}

#[test]
fn options_beyond_what_is_around_them() {
    let refused = |more: Vec<u8>, code| {
        let message = read(7, std::slice::from_ref(&more));
        assert_eq!(message, Err(DecodeError::OptionLength(code)), "{more:?}");
    };
    refused(vec![0], 0);
    refused(vec![0, 23], 23);
    refused(vec![0, 23, 0], 23);
    refused(vec![0, 23, 0, 1], 23);
    refused(vec![0, 23, 0xff, 0xff, 0], 23);
    // Too short for what every such option has.
    refused(option(3, &[1; 11]), 3);
    refused(option(13, &[0]), 13);
    refused(association(IAID, &option(5, &[0; 23])), 5);
    // Inside the IA_NA, and inside the address inside it, with room left in the packet.
    refused([association(IAID, &[0, 5, 0, 24]), vec![0; 24]].concat(), 5);
    refused(association(IAID, &option(13, &[0])), 13);
    let value = [&ADDRESS.octets()[..], &[0; 8], &[0, 13, 0, 2]].concat();
    refused(association(IAID, &option(5, &value)), 13);
}

#[test]
fn every_cut_of_a_good_packet_is_refused_or_harmless() {
    let good = packet(7, &rich());
    for length in 0..good.len() {
        if let Ok(message) = decode(&good[..length], TRANSACTION, &identity()) {
            // Cut between two options: the association is whole or not there.
            assert!(
                message
                    .association
                    .is_none_or(|association| association.is_usable())
            );
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode(&bytes, TRANSACTION, &identity());
    }

    #[test]
    fn random_options(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(7, std::slice::from_ref(&bytes));
        let _ = read(2, &[association(IAID, &bytes)]);
        let _ = read(7, &[option(24, &bytes)]);
    }

    #[test]
    fn mutated_packets(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = packet(7, &rich());
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(message) = decode(&bytes, TRANSACTION, &identity()) {
            for lent in message.association.iter().flat_map(|association| &association.addresses) {
                prop_assert!(lent.preferred_time <= lent.valid_time);
                prop_assert!(!lent.address.is_multicast() && !lent.address.is_unspecified());
            }
        }
    }
}
