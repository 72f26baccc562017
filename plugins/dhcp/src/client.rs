// SPDX-License-Identifier: Apache-2.0

//! The client of one link: a task that owns a machine, its sockets and its timer.
//!
//! ```text
//!   ClientHandle ──Command, at most 8──▶ ┌──────────┐ ──LeaseEvent, the caller's bound──▶ listener
//!   ClientHandle ◀──ClientStatus, watch──│   task   │
//!             sockets, timer ──────────▶ └──────────┘
//!       news of duplicate addresses ──────────▲
//! ```
//!
//! One task per link and protocol, spawned by [`v4::client::spawn`], [`v6::client::spawn`] and
//! [`ra::client::spawn`], ended by [`ClientHandle::stop`] or by dropping the handle. It never
//! waits for its listener: events that could not be delivered are merged into one ([`merged`]).

use std::future;
use std::io;
use std::net::Ipv6Addr;
use std::time::Duration;

use nipart_schemas::lease::Lease;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::clock::{self, BootTimer};
use crate::error::DhcpError;
use crate::events::{LeaseEvent, merged};
use crate::link::Link;
use crate::machine::{Action, Event, Granted, Machine, State, StateName};
use crate::v6::duplicates::DuplicateNews;
use crate::{ra, v4, v6};

/// Commands that may wait for the task. It never waits itself, so more than one is rare.
const COMMAND_QUEUE: usize = 8;
/// How long [`ClientHandle::stop`] waits for the task to end.
const STOP_DEADLINE: Duration = Duration::from_secs(1);
/// Largest packet that is taken: no DHCP message exceeds the MTU that we announce, at most 1500, and few links have
/// routers with more to say.
const BUFFER_LENGTH: usize = 2048;

/// The sockets of one client: opened when something is to be sent, closed when nothing is awaited.
pub(crate) trait Sockets: Send + 'static {
    /// The states that they serve.
    type State: State;
    /// A packet that fills the buffer.
    type Arrived: Send;

    /// Opens what must be open to hear answers, unless it is.
    fn open(&mut self) -> Result<(), DhcpError>;
    /// Waits for a packet; for ever while no socket is open. Nothing is lost when the wait is dropped half way.
    fn receive(
        &mut self,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<Self::Arrived>> + Send;
    /// Reads the packet, logs what is wrong with it. None when it is no answer in this exchange.
    fn decode(
        &self,
        buffer: &[u8],
        arrived: Self::Arrived,
        transaction: u32,
    ) -> Option<<Self::State as State>::Packet>;
    /// Sends a message, as well as can be: the machine says it again in time.
    fn send(&mut self, message: &<Self::State as State>::Message);
    /// Closes what is open, off this thread where it takes long.
    fn close(&mut self);
}

enum Command {
    Stop { release: bool },
    LinkUp,
    LinkDown,
}

/// What was granted, by whichever protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnyGranted {
    Ipv4(v4::granted::Granted),
    Ipv6(v6::granted::Granted),
    RouterAdvertisement(ra::machine::Told),
}

/// Where a client stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStatus {
    /// State of the machine.
    pub state: StateName,
    /// The lease in use.
    granted: Option<AnyGranted>,
}

impl ClientStatus {
    /// The lease in use, with what is left of its time now.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        let now = clock::now();
        self.granted.as_ref().map(|granted| match granted {
            AnyGranted::Ipv4(granted) => Granted::lease(granted, now),
            AnyGranted::Ipv6(granted) => Granted::lease(granted, now),
            AnyGranted::RouterAdvertisement(told) => Granted::lease(told, now),
        })
    }
}

/// Commands one client. Dropping it ends the task at once and silently: nothing is released, nobody is told.
#[derive(Debug)]
pub struct ClientHandle {
    interface: String,
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<ClientStatus>,
    task: JoinHandle<()>,
}

