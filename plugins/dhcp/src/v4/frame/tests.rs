// SPDX-License-Identifier: Apache-2.0

use proptest::prelude::*;

use super::*;

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

/// A sound packet in the other direction, built by hand from one of ours: ports swapped, checksum as it was.
fn reply(payload: &[u8]) -> Vec<u8> {
    let mut packet = wrap(SERVER, CLIENT, payload).unwrap();
    packet[20..24].copy_from_slice(&[0, 67, 0, 68]);
    packet
}

#[test]
fn headers_byte_by_byte() {
    let packet = wrap(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, &[1, 2, 3]).unwrap();
    // Version and length, class selector 6, total length, no identification, "don't fragment", TTL 64, UDP.
    assert_eq!(packet[..10], [0x45, 0xc0, 0, 31, 0, 0, 0x40, 0, 64, 17]);
    assert_eq!(ones_complement_sum(&packet[..20]), 0xffff);
    assert_eq!(packet[12..20], [0, 0, 0, 0, 255, 255, 255, 255]);
    assert_eq!(packet[20..26], [0, 68, 0, 67, 0, 11]);
    assert_eq!(packet[28..], [1, 2, 3]);
    // RFC 768: the sum over pseudo header, header and data is all ones.
    let pseudo = [&packet[12..20], &[0, 17, 0, 11], &packet[20..], &[0]].concat();
    assert_eq!(ones_complement_sum(&pseudo), 0xffff);
}

#[test]
fn what_was_wrapped_can_be_unwrapped() {
    for length in [0, 1, 2, 299, 300, 548, 1472] {
        let payload: Vec<u8> = (0..length).map(|number| number as u8).collect();
        let packet = reply(&payload);
        assert_eq!(
            unwrap(&packet, ChecksumState::Present),
            Ok(payload.as_slice())
        );
        // Ethernet's padding of short frames.
        let padded = [&packet[..], &[0xaa; 40]].concat();
        assert_eq!(
            unwrap(&padded, ChecksumState::Present),
            Ok(payload.as_slice())
        );
    }
    assert_eq!(
        wrap(SERVER, CLIENT, &vec![0; 65_508]),
        Err(FrameError::TooLong)
    );
}

#[test]
fn checksums() {
    let mut wrong = reply(b"payload");
    wrong[26] ^= 0xff;
    assert_eq!(
        unwrap(&wrong, ChecksumState::Present),
        Err(FrameError::UdpChecksum)
    );
    // Hardware that was never met would have filled it in.
    assert_eq!(unwrap(&wrong, ChecksumState::NotReady), Ok(&b"payload"[..]));
    // Zero: the sender computed none.
    wrong[26..28].copy_from_slice(&[0, 0]);
    assert_eq!(unwrap(&wrong, ChecksumState::Present), Ok(&b"payload"[..]));
    let mut wrong = reply(b"payload");
    wrong[8] = 63;
    assert_eq!(
        unwrap(&wrong, ChecksumState::NotReady),
        Err(FrameError::Ipv4Checksum)
    );
}

/// Sets bytes of the IPv4 header and makes its checksum right again.
fn with_header(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut packet = reply(b"payload");
    packet[at..at + bytes.len()].copy_from_slice(bytes);
    packet[10..12].copy_from_slice(&[0, 0]);
    let sum = !ones_complement_sum(&packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

#[test]
fn what_is_not_for_a_client() {
    for (packet, error) in [
        (Vec::new(), FrameError::Ipv4Header),
        (reply(b"payload")[..19].to_vec(), FrameError::Ipv4Header),
        (with_header(0, &[0x65]), FrameError::Ipv4Header),
        (with_header(0, &[0x44]), FrameError::Ipv4Header),
        (with_header(2, &[0xff, 0xff]), FrameError::Ipv4Header),
        (with_header(2, &[0, 27]), FrameError::UdpHeader),
        (with_header(2, &[0, 19]), FrameError::Ipv4Header),
        (with_header(6, &[0x20, 0]), FrameError::Fragment),
        (with_header(6, &[0, 1]), FrameError::Fragment),
        (with_header(9, &[6]), FrameError::OtherProtocol),
        (
            wrap(SERVER, CLIENT, b"").unwrap(),
            FrameError::OtherProtocol,
        ),
    ] {
        assert_eq!(
            unwrap(&packet, ChecksumState::NotReady),
            Err(error),
            "{packet:?}"
        );
    }
    for length in [0, 7, 16, 0xffff_u16] {
        let mut packet = reply(b"payload");
        packet[24..26].copy_from_slice(&length.to_be_bytes());
        assert_eq!(
            unwrap(&packet, ChecksumState::NotReady),
            Err(FrameError::UdpHeader),
            "{length}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_do_harm(packet in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = unwrap(&packet, ChecksumState::Present);
        let _ = unwrap(&packet, ChecksumState::NotReady);
    }

    #[test]
    fn one_changed_byte_is_noticed_or_changes_nothing(at in 0..335_usize, value in any::<u8>()) {
        let payload = [7; 307];
        let mut packet = reply(&payload);
        packet[at] = value;
        // A checksum sees every change of one byte; one of zero is not checked.
        if let Ok(seen) = unwrap(&packet, ChecksumState::Present) {
            prop_assert!(seen == payload || packet[26..28] == [0, 0]);
        }
    }
}
