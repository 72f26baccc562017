// SPDX-License-Identifier: Apache-2.0

//! The sockets of a DHCPv6 client.
//!
//! A message that cannot be sent for want of an address waits for one; a later message takes its place. One that cannot
//! be sent for another reason is logged and forgotten: the machine says it again in time, and by then the socket is
//! opened anew. A Release cannot wait: see [`frame`].

use std::future;
use std::io;
use std::net::Ipv6Addr;

use nipart_schemas::lease::Dhcpv6Config;

use crate::client;
use crate::error::DhcpError;
use crate::link::Link;
use crate::v6::codec::{self, Identity};
use crate::v6::duid;
use crate::v6::frame;
use crate::v6::machine::State;
use crate::v6::message::{ClientMessage, ClientMessageKind, ServerMessage};
use crate::v6::socket::{AddressNews, Arrived, Socket, has_no_source};

/// The sockets and who speaks through them.
pub(super) struct Sockets {
    config: Dhcpv6Config,
    open: Option<Open>,
    /// Link-local address that was spoken from last.
    source: Option<Ipv6Addr>,
}

struct Open {
    link: Link,
    identity: Identity,
    socket: Socket,
    waiting: Option<Waiting>,
}

/// A message that the link has no address for yet.
struct Waiting {
    payload: Vec<u8>,
    news: AddressNews,
}

impl client::Sockets for Sockets {
    type State = State;
    type Arrived = Arrived;

    fn open(&mut self) -> Result<(), DhcpError> {
        self.opened().map(drop)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        let Some(open) = &mut self.open else {
            return future::pending().await;
        };
        loop {
            let Some(waiting) = &open.waiting else {
                return open.socket.receive(buffer).await;
            };
            tokio::select! {
                arrived = open.socket.receive(buffer) => return arrived,
                changed = waiting.news.changed() => changed?,
            }
            self.source = open.try_again()?.or(self.source);
        }
    }

    fn decode(&self, buffer: &[u8], arrived: Arrived, transaction: u32) -> Option<ServerMessage> {
        let open = self.open.as_ref()?;
        let (interface, sender) = (&self.config.interface, arrived.sender);
        codec::decode(buffer.get(..arrived.length)?, transaction, &open.identity)
            .inspect_err(
                |error| tracing::debug!(interface, %sender, %error, "DHCPv6 reply dropped"),
            )
            .ok()
    }

    fn send(&mut self, message: &ClientMessage) {
        if let Err(error) = self.try_send(message) {
            tracing::warn!(kind = ?message.kind, %error, "cannot send a DHCPv6 message");
            // The link may have been replaced by another of the same name: look again next time.
            self.close();
        }
    }

    fn close(&mut self) {
        self.open = None;
    }
}

impl Sockets {
    /// Nothing is open yet.
    pub(super) fn new(config: Dhcpv6Config) -> Sockets {
        Sockets {
            config,
            open: None,
            source: None,
        }
    }

    fn opened(&mut self) -> Result<&mut Open, DhcpError> {
        let config = &self.config;
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let interface = &config.interface;
                let link = Link::read(interface)?;
                let socket = Socket::open(link.index)
                    .map_err(DhcpError::system(interface, "opening a UDP socket"))?;
                let identity = Identity {
                    duid: duid::bytes(interface, &config.duid, link.hardware),
                    iaid: duid::iaid(interface, link.hardware),
                    hostname: config.hostname.clone(),
                };
                Open {
                    link,
                    identity,
                    socket,
                    waiting: None,
                }
            }
        };
        Ok(self.open.insert(open))
    }

    fn try_send(&mut self, message: &ClientMessage) -> Result<(), DhcpError> {
        let interface = self.config.interface.clone();
        let system = |action| DhcpError::system::<io::Error>(&interface, action);
        let spoken_from = self.source;
        let open = self.opened()?;
        let payload = codec::encode(message, &open.identity).map_err(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
            system("encoding a message")(error)
        })?;
        let failed = || system("sending a message");
        let source = open.send(payload.clone()).map_err(failed())?;
        if source.is_none()
            && message.kind == ClientMessageKind::Release
            && let Some(source) = spoken_from
        {
            frame::send(open.link.index, source, &payload).map_err(failed())?;
        }
        self.source = source.or(spoken_from);
        Ok(())
    }
}

impl Open {
    /// Sends, and says from which address, or waits for an address to send from.
    fn send(&mut self, payload: Vec<u8>) -> io::Result<Option<Ipv6Addr>> {
        match &mut self.waiting {
            Some(waiting) => waiting.payload = payload,
            None => match self.socket.send(&payload) {
                Err(error) if has_no_source(&error) => {
                    let news = AddressNews::open(self.link.index)?;
                    self.waiting = Some(Waiting { payload, news });
                }
                other => return other.map(Some),
            },
        }
        // Also the first time: the address may have become usable before the news were listened to.
        self.try_again()
    }

    /// Sends what waits, if there is an address now.
    fn try_again(&mut self) -> io::Result<Option<Ipv6Addr>> {
        let Some(waiting) = &self.waiting else {
            return Ok(None);
        };
        match self.socket.send(&waiting.payload) {
            Err(error) if has_no_source(&error) => Ok(None),
            other => {
                self.waiting = None;
                other.map(Some)
            }
        }
    }
}
