// SPDX-License-Identifier: Apache-2.0

//! What the state machines of both versions of DHCP and of router discovery have in common: events, actions, and how one leads to the
//! other.
//!
//! ```text
//!                  ┌─────────── Machine ───────────┐
//!   Event, now ──▶ │ State ──step──▶ State         │ ──▶ Actions
//!                  │   └──── Context ────┘         │
//!                  └───────────────────────────────┘
//!      Stopped ──start──▶ Unlinked ──link up──▶ State::begin …
//!         ▲                  ▲
//!        stop            link down                  from any state
//! ```
//!
//! A machine is a function of time and event: no I/O, no clock, no randomness of its own. A state consumes itself and
//! names its successor, so that a lease cannot outlive the states that hold it. `Machine::enter` is the only place where
//! the state changes: it logs and publishes.

mod retransmission;
mod state_name;

use std::net::IpAddr;
use std::time::Duration;

use nipart_schemas::lease::{Lease, LeaseLoss, LeaseProtocol};

use crate::clock::Random;
use crate::events::LeaseEvent;

use retransmission::wait_after_refusal;
pub(crate) use retransmission::{earlier, wait_after_conflict};
pub use state_name::StateName;

/// What happens to a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<P> {
    /// Begin, at once if the link is up.
    Start,
    /// A server answered the exchange that [`Machine::transaction`] named.
    Packet(P),
    /// The time of the last [`Action::SetTimer`] may have come. Harmless when early.
    Timer,
    /// The kernel has found out that another host has this address of the link.
    Conflict(IpAddr),
    /// The link has lost its carrier or is down.
    LinkDown,
    /// The link can carry packets.
    LinkUp,
    /// End.
    Stop {
        /// Tell the server and the listener that the address is free. Else the machine goes silently, and whoever
        /// stops it answers for the address.
        release: bool,
    },
}

/// What a machine wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action<M> {
    /// Send a message. Sockets that it needs are opened, and listened on, until [`Action::CloseSockets`].
    Send(M),
    /// Tell the listener.
    Report(LeaseEvent),
    /// The state changed.
    Transition {
        /// Left.
        from: StateName,
        /// Entered.
        to: StateName,
    },
    /// Bring [`Event::Timer`] at this time on `CLOCK_BOOTTIME` in place of an earlier wish; `None`: not at all.
    SetTimer(Option<Duration>),
    /// No answer is awaited now. Closing a packet socket takes many milliseconds: do it out of the way.
    CloseSockets,
}

/// A lease in use, on the client's own clock.
pub(crate) trait Granted: Clone {
    /// Whether the lease's time is up.
    fn is_expired(&self, now: Duration) -> bool;
    /// Whether both lend the same in all but times.
    fn lends_the_same(&self, other: &Self) -> bool;
    /// The lease as it stands at `now`.
    fn lease(&self, now: Duration) -> Lease;
}

/// All states of one protocol in one type.
pub(crate) trait State: Sized + Send + 'static {
    /// Which one.
    const PROTOCOL: LeaseProtocol;
    /// What servers lend.
    type Address: Copy + Send;
    /// What servers say.
    type Packet: Send;
    /// What the client says.
    type Message: Send;
    /// What a server granted.
    type Granted: Granted + Send;
    /// What else outlives a state.
    type Memory: Default + Send;

    /// [`StateName::Stopped`].
    fn stopped() -> Self;
    /// [`StateName::Unlinked`].
    fn unlinked() -> Self;
    /// Asks for the lease of old, or for any.
    fn begin(context: &mut Context<Self>) -> Self;

    fn name(&self) -> StateName;
    /// The lease in use, if there is one.
    fn lease(&self) -> Option<&Self::Granted>;
    /// The exchange whose answers are awaited, if any.
    fn transaction(&self) -> Option<u32>;
    /// When the state wants [`State::on_timer`].
    fn deadline(&self) -> Option<Duration>;
    fn on_timer(self, context: &mut Context<Self>) -> Self;
    fn on_packet(self, packet: Self::Packet, context: &mut Context<Self>) -> Self;
    /// The link was up already, or somebody wants to be told anew.
    fn on_start_again(self, _context: &mut Context<Self>) -> Self {
        self
    }

    /// Another host has this address of the link, which may be of a lease. Of IPv4 the kernel doesn't tell that.
    fn on_conflict(self, _address: IpAddr, _context: &mut Context<Self>) -> Self {
        self
    }

    /// The link of a lease is gone: what of it is asked for when the link is back?
    fn remember(granted: &Self::Granted, context: &mut Context<Self>);
    /// Tells the server that the lease is over.
    fn release(granted: &Self::Granted, context: &mut Context<Self>);
}

/// What outlives a state.
pub(crate) struct Context<S: State> {
    /// Kernel name of the link.
    pub(crate) interface: String,
    /// Time of the event in hand.
    pub(crate) now: Duration,
    pub(crate) random: Box<dyn Random>,
    /// Whether the link can carry packets.
    pub(crate) link_is_up: bool,
    /// The address to ask for first, next time.
    pub(crate) previous_address: Option<S::Address>,
    /// Refusals since there was last a lease.
    pub(crate) refusals: u32,
    /// What only this version of the protocol has.
    pub(crate) memory: S::Memory,
    /// Answer to the event in hand.
    actions: Vec<Action<S::Message>>,
}

impl<S: State> Context<S> {
    pub(crate) fn send(&mut self, message: S::Message) {
        self.actions.push(Action::Send(message));
    }

    pub(crate) fn report(&mut self, event: LeaseEvent) {
        self.actions.push(Action::Report(event));
    }

