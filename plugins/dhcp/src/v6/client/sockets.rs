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
use crate::neighbours::{Arrived, Neighbours};
use crate::v6::codec::{self, Identity};
use crate::v6::duid;
use crate::v6::frame;
use crate::v6::machine::State;
use crate::v6::message::{ClientMessage, ClientMessageKind, ServerMessage};
use crate::v6::socket::Socket;

/// The sockets and who speaks through them.
pub(super) struct Sockets {
    config: Dhcpv6Config,
    open: Option<Open>,
    /// Link-local address that was spoken from last.
    source: Option<Ipv6Addr>,
}

struct Open {
    identity: Identity,
    neighbours: Neighbours<Socket>,
}

impl client::Sockets for Sockets {
    type State = State;
    type Arrived = Arrived;

    fn open(&mut self) -> Result<(), DhcpError> {
        self.opened().map(drop)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        match &mut self.open {
            Some(open) => open.neighbours.receive(buffer).await,
            None => future::pending().await,
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
        if let Some(open) = self.open.take() {
            self.source = open.neighbours.spoken_from().or(self.source);
        }
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
                    identity,
                    neighbours: Neighbours::over(socket),
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
        let neighbours = &mut open.neighbours;
        let is_sent = neighbours.send(payload.clone()).map_err(failed())?;
        if !is_sent
            && message.kind == ClientMessageKind::Release
            && let Some(source) = neighbours.spoken_from().or(spoken_from)
        {
            frame::send(neighbours.index(), source, &payload).map_err(failed())?;
        }
        Ok(())
    }
}
