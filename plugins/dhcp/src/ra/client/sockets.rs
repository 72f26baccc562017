// SPDX-License-Identifier: Apache-2.0

//! The socket of a client. It is open as long as the link is up: routers speak whenever they want.
//!
//! One that fails is opened anew after a while, whether there is something to be said or not.

use std::future;
use std::io;
use std::time::Duration;

use crate::client;
use crate::error::DhcpError;
use crate::link::{self, Link};
use crate::neighbours::{Arrived, Neighbours};
use crate::ra::codec;
use crate::ra::machine::State;
use crate::ra::message::{Advertisement, Solicitation};
use crate::ra::socket::Socket;

/// Until a socket that failed is opened anew.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket, if there is one.
pub(super) struct Sockets {
    interface: String,
    open: Option<Neighbours<Socket>>,
    /// Whether there is to be one.
    is_wanted: bool,
}

impl client::Sockets for Sockets {
    type State = State;
    type Arrived = Arrived;

    fn open(&mut self) -> Result<(), DhcpError> {
        self.opened().map(drop)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        loop {
            if let Some(open) = &mut self.open {
                match open.receive(buffer).await {
                    Ok(arrived) => return Ok(arrived),
                    Err(error) => self.failed(&error),
                }
            } else if self.is_wanted {
                tokio::time::sleep(PATIENCE).await;
                if let Err(error) = self.opened() {
                    self.failed(&error);
                }
            } else {
                return future::pending().await;
            }
        }
    }

    fn decode(&self, buffer: &[u8], arrived: Arrived, _transaction: u32) -> Option<Advertisement> {
        let (interface, sender) = (&self.interface, arrived.sender);
        codec::decode(buffer.get(..arrived.length)?, sender)
            .inspect_err(
                |error| tracing::debug!(interface, %sender, %error, "router advertisement dropped"),
            )
            .ok()
    }

    fn send(&mut self, _message: &Solicitation) {
        match self.try_send() {
            Err(error) if error.is_of_lost_link() => self.failed(&error),
            // What couldn't be said is said again; meanwhile routers may speak of themselves.
            Err(error) => {
                tracing::info!(interface = %self.interface, %error, "router discovery only listens");
            }
            Ok(()) => {}
        }
    }

    fn close(&mut self) {
        self.open = None;
        self.is_wanted = false;
    }
}

impl Sockets {
    /// Nothing is open yet.
    pub(super) fn new(interface: &str) -> Sockets {
        Sockets {
            interface: interface.to_owned(),
            open: None,
            is_wanted: false,
        }
    }

    fn opened(&mut self) -> Result<&mut Neighbours<Socket>, DhcpError> {
        self.is_wanted = true;
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let interface = &self.interface;
                let socket = Socket::open(link::index(interface)?)
                    .map_err(DhcpError::system(interface, "opening an ICMPv6 socket"))?;
                Neighbours::over(socket)
            }
        };
        Ok(self.open.insert(open))
    }

    fn try_send(&mut self) -> Result<(), DhcpError> {
        // Links without such an address have routers, too.
        let hardware = Link::read(&self.interface).map(|link| link.hardware).ok();
        let interface = self.interface.clone();
        let sent = self.opened()?.send(codec::solicitation(hardware));
        sent.map(drop).map_err(DhcpError::system(
            &interface,
            "sending a router solicitation",
        ))
    }

    /// The link may have been replaced by another of the same name: it is looked up again.
    fn failed(&mut self, error: &dyn std::error::Error) {
        tracing::warn!(interface = %self.interface, %error, "router discovery");
        self.open = None;
    }
}
