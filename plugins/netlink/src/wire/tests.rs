// SPDX-License-Identifier: Apache-2.0

//! Datagrams made by hand: good, capped, uncapped and broken ones.

use super::*;

fn message(message_type: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = HEADER_LENGTH + payload.len();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
    bytes.extend_from_slice(&message_type.to_ne_bytes());
    bytes.extend_from_slice(&flags.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes.resize(align(length), 0);
    bytes
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u16::try_from(length).unwrap().to_ne_bytes());
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(align(length), 0);
    bytes
}

#[test]
fn walks_over_several_messages() {
    let mut datagram = message(16, 2, 7, &[1, 2, 3]);
    datagram.extend(message(NLMSG_DONE, 2, 7, &[]));
    let all: Vec<_> = messages(&datagram).collect();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].payload, [1, 2, 3]);
    assert_eq!(all[0].sequence, 7);
    assert_eq!(all[1].message_type, NLMSG_DONE);
    assert_eq!(all[1].verdict().unwrap().error, None);
}

#[test]
fn broken_lengths_end_the_walk() {
    for length in [0u32, 15, 17, u32::MAX] {
        let mut datagram = message(16, 0, 1, &[]);
        datagram[..4].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(messages(&datagram).count(), 0, "length {length}");
    }
    assert_eq!(messages(&[1, 2, 3]).count(), 0);
}

#[test]
fn reads_capped_and_uncapped_acks() {
    let mut texts = attribute(NLMSGERR_ATTR_MSG, b"no such thing\0");
    texts.extend(attribute(NLMSGERR_ATTR_OFFS, &52u32.to_ne_bytes()));
    let request = message(16, 1, 9, &[9; 8]);
    for (echo, flags) in [
        (&request[..HEADER_LENGTH], NLM_F_ACK_TLVS | NLM_F_CAPPED),
        (&request[..], NLM_F_ACK_TLVS),
    ] {
        let mut payload = (-libc::EINVAL).to_ne_bytes().to_vec();
        payload.extend_from_slice(echo);
        payload.extend_from_slice(&texts);
        let datagram = message(NLMSG_ERROR, flags, 9, &payload);
        let error = messages(&datagram)
            .next()
            .unwrap()
            .verdict()
            .unwrap()
            .error
            .unwrap();
        assert_eq!(error.errno, libc::EINVAL);
        assert_eq!(error.text.as_deref(), Some("no such thing"));
        assert_eq!(error.attribute_offset, Some(52));
    }
}

#[test]
fn text_on_success_is_a_warning() {
    let mut payload = 0i32.to_ne_bytes().to_vec();
    payload.extend_from_slice(&[0; HEADER_LENGTH]);
    payload.extend(attribute(NLMSGERR_ATTR_MSG, b"deprecated\0"));
    let datagram = message(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, 1, &payload);
    let verdict = messages(&datagram).next().unwrap().verdict().unwrap();
    assert_eq!(verdict.error, None);
    assert_eq!(verdict.warning.as_deref(), Some("deprecated"));
}

#[test]
fn ack_without_code_is_no_verdict() {
    let datagram = message(NLMSG_ERROR, 0, 1, &[0, 0]);
    assert_eq!(messages(&datagram).next().unwrap().verdict(), None);
}
