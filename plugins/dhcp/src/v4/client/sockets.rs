// SPDX-License-Identifier: Apache-2.0

//! The sockets of a DHCPv4 client.
//!
//! A message that cannot be sent is logged and forgotten: the machine says it again in time, and by then the sockets are
//! opened anew, with the link's hardware address of that moment.

use std::future;
use std::io;
use std::net::Ipv4Addr;

use nipart_schemas::lease::Dhcpv4Config;

use crate::client;
use crate::error::DhcpError;
use crate::link::Link;
use crate::v4::client_id;
use crate::v4::codec::{self, Identity};
use crate::v4::frame;
use crate::v4::machine::{Outgoing, Packet, State};
use crate::v4::message::{ClientMessage, LinkAddress, Path};
use crate::v4::socket::{Arrived, PacketSocket, RoutedSocket};

/// The sockets and who speaks through them.
pub(super) struct Sockets {
    config: Dhcpv4Config,
    open: Option<Open>,
}

struct Open {
    link: Link,
    identity: Identity,
    packet: PacketSocket,
    /// With the address that it is bound to.
    routed: Option<(Ipv4Addr, RoutedSocket)>,
}

impl Sockets {
    /// Nothing is open yet.
    pub(super) fn new(config: Dhcpv4Config) -> Sockets {
        Sockets { config, open: None }
    }
}

impl client::Sockets for Sockets {
    type State = State;
    type Arrived = Arrived;

    fn open(&mut self) -> Result<(), DhcpError> {
        self.opened().map(drop)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        match &self.open {
            Some(open) => open.packet.receive(buffer).await,
            None => future::pending().await,
        }
    }

    fn decode(&self, buffer: &[u8], arrived: Arrived, transaction: u32) -> Option<Packet> {
        let open = self.open.as_ref()?;
        let interface = &self.config.interface;
        let from = arrived.sender;
        let packet = buffer.get(..arrived.length)?;
        let message = frame::unwrap(packet, arrived.checksum)
            .inspect_err(
                |error| tracing::debug!(interface, sender = %from, %error, "packet dropped"),
            )
            .ok()?;
        let message = codec::decode(message, transaction, open.link.hardware)
            .inspect_err(
                |error| tracing::debug!(interface, sender = %from, %error, "DHCP reply dropped"),
            )
            .ok()?;
        Some(Packet { message, from })
    }

    fn send(&mut self, outgoing: &Outgoing) {
        let Outgoing { message, path } = outgoing;
        if let Err(error) = self.try_send(message, *path) {
            tracing::warn!(kind = ?message.kind, %error, "cannot send a DHCP message");
            // The link may have been replaced by another of the same name: look again next time.
            self.close();
        }
    }

    fn close(&mut self) {
        // The socket sees to it that it is closed off this thread.
        self.open = None;
    }
}

impl Sockets {
    fn opened(&mut self) -> Result<&mut Open, DhcpError> {
        let config = &self.config;
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let link = Link::read(&config.interface)?;
                let packet = PacketSocket::open(&link).map_err(DhcpError::system(
                    &config.interface,
                    "opening a packet socket",
                ))?;
                let identity = Identity {
                    hardware: link.hardware,
                    client_id: client_id::bytes(config, link.hardware),
                    hostname: config.hostname.clone(),
                    mtu: link.mtu,
                };
                Open {
                    link,
                    identity,
                    packet,
                    routed: None,
                }
            }
        };
        Ok(self.open.insert(open))
    }

    fn try_send(&mut self, message: &ClientMessage, path: Path) -> Result<(), DhcpError> {
        let interface = self.config.interface.clone();
        let system = |action| DhcpError::system::<io::Error>(&interface, action);
        let open = self.opened()?;
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        let payload = codec::encode(message, &open.identity)
            .map_err(|error| system("encoding a message")(invalid(error.to_string())))?;
        let (source, destination, neighbour) = match path {
            Path::Broadcast { source } => (source, Ipv4Addr::BROADCAST, LinkAddress::BROADCAST),
            Path::Direct {
                source,
                destination,
                neighbour,
            } => (source, destination, neighbour),
            Path::Routed {
                source,
                destination,
            } => {
                let socket = match open.routed.take() {
                    Some((address, socket)) if address == source => socket,
                    _ => RoutedSocket::open(&open.link, source)
                        .map_err(system("opening a UDP socket"))?,
                };
                let (_, socket) = open.routed.insert((source, socket));
                return socket
                    .send(destination, &payload)
                    .map_err(system("sending to the server"));
            }
        };
        let packet = frame::wrap(source, destination, &payload)
            .map_err(|error| system("building a packet")(invalid(error.to_string())))?;
        open.packet
            .send(neighbour, &packet)
            .map_err(system("sending a packet"))
    }
}
