// SPDX-License-Identifier: Apache-2.0

//! As much of a link message as it takes to see whether a rule waits for it, without parsing the rest.

use nipart_schemas::ip::{PROTOCOL_DHCP, PROTOCOL_NIPART};

/// `RTM_NEWLINK` and `RTM_DELLINK`, `linux/rtnetlink.h`.
const NEW_LINK: u16 = 16;
const DELETE_LINK: u16 = 17;
/// `sizeof(struct ifinfomsg)`, `linux/rtnetlink.h`: family, padding, type, index, flags, mask.
const HEADER_LENGTH: usize = 16;
/// `IFLA_IFNAME`, `linux/if_link.h`.
const IFLA_IFNAME: u16 = 3;
/// `IFF_UP` and `IFF_LOWER_UP`, `linux/if.h`.
const IFF_UP: u32 = 1;
const IFF_LOWER_UP: u32 = 1 << 16;

/// What a message says about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkNews<'a> {
    /// `ifindex`.
    pub(crate) index: u32,
    /// Kernel name.
    pub(crate) name: &'a str,
    /// Administratively up, with carrier.
    pub(crate) is_up: bool,
    /// Whether it has gone.
    pub(crate) is_gone: bool,
}

/// None for what isn't about a link as a whole: of family `AF_BRIDGE` are ports that join or leave a bridge.
pub(crate) fn link_news(message_type: u16, payload: &[u8]) -> Option<LinkNews<'_>> {
    let is_gone = match message_type {
        NEW_LINK => false,
        DELETE_LINK => true,
        _ => return None,
    };
    let (header, attributes) = payload.split_at_checked(HEADER_LENGTH)?;
    if header[0] != 0 {
        return None;
    }
    let flags = number(&header[8..12])?;
    Some(LinkNews {
        index: number(&header[4..8])?,
        name: name(attributes)?,
        is_up: flags & IFF_UP != 0 && flags & IFF_LOWER_UP != 0,
        is_gone,
    })
}

/// `RTM_NEWADDR`, `RTM_DELADDR` and `RTM_DELROUTE`, `linux/rtnetlink.h`.
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const DELETE_ROUTE: u16 = 25;
/// `sizeof(struct rtmsg)`, and where its protocol is.
const ROUTE_HEADER_LENGTH: usize = 12;
const ROUTE_PROTOCOL: usize = 5;
/// `RTA_OIF`.
const RTA_OIF: u16 = 4;

/// The link that a message about an address is about, or one about a route of ours that has gone.
pub(crate) fn belonging_index(message_type: u16, payload: &[u8]) -> Option<u32> {
    match message_type {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        NEW_ADDRESS | DELETE_ADDRESS => number(payload.get(4..8)?),
        DELETE_ROUTE => {
            let (header, attributes) = payload.split_at_checked(ROUTE_HEADER_LENGTH)?;
            let is_ours = matches!(header[ROUTE_PROTOCOL], PROTOCOL_NIPART | PROTOCOL_DHCP);
            if is_ours {
                number(attribute(attributes, RTA_OIF)?)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

/// The kernel puts it first, so the loop ends early.
fn name(attributes: &[u8]) -> Option<&str> {
    let value = attribute(attributes, IFLA_IFNAME)?;
    std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok()
}

fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (header, rest) = attributes.split_at_checked(4)?;
        let length = usize::from(u16::from_ne_bytes(header[..2].try_into().ok()?));
        let kind = u16::from_ne_bytes(header[2..].try_into().ok()?);
        let value = rest.get(..length.checked_sub(4)?)?;
        if kind == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(family: u8, index: u32, flags: u32, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_LENGTH];
        bytes[0] = family;
        bytes[4..8].copy_from_slice(&index.to_ne_bytes());
        bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
        for (kind, value) in attributes {
            let length = u16::try_from(4 + value.len()).unwrap();
            bytes.extend_from_slice(&length.to_ne_bytes());
            bytes.extend_from_slice(&kind.to_ne_bytes());
            bytes.extend_from_slice(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    #[test]
    fn name_and_condition_are_found() {
        let bytes = message(0, 7, 0x1_0001, &[(4, &[1, 2, 3, 4, 5]), (3, b"eth0\0")]);
        let news = LinkNews {
            index: 7,
            name: "eth0",
            is_up: true,
            is_gone: false,
        };
        assert_eq!(link_news(NEW_LINK, &bytes), Some(news));
        let gone = LinkNews {
            is_gone: true,
            ..news
        };
        assert_eq!(link_news(DELETE_LINK, &bytes), Some(gone));
        let no_carrier = message(0, 7, 1, &[(3, b"eth0\0")]);
        assert!(!link_news(NEW_LINK, &no_carrier).unwrap().is_up);
    }

    #[test]
    fn other_and_broken_messages_are_passed_over() {
        let bytes = message(0, 7, 0, &[(3, b"eth0\0")]);
        assert_eq!(link_news(20, &bytes), None);
        let port = message(7, 7, 0, &[(3, b"eth0\0")]);
        assert_eq!(link_news(DELETE_LINK, &port), None);
        for length in 0..bytes.len() - 4 {
            assert_eq!(link_news(NEW_LINK, &bytes[..length]), None, "{length}");
        }
        assert_eq!(
            link_news(NEW_LINK, &message(0, 7, 0, &[(4, &[0; 4])])),
            None
        );
        // An attribute that claims to be shorter than its own header must not loop for ever.
        let mut endless = message(0, 7, 0, &[(4, &[0; 4]), (3, b"eth0\0")]);
        endless[HEADER_LENGTH] = 0;
        assert_eq!(link_news(NEW_LINK, &endless), None);
    }
}