    /// Reports a lease that begins now; `before` is the one that it continues.
    pub(crate) fn report_lease(&mut self, granted: &S::Granted, before: Option<&S::Granted>) {
        let lease = granted.lease(self.now);
        self.report(match before {
            None => LeaseEvent::Acquired(lease),
            Some(before) if before.lends_the_same(granted) => LeaseEvent::Renewed(lease),
            Some(_) => LeaseEvent::Changed(lease),
        });
    }

    pub(crate) fn report_loss(&mut self, reason: LeaseLoss) {
        let interface = self.interface.clone();
        self.report(LeaseEvent::Lost {
            interface,
            protocol: S::PROTOCOL,
            reason,
        });
    }

    /// One more refusal: how long to wait before asking again.
    pub(crate) fn wait_after_refusal(&mut self) -> Duration {
        self.refusals = self.refusals.saturating_add(1);
        wait_after_refusal(self.refusals, self.random.as_mut())
    }
}

/// A client for one link, without its sockets and its clock.
pub(crate) struct Machine<S: State> {
    context: Context<S>,
    state: S,
}

impl<S: State> Machine<S> {
    /// A stopped machine for the link of this name, which counts as up until told otherwise.
    ///
    /// `previous_address` is asked for first.
    pub(crate) fn new(
        interface: &str,
        previous_address: Option<S::Address>,
        random: Box<dyn Random>,
    ) -> Machine<S> {
        let context = Context {
            interface: interface.to_owned(),
            now: Duration::ZERO,
            random,
            link_is_up: true,
            previous_address,
            refusals: 0,
            memory: S::Memory::default(),
            actions: Vec::new(),
        };
        Machine {
            context,
            state: S::stopped(),
        }
    }

    /// Takes one event and says what to do. `now` is the time on `CLOCK_BOOTTIME` and must not go back.
    pub(crate) fn handle(
        &mut self,
        now: Duration,
        event: Event<S::Packet>,
    ) -> Vec<Action<S::Message>> {
        self.context.now = now;
        // An event that was held up (by suspend, say) must not keep alive what ran out before it came.
        let expired = |granted: &S::Granted| granted.is_expired(now);
        if !matches!(event, Event::Timer) && self.state.lease().is_some_and(expired) {
            self.step(S::on_timer);
        }
        self.step(|state, context| match event {
            Event::Start => on_start(state, context),
            Event::Packet(packet) => state.on_packet(packet, context),
            Event::Timer => match state.deadline() {
                Some(deadline) if deadline <= context.now => state.on_timer(context),
                _ => state,
            },
            Event::Conflict(address) => state.on_conflict(address, context),
            Event::LinkDown => on_link_down(state, context),
            Event::LinkUp => on_link_up(state, context),
            Event::Stop { release } => on_stop(state, release, context),
        });
        self.context
            .actions
            .push(Action::SetTimer(self.state.deadline()));
        if self.state.transaction().is_none() {
            self.context.actions.push(Action::CloseSockets);
        }
        std::mem::take(&mut self.context.actions)
    }

    /// Name of the state.
    pub(crate) fn state(&self) -> StateName {
        self.state.name()
    }

    /// The lease in use, if there is one.
    pub(crate) fn lease(&self) -> Option<&S::Granted> {
        self.state.lease()
    }

    /// The exchange whose answers are awaited (`xid`), if any: other packets need not even be decoded.
    pub(crate) fn transaction(&self) -> Option<u32> {
        self.state.transaction()
    }

    /// Runs one step of the state and enters what comes of it.
    fn step(&mut self, step: impl FnOnce(S, &mut Context<S>) -> S) {
        let from = self.state.name();
        // The placeholder is seen by nobody: `step` cannot reach the machine.
        let state = std::mem::replace(&mut self.state, S::stopped());
        let next = step(state, &mut self.context);
        self.enter(from, next);
    }

    /// The only place where the state changes: logs and publishes the transition.
    fn enter(&mut self, from: StateName, next: S) {
        let to = next.name();
        self.state = next;
        if from != to {
            let protocol = S::PROTOCOL;
            tracing::debug!(interface = %self.context.interface, %protocol, %from, %to, "state changed");
            self.context.actions.push(Action::Transition { from, to });
        }
    }
}

/// Begins, or waits for the link. A second start changes nothing.
fn on_start<S: State>(state: S, context: &mut Context<S>) -> S {
    match state.name() {
        StateName::Stopped if context.link_is_up => S::begin(context),
        StateName::Stopped => S::unlinked(),
        _ => state,
    }
}

/// The link carries packets again: perhaps elsewhere, so an old address must be confirmed first.
fn on_link_up<S: State>(state: S, context: &mut Context<S>) -> S {
    context.link_is_up = true;
    match state.name() {
        StateName::Unlinked => S::begin(context),
        _ => state.on_start_again(context),
    }
}

/// The link is gone: forget the exchange, remember the address.
fn on_link_down<S: State>(state: S, context: &mut Context<S>) -> S {
    context.link_is_up = false;
    if let Some(granted) = state.lease() {
        S::remember(granted, context);
        context.report_loss(LeaseLoss::LinkLost);
    }
    match state.name() {
        StateName::Stopped => state,
        _ => S::unlinked(),
    }
}

/// Ends, politely when told to (RFC 2131 §4.4.6, RFC 8415 §18.2.7).
fn on_stop<S: State>(state: S, release: bool, context: &mut Context<S>) -> S {
    if release && let Some(granted) = state.lease() {
        // Before the loss is reported: the address is still ours when the message leaves.
        S::release(granted, context);
        context.report_loss(LeaseLoss::Released);
        context.previous_address = None;
    }
    S::stopped()
}
