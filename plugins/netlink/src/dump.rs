// SPDX-License-Identifier: Apache-2.0

//! The socket for questions: dumps and look-ups of links, addresses, routes and rules.
//!
//! The kernel allows one dump per socket at a time, so questions queue up. A dump during which something
//! changed is marked by the kernel (`NLM_F_DUMP_INTR`), may lack or repeat objects, and is repeated.

mod exchange;
pub(crate) mod filter;

use std::time::Duration;

use netlink_packet_core::{DefaultNla, NLM_F_DUMP};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::route::{RouteHeader, RouteMessage};
use netlink_packet_route::rule::RuleMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;

use crate::error::NetlinkError;
use crate::request::NetlinkRequest;
use crate::socket::SocketOptions;
use crate::sockopt::RECEIVE_BUFFER;
use crate::worker::WorkerSlot;
use exchange::{Asking, dump_all, look_up};
use filter::{LinkFilter, RouteFilter};

/// `IFLA_ALT_IFNAME`, `linux/if_link.h`.
const IFLA_ALT_IFNAME: u16 = 53;
/// Longest interface name in bytes: `IFNAMSIZ` less the terminating zero.
const INTERFACE_NAME_MAX: usize = 15;

/// How a [`DumpSocket`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpOptions {
    /// Longest time for one question, repetitions included; a million routes take less than two seconds.
    pub limit: Duration,
    /// How often an interrupted dump is tried in all, at least once.
    pub attempts: u32,
    /// When all attempts were interrupted: return the last one, which may lack or repeat objects that changed
    /// meanwhile, instead of [`NetlinkError::Interrupted`].
    pub accept_interrupted: bool,
    /// Receive buffer in bytes, granted beyond `net.core.rmem_max` with `CAP_NET_ADMIN`.
    pub receive_buffer: usize,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self {
            limit: Duration::from_secs(10),
            attempts: 10,
            accept_interrupted: false,
            receive_buffer: RECEIVE_BUFFER,
        }
    }
}

/// Answers questions about the kernel's state; see the module's description. Needs a tokio runtime with time
/// enabled.
pub struct DumpSocket {
    slot: WorkerSlot,
    options: DumpOptions,
}

impl DumpSocket {
    /// Opens the socket in the network namespace of the calling thread.
    pub fn open(options: DumpOptions) -> Result<Self, NetlinkError> {
        let socket = SocketOptions {
            receive_buffer: options.receive_buffer,
            strict: true,
            protocol: NETLINK_ROUTE,
        };
        Ok(Self {
            slot: WorkerSlot::open("netlink-dump", socket)?,
            options,
        })
    }

    /// All links, without IPv6 counters and virtual functions.
    pub async fn links(&self) -> Result<Vec<LinkMessage>, NetlinkError> {
        self.links_matching(LinkFilter::default()).await
    }

    /// The links that match, with what the filter asks for.
    pub async fn links_matching(
        &self,
        filter: LinkFilter,
    ) -> Result<Vec<LinkMessage>, NetlinkError> {
        self.links_map(filter, Some).await
    }

    /// As [`Self::links_matching`], but keeps only what `map` makes of each, see [`Self::routes_map`]. A parsed
    /// link takes several kilobytes, so for thousands of links this saves time as well.
    pub async fn links_map<T, F>(
        &self,
        filter: LinkFilter,
        mut map: F,
    ) -> Result<Vec<T>, NetlinkError>
    where
        T: Send + 'static,
        F: FnMut(LinkMessage) -> Option<T> + Send + 'static,
    {
        let map = move |message| into_link(message).and_then(&mut map);
        self.dump("dumping links", vec![filter.request()], |_| true, map)
            .await
    }

    /// The link with this name or alternative name, `None` if there is none. Virtual functions and IPv6 counters
    /// come with it as `detail` asks; the other fields of `detail` do not matter.
    pub async fn link(
        &self,
        name: &str,
        detail: LinkFilter,
    ) -> Result<Option<LinkMessage>, NetlinkError> {
        let mut message = LinkMessage::default();
        message
            .attributes
            .push(if name.len() <= INTERFACE_NAME_MAX {
                // The kernel looks among the alternative names as well.
                LinkAttribute::IfName(name.to_owned())
            } else {
                let mut value = name.as_bytes().to_vec();
                value.push(0);
                // Longer names are refused in `IFLA_IFNAME`.
                LinkAttribute::Other(DefaultNla::new(IFLA_ALT_IFNAME, value))
            });
        message.attributes.extend(detail.extent());
        self.single_link(message).await
    }

