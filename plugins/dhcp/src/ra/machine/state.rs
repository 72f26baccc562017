// SPDX-License-Identifier: Apache-2.0

//! All states in one type. Commands and the link mean the same in every state: see [`crate::machine`].

use std::time::Duration;

use nipart_schemas::lease::{LeaseLoss, LeaseProtocol};

use super::solicitation::Asking;
use super::{Context, StateName, Told};
use crate::machine::{self, earlier};
use crate::ra::heard::Heard;
use crate::ra::message::{Advertisement, Solicitation};

/// Between two news: an apply takes milliseconds, and whoever floods the link can't have more than one a second.
const REST: Duration = Duration::from_secs(1);
/// Any advertisement is awaited: there are no transactions.
const TRANSACTION: u32 = 0;

/// The state with what belongs to it.
pub(crate) enum State {
    Stopped,
    Unlinked,
    Listening(Box<Listening>),
}

/// The link is up.
pub(crate) struct Listening {
    /// Until a router is heard.
    asking: Option<Asking>,
    heard: Heard,
    told: Option<Told>,
    /// Nothing is told before.
    rests_until: Duration,
    /// There is something to tell then.
    waits_to_tell: bool,
    /// The next advertisement is told even when it is no news.
    tells_anyway: bool,
}

impl machine::State for State {
    const PROTOCOL: LeaseProtocol = LeaseProtocol::RouterAdvertisement;
    type Address = ();
    type Packet = Advertisement;
    type Message = Solicitation;
    type Granted = Told;
    type Memory = ();

    fn stopped() -> Self {
        Self::Stopped
    }

    fn unlinked() -> Self {
        Self::Unlinked
    }

    fn begin(context: &mut Context) -> Self {
        let mut listening = Listening {
            asking: Some(Asking::from(context.now)),
            heard: Heard::default(),
            told: None,
            rests_until: context.now,
            waits_to_tell: false,
            tells_anyway: false,
        };
        listening.on_timer(context);
        Self::Listening(Box::new(listening))
    }

    fn name(&self) -> StateName {
        match self {
            Self::Stopped => StateName::Stopped,
            Self::Unlinked => StateName::Unlinked,
            Self::Listening(state) if state.asking.is_some() => StateName::Soliciting,
            Self::Listening(_) => StateName::Listening,
        }
    }

    fn lease(&self) -> Option<&Told> {
        match self {
            Self::Listening(state) => state.told.as_ref(),
            Self::Stopped | Self::Unlinked => None,
        }
    }

    fn transaction(&self) -> Option<u32> {
        matches!(self, Self::Listening(_)).then_some(TRANSACTION)
    }

    fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Listening(state) => state.deadline(),
            Self::Stopped | Self::Unlinked => None,
        }
    }

    fn on_timer(mut self, context: &mut Context) -> State {
        if let Self::Listening(state) = &mut self {
            state.on_timer(context);
        }
        self
    }

    fn on_packet(mut self, advertisement: Advertisement, context: &mut Context) -> State {
        if let Self::Listening(state) = &mut self {
            state.on_packet(&advertisement, context);
        }
        self
    }

    /// The routers are asked again: who asks for it wants the kernel to hear the answer, too, or to know that all is told.
    fn on_start_again(mut self, context: &mut Context) -> State {
        if let Self::Listening(state) = &mut self {
            state.asking = Some(Asking::from(context.now));
            state.tells_anyway = true;
            state.on_timer(context);
        }
        self
    }

    /// Perhaps it is another network when the link is back.
    fn remember(_told: &Told, _context: &mut Context) {}

    /// Routers have lent nothing.
    fn release(_told: &Told, _context: &mut Context) {}
}

impl Listening {
    fn deadline(&self) -> Option<Duration> {
        let asking = self.asking.as_ref().map(|asking| asking.again_at);
        let waiting = self.waits_to_tell.then_some(self.rests_until);
        earlier(earlier(asking, self.heard.next_end()), waiting)
    }

    fn on_timer(&mut self, context: &mut Context) {
        self.heard.forget(context.now);
        if let Some(asking) = self
            .asking
            .as_mut()
            .filter(|asking| asking.again_at <= context.now)
        {
            if asking.is_in_vain() && self.told.is_none() {
                // What a client before this one has told may still be in use.
                context.report_loss(LeaseLoss::Expired);
            }
            asking.asked(context.now, context.random.as_mut());
            context.send(Solicitation);
        }
        self.tell(context);
    }

    fn on_packet(&mut self, advertisement: &Advertisement, context: &mut Context) {
        self.asking = None;
        self.heard.take(advertisement, context.now);
        self.tell(context);
    }

    /// Tells what is news, if there is any, as soon as may be.
    fn tell(&mut self, context: &mut Context) {
        let lease = self.heard.lease(&context.interface).map(Told);
        let is_heard = self.asking.is_none();
        let is_due = self.told != lease || self.tells_anyway && is_heard;
        self.waits_to_tell = is_due && context.now < self.rests_until;
        if !is_due || self.waits_to_tell {
            return;
        }
        match (&lease, &self.told) {
            (Some(lease), before) => context.report_lease(lease, before.as_ref()),
            (None, Some(_)) => context.report_loss(LeaseLoss::Expired),
            (None, None) => {}
        }
        self.told = lease;
        self.tells_anyway = false;
        self.rests_until = context.now + REST;
    }
}
