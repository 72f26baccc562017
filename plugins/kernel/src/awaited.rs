// SPDX-License-Identifier: Apache-2.0

//! Waiting for a link: what the kernel announces says when to look again.

use std::time::Duration;

use nipart_netlink::packet::RouteNetlinkMessage;
use nipart_netlink::packet::link::{LinkAttribute, LinkMessage};
use nipart_netlink::{
    DumpSocket, LinkFilter, MonitorEvent, MonitorGroup, MonitorOptions, MonitorSocket, NetlinkError,
};

/// Announcements that are read before it is looked again.
const AT_A_TIME: usize = 16;

/// Waits until there is a link of this name that is so; false when there isn't within `limit`.
pub(crate) async fn link(
    dump: &DumpSocket,
    name: &str,
    limit: Duration,
    is_so: fn(&LinkMessage) -> bool,
) -> Result<bool, NetlinkError> {
    let options = MonitorOptions {
        groups: vec![MonitorGroup::Link],
        ..MonitorOptions::default()
    };
    let is_it = |link: &LinkMessage| has_name(link, name) && is_so(link);
    let wait = async {
        let mut monitor = MonitorSocket::open(&options)?;
        loop {
            let found = dump.link(name, LinkFilter::default()).await?;
            if found.as_ref().is_some_and(is_it) {
                return Ok(());
            }
            while !monitor
                .receive(AT_A_TIME)
                .await?
                .iter()
                .any(|event| may_tell_of(event, name))
            {}
        }
    };
    match tokio::time::timeout(limit, wait).await {
        Ok(result) => result.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// The kernel looks among alternative names as well.
fn has_name(link: &LinkMessage, name: &str) -> bool {
    let is_name =
        |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::IfName(own) if own == name);
    link.attributes.iter().any(is_name)
}

fn may_tell_of(event: &MonitorEvent, name: &str) -> bool {
    match event {
        MonitorEvent::Overrun => true,
        MonitorEvent::Message(message) => {
            matches!(&**message, RouteNetlinkMessage::NewLink(link) if has_name(link, name))
        }
    }
}