    /// The link with this index, `None` if there is none.
    pub async fn link_by_index(
        &self,
        index: u32,
        detail: LinkFilter,
    ) -> Result<Option<LinkMessage>, NetlinkError> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes.extend(detail.extent());
        self.single_link(message).await
    }

    async fn single_link(&self, message: LinkMessage) -> Result<Option<LinkMessage>, NetlinkError> {
        let request = NetlinkRequest::new(RouteNetlinkMessage::GetLink(message), 0);
        let limit = self.options.limit;
        let answer = self
            .slot
            .run("looking up a link", limit, move |socket, deadline| {
                look_up(
                    socket,
                    &request,
                    Asking::new("looking up a link", limit, deadline),
                )
            })
            .await;
        match answer {
            Ok(message) => Ok(message.and_then(into_link)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// IPv4 and IPv6 addresses, of one interface or of all. Fails with `ENODEV` if the interface is gone.
    pub async fn addresses(
        &self,
        interface: Option<u32>,
    ) -> Result<Vec<AddressMessage>, NetlinkError> {
        self.addresses_map(interface, Some).await
    }

    /// As [`Self::addresses`], but keeps only what `map` makes of each. `map` runs on the socket's thread.
    pub async fn addresses_map<T, F>(
        &self,
        interface: Option<u32>,
        mut map: F,
    ) -> Result<Vec<T>, NetlinkError>
    where
        T: Send + 'static,
        F: FnMut(AddressMessage) -> Option<T> + Send + 'static,
    {
        let requests = [AddressFamily::Inet, AddressFamily::Inet6]
            .into_iter()
            .map(|family| {
                let mut message = AddressMessage::default();
                message.header.family = family;
                message.header.index = interface.unwrap_or(0);
                NetlinkRequest::new(RouteNetlinkMessage::GetAddress(message), NLM_F_DUMP)
            })
            .collect();
        let map = move |message| into_address(message).and_then(&mut map);
        self.dump("dumping addresses", requests, |_| true, map)
            .await
    }

    /// The routes that match.
    pub async fn routes(&self, filter: RouteFilter) -> Result<Vec<RouteMessage>, NetlinkError> {
        self.routes_map(filter, |_| true, Some).await
    }

    /// As [`Self::routes`], but keeps only what `map` makes of each: a table of a million routes need not be
    /// held in memory to find the few that matter. `map` runs on the socket's thread; it may be called for the
    /// objects of an attempt that is then interrupted and repeated. Routes whose header isn't `wanted` aren't even
    /// parsed, which is most of the work: the kernel has several of its own for each address.
    pub async fn routes_map<T, F>(
        &self,
        filter: RouteFilter,
        wanted: impl Fn(&RouteHeader) -> bool + Send + 'static,
        mut map: F,
    ) -> Result<Vec<T>, NetlinkError>
    where
        T: Send + 'static,
        F: FnMut(RouteMessage) -> Option<T> + Send + 'static,
    {
        let requests = filter
            .families()
            .into_iter()
            .map(|family| filter.request(family))
            .collect();
        let glance =
            move |payload: &[u8]| RouteHeader::parse(payload).is_ok_and(|header| wanted(&header));
        let map = move |message| into_route(message).and_then(&mut map);
        self.dump("dumping routes", requests, glance, map).await
    }

    /// Routing rules of a family. Fails with `EAFNOSUPPORT` if the kernel has none of that family.
    pub async fn rules(&self, family: AddressFamily) -> Result<Vec<RuleMessage>, NetlinkError> {
        let mut message = RuleMessage::default();
        message.header.family = family;
        let request = NetlinkRequest::new(RouteNetlinkMessage::GetRule(message), NLM_F_DUMP);
        self.dump("dumping rules", vec![request], |_| true, into_rule)
            .await
    }

    /// What bridges know about themselves and their ports (family `AF_BRIDGE`): one message for each, with the
    /// VLANs as ranges in `IFLA_AF_SPEC`. Keeps what `map` makes of each, see [`Self::routes_map`].
    pub async fn bridge_ports_map<T, F>(&self, mut map: F) -> Result<Vec<T>, NetlinkError>
    where
        T: Send + 'static,
        F: FnMut(LinkMessage) -> Option<T> + Send + 'static,
    {
        let mut message = LinkMessage::default();
        message.header.interface_family = AddressFamily::Bridge;
        message.attributes.push(LinkAttribute::ExtMask(vec![
            LinkExtentMask::BrvlanCompressed,
        ]));
        let request = NetlinkRequest::new(RouteNetlinkMessage::GetLink(message), NLM_F_DUMP);
        let map = move |message| into_link(message).and_then(&mut map);
        self.dump("dumping bridge ports", vec![request], |_| true, map)
            .await
    }

    async fn dump<T, F>(
        &self,
        operation: &'static str,
        requests: Vec<NetlinkRequest>,
        glance: impl Fn(&[u8]) -> bool + Send + 'static,
        map: F,
    ) -> Result<Vec<T>, NetlinkError>
    where
        T: Send + 'static,
        F: FnMut(RouteNetlinkMessage) -> Option<T> + Send + 'static,
    {
        let options = self.options;
        self.slot
            .run(operation, options.limit, move |socket, deadline| {
                dump_all(
                    socket,
                    &requests,
                    Asking::new(operation, options.limit, deadline),
                    options,
                    glance,
                    map,
                )
            })
            .await
    }
}

fn into_link(message: RouteNetlinkMessage) -> Option<LinkMessage> {
    match message {
        RouteNetlinkMessage::NewLink(link) => Some(link),
        _ => None,
    }
}

fn into_address(message: RouteNetlinkMessage) -> Option<AddressMessage> {
    match message {
        RouteNetlinkMessage::NewAddress(address) => Some(address),
        _ => None,
    }
}

fn into_route(message: RouteNetlinkMessage) -> Option<RouteMessage> {
    match message {
        RouteNetlinkMessage::NewRoute(route) => Some(route),
        _ => None,
    }
}

fn into_rule(message: RouteNetlinkMessage) -> Option<RuleMessage> {
    match message {
        RouteNetlinkMessage::NewRule(rule) => Some(rule),
        _ => None,
    }
}