/// Starts a client of a machine and its sockets; with the link up it asks for an address at once.
pub(crate) fn spawn<S: Sockets>(
    interface: &str,
    machine: Machine<S::State>,
    mut sockets: S,
    link_is_up: bool,
    events: mpsc::Sender<LeaseEvent>,
) -> Result<ClientHandle, DhcpError>
where
    AnyGranted: From<<S::State as State>::Granted>,
{
    let timer = BootTimer::new().map_err(DhcpError::system(interface, "creating a timer"))?;
    if link_is_up {
        // Here rather than in the task: the caller learns at once what is wrong.
        sockets.open()?;
    }
    let (command_sender, command_receiver) = mpsc::channel(COMMAND_QUEUE);
    let (status_sender, status_receiver) = watch::channel(ClientStatus {
        state: StateName::Stopped,
        granted: None,
    });
    let mut client = Client {
        interface: interface.to_owned(),
        machine,
        sockets,
        duplicates: None,
        timer,
        events,
        unheard: None,
        status: status_sender,
    };
    if !link_is_up {
        client.handle(Event::LinkDown);
    }
    client.handle(Event::Start);
    let task = tokio::spawn(client.run(command_receiver));
    Ok(ClientHandle {
        interface: interface.to_owned(),
        commands: command_sender,
        status: status_receiver,
        task,
    })
}

impl ClientHandle {
    /// Kernel name of the link.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The link can carry packets: a lease of before is confirmed (INIT-REBOOT), or a new one looked for.
    ///
    /// # Errors
    /// [`DhcpError::Busy`] when commands pile up, [`DhcpError::Ended`] when the task is gone.
    pub fn link_up(&self) -> Result<(), DhcpError> {
        self.command(Command::LinkUp)
    }

    /// The link has lost its carrier, is down or is gone: a lease is reported lost.
    ///
    /// # Errors
    /// As [`ClientHandle::link_up`].
    pub fn link_down(&self) -> Result<(), DhcpError> {
        self.command(Command::LinkDown)
    }

    /// Where the client stands.
    #[must_use]
    pub fn status(&self) -> ClientStatus {
        self.status.borrow().clone()
    }

    /// Ends the client, within a second whatever happens.
    ///
    /// With `release` the server is told and [`LeaseLoss::Released`](nipart_schemas::lease::LeaseLoss::Released) is
    /// reported. Without, nobody hears of it: the address stays good until its time is up, and the caller answers for it.
    ///
    /// # Errors
    /// As [`ClientHandle::link_up`]; the task has ended in any case.
    pub async fn stop(mut self, release: bool) -> Result<(), DhcpError> {
        self.command(Command::Stop { release })?;
        let ended = tokio::time::timeout(STOP_DEADLINE, &mut self.task).await;
        // The task has no way to hang; if it does, dropping the handle ends it.
        ended
            .map_err(|_| DhcpError::Busy {
                interface: self.interface.clone(),
            })
            .map(drop)
    }

    fn command(&self, command: Command) -> Result<(), DhcpError> {
        let interface = || self.interface.clone();
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => DhcpError::Busy {
                    interface: interface(),
                },
                TrySendError::Closed(_) => DhcpError::Ended {
                    interface: interface(),
                },
            })
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the task owns.
struct Client<S: Sockets> {
    interface: String,
    machine: Machine<S::State>,
    sockets: S,
    /// There while an IPv6 address is leased.
    duplicates: Option<DuplicateNews>,
    timer: BootTimer,
    events: mpsc::Sender<LeaseEvent>,
    /// The news that the listener had no room for yet.
    unheard: Option<LeaseEvent>,
    status: watch::Sender<ClientStatus>,
}

