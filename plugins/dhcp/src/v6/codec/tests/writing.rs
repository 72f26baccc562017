// SPDX-License-Identifier: Apache-2.0

//! What the client writes, as another decoder reads it.

use dhcproto::{Decodable, Decoder};

use super::*;

const KINDS: [(ClientMessageKind, MessageType); 7] = [
    (ClientMessageKind::Solicit, MessageType::Solicit),
    (ClientMessageKind::Request, MessageType::Request),
    (ClientMessageKind::Renew, MessageType::Renew),
    (ClientMessageKind::Rebind, MessageType::Rebind),
    (ClientMessageKind::Release, MessageType::Release),
    (ClientMessageKind::Decline, MessageType::Decline),
    (
        ClientMessageKind::InformationRequest,
        MessageType::InformationRequest,
    ),
];

fn message(kind: ClientMessageKind) -> ClientMessage {
    ClientMessage {
        kind,
        transaction: TRANSACTION,
        elapsed: 150,
        server: Some(ServerDuid(SERVER.to_vec())),
        addresses: vec![ADDRESS],
    }
}

fn written(kind: ClientMessageKind, identity: &Identity) -> Vec<DhcpOption> {
    let bytes = encode(&message(kind), identity).unwrap();
    let packet = Message::decode(&mut Decoder::new(&bytes)).unwrap();
    assert_eq!(packet.xid_num(), TRANSACTION);
    let expected = KINDS.iter().find(|(ours, _)| *ours == kind).unwrap().1;
    assert_eq!(packet.msg_type(), expected);
    packet.opts().iter().cloned().collect()
}

#[test]
fn each_message_has_what_it_should() {
    use ClientMessageKind::{Decline, InformationRequest, Release, Solicit};
    for (kind, _) in KINDS {
        let options = written(kind, &identity());
        let has = |option: &DhcpOption| options.contains(option);
        assert!(has(&DhcpOption::ClientId(DUID.to_vec())), "{kind:?}");
        assert!(has(&DhcpOption::ServerId(SERVER.to_vec())), "{kind:?}");
        assert!(has(&DhcpOption::ElapsedTime(150)), "{kind:?}");
        assert_eq!(has(&DhcpOption::RapidCommit), kind == Solicit, "{kind:?}");
        let lent = IAAddr {
            addr: ADDRESS,
            preferred_life: 0,
            valid_life: 0,
            opts: DhcpOptions::new(),
        };
        let association = DhcpOption::IANA(IANA {
            id: u32::from_be_bytes(IAID),
            t1: 0,
            t2: 0,
            opts: [DhcpOption::IAAddr(lent)].into_iter().collect(),
        });
        assert_eq!(has(&association), kind != InformationRequest, "{kind:?}");
        let wishes: Option<Vec<u16>> = options.iter().find_map(|option| match option {
            DhcpOption::ORO(wishes) => Some(wishes.opts.iter().copied().map(u16::from).collect()),
            _ => None,
        });
        let expected = match kind {
            Release | Decline => None,
            InformationRequest => Some(vec![23, 24, 32, 83]),
            _ => Some(vec![23, 24, 82]),
        };
        assert_eq!(wishes, expected, "{kind:?}");
        assert!(options.len() <= 7, "{options:?}");
    }
}

#[test]
fn names_of_hosts() {
    let written = |kind, name: &str| {
        let identity = Identity {
            hostname: Some(name.to_owned()),
            ..identity()
        };
        written(kind, &identity)
            .into_iter()
            .find_map(|option| match option {
                DhcpOption::Unknown(option) => {
                    assert_eq!(u16::from(option.code()), 39);
                    Some(option.data().to_vec())
                }
                _ => None,
            })
    };
    let kind = ClientMessageKind::Solicit;
    // A single label is a part of a name, more are all of it.
    assert_eq!(written(kind, "tester").unwrap(), b"\x01\x06tester");
    assert_eq!(
        written(kind, "Tester.example.com").unwrap(),
        b"\x01\x06tester\x07example\x03com\0"
    );
    for name in [
        "",
        ".",
        "a..b",
        "a b",
        "-a",
        "ä",
        &"a".repeat(64),
        &"a.".repeat(200),
    ] {
        assert_eq!(written(kind, name), None, "{name}");
    }
    assert!(written(ClientMessageKind::Renew, "tester").is_some());
    assert_eq!(written(ClientMessageKind::Release, "tester"), None);
    assert_eq!(written(ClientMessageKind::Decline, "tester"), None);
    assert_eq!(
        written(ClientMessageKind::InformationRequest, "tester"),
        None
    );
}

#[test]
fn another_decoder_agrees_about_a_reply() {
    let bytes = packet(7, &rich());
    let theirs = Message::decode(&mut Decoder::new(&bytes)).unwrap();
    let ours = decode(&bytes, TRANSACTION, &identity()).unwrap();
    let association = ours.association.unwrap();
    let Some(DhcpOption::IANA(found)) = theirs.opts().get(OptionCode::IANA) else {
        panic!("{theirs:?}")
    };
    assert_eq!(
        (found.t1, found.t2),
        (association.renewal_time, association.rebinding_time)
    );
    assert_eq!(
        theirs.opts().get(OptionCode::DomainNameServers),
        Some(&DhcpOption::DomainNameServers(ours.dns_servers))
    );
}