impl<S: Sockets> Client<S>
where
    AnyGranted: From<<S::State as State>::Granted>,
{
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut buffer = [0; BUFFER_LENGTH];
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::LinkUp) => self.handle(Event::LinkUp),
                    Some(Command::LinkDown) => self.handle(Event::LinkDown),
                    Some(Command::Stop { release }) => {
                        self.handle(Event::Stop { release });
                        return self.deliver_last().await;
                    }
                    None => return,
                },
                arrived = self.sockets.receive(&mut buffer) => match arrived {
                    Ok(arrived) => {
                        let packet = self.machine.transaction().and_then(|transaction| {
                            self.sockets.decode(&buffer, arrived, transaction)
                        });
                        if let Some(packet) = packet {
                            self.handle(Event::Packet(packet));
                        }
                    }
                    Err(error) => {
                        tracing::debug!(interface = %self.interface, %error, "socket failed");
                        self.sockets.close();
                        // Without a socket the answer cannot be heard: the next retransmission opens it again.
                    }
                },
                duplicate = next_duplicate(self.duplicates.as_ref()) => match duplicate {
                    Ok(address) => self.handle(Event::Conflict(address.into())),
                    // The runtime is shutting down.
                    Err(_) => return,
                },
                expired = self.timer.expired() => match expired {
                    Ok(()) => self.handle(Event::Timer),
                    // The runtime is shutting down.
                    Err(_) => return,
                },
                open = has_room(&self.events), if self.unheard.is_some() => match open {
                    true => self.deliver(),
                    // Nobody listens any more: an address that nobody sets is of no use.
                    false => return,
                },
            }
        }
    }

    fn handle(&mut self, event: Event<<S::State as State>::Packet>) {
        let actions = self.machine.handle(clock::now(), event);
        // Before the lease is told: its address is looked for by the kernel as soon as it is on the link.
        self.watch_for_duplicates();
        for action in actions {
            match action {
                Action::Send(message) => self.sockets.send(&message),
                Action::Report(event) => self.report(event),
                Action::Transition { .. } => {}
                Action::SetTimer(at) => {
                    if let Err(error) = self.timer.set(at) {
                        tracing::error!(interface = %self.interface, %error, "cannot set the DHCP timer");
                    }
                }
                Action::CloseSockets => self.sockets.close(),
            }
        }
        let status = ClientStatus {
            state: self.machine.state(),
            granted: self.machine.lease().cloned().map(AnyGranted::from),
        };
        self.status.send_if_modified(|known| {
            let modified = *known != status;
            *known = status;
            modified
        });
    }

    /// Listens for as long as there is an address of which the kernel may find out that another host has it.
    fn watch_for_duplicates(&mut self) {
        let is_watched = |granted: &<S::State as State>::Granted| {
            let lease = granted.lease(clock::now());
            lease.address().is_some_and(|address| address.is_ipv6())
        };
        if !self.machine.lease().is_some_and(is_watched) {
            self.duplicates = None;
        } else if self.duplicates.is_none() {
            let opened = Link::read(&self.interface).and_then(|link| {
                let action = "listening for duplicate addresses";
                DuplicateNews::open(link.index).map_err(DhcpError::system(&self.interface, action))
            });
            match opened {
                Ok(duplicates) => self.duplicates = Some(duplicates),
                Err(error) => {
                    tracing::warn!("an address that another host has can't be declined: {error}");
                }
            }
        }
    }

    /// Hands an event to the listener, or keeps it until there is room.
    fn report(&mut self, event: LeaseEvent) {
        self.unheard = Some(match self.unheard.take() {
            Some(unheard) => merged(unheard, event),
            None => event,
        });
        self.deliver();
    }

    /// Hands over the event that waits, if there is room.
    fn deliver(&mut self) {
        let Some(event) = self.unheard.take() else {
            return;
        };
        match self.events.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(event)) => self.unheard = Some(event),
            Err(TrySendError::Closed(_)) => {
                tracing::debug!(interface = %self.interface, "nobody listens to lease events");
            }
        }
    }

    /// Gives a full listener a last chance to hear what the stop brought.
    async fn deliver_last(mut self) {
        if let Some(event) = self.unheard.take() {
            // Half the time that `stop` waits.
            let _ = tokio::time::timeout(STOP_DEADLINE / 2, self.events.send(event)).await;
        }
    }
}

/// Waits for an address that another host has; for ever while nobody listens.
async fn next_duplicate(duplicates: Option<&DuplicateNews>) -> io::Result<Ipv6Addr> {
    match duplicates {
        Some(duplicates) => duplicates.next().await,
        None => future::pending().await,
    }
}

/// Waits for room in the queue; `false` when nobody listens any more.
async fn has_room(events: &mpsc::Sender<LeaseEvent>) -> bool {
    events.reserve().await.is_ok()
}
