// SPDX-License-Identifier: Apache-2.0

//! All states in one type: what they have in common, and who takes which event.
//!
//! Commands and the link mean the same in every state: see [`crate::machine`].

use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_schemas::lease::LeaseProtocol;

use super::bound::Bound;
use super::init::Init;
use super::rebinding::Rebinding;
use super::rebooting::Rebooting;
use super::renewing::Renewing;
use super::requesting::Requesting;
use super::selecting::Selecting;
use super::{Context, Outgoing, Packet, StateName, idle};
use crate::machine::{self, earlier};
use crate::v4::granted::Granted;

/// The state with what belongs to it.
pub(crate) enum State {
    Stopped,
    Unlinked,
    Init(Init),
    Selecting(Selecting),
    Requesting(Requesting),
    Rebooting(Rebooting),
    Bound(Bound),
    Renewing(Renewing),
    Rebinding(Rebinding),
}

impl machine::State for State {
    const PROTOCOL: LeaseProtocol = LeaseProtocol::Dhcpv4;
    type Address = Ipv4Addr;
    type Packet = Packet;
    type Message = Outgoing;
    type Granted = Granted;
    type Memory = ();

    fn stopped() -> Self {
        Self::Stopped
    }

    fn unlinked() -> Self {
        Self::Unlinked
    }

    fn begin(context: &mut Context) -> Self {
        idle::begin(context)
    }

    fn remember(granted: &Granted, context: &mut Context) {
        context.previous_address = Some(granted.lease.address);
    }

    fn release(granted: &Granted, context: &mut Context) {
        idle::send_release(granted, context);
    }

    fn name(&self) -> StateName {
        match self {
            Self::Stopped => StateName::Stopped,
            Self::Unlinked => StateName::Unlinked,
            Self::Init(_) => StateName::Init,
            Self::Selecting(_) => StateName::Selecting,
            Self::Requesting(_) => StateName::Requesting,
            Self::Rebooting(_) => StateName::Rebooting,
            Self::Bound(_) => StateName::Bound,
            Self::Renewing(_) => StateName::Renewing,
            Self::Rebinding(_) => StateName::Rebinding,
        }
    }

    fn lease(&self) -> Option<&Granted> {
        match self {
            Self::Bound(state) => Some(&state.granted),
            Self::Renewing(state) => Some(&state.0.granted),
            Self::Rebinding(state) => Some(&state.0.granted),
            _ => None,
        }
    }

    fn transaction(&self) -> Option<u32> {
        match self {
            Self::Selecting(state) => Some(state.transaction),
            Self::Requesting(state) => Some(state.transaction),
            Self::Rebooting(state) => Some(state.transaction),
            Self::Renewing(state) => Some(state.0.transaction),
            Self::Rebinding(state) => Some(state.0.transaction),
            Self::Stopped | Self::Unlinked | Self::Init(_) | Self::Bound(_) => None,
        }
    }

    /// When the state wants [`State::on_timer`].
    fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Stopped | Self::Unlinked => None,
            Self::Init(state) => Some(state.begin_at),
            Self::Selecting(state) => Some(state.retransmit_at),
            Self::Requesting(state) => Some(state.retransmit_at),
            Self::Rebooting(state) => Some(state.give_up_at),
            Self::Bound(state) => state.granted.renew_at,
            Self::Renewing(state) => earlier(Some(state.0.retry_at), state.0.granted.rebind_at),
            Self::Rebinding(state) => earlier(Some(state.0.retry_at), state.0.granted.expires_at),
        }
    }

    fn on_timer(self, context: &mut Context) -> State {
        match self {
            Self::Stopped | Self::Unlinked => self,
            Self::Init(_) => Selecting::enter(context),
            Self::Selecting(state) => state.on_timer(context),
            Self::Requesting(state) => state.on_timer(context),
            Self::Rebooting(state) => state.on_timer(context),
            Self::Bound(state) => state.on_timer(context),
            Self::Renewing(state) => state.on_timer(context),
            Self::Rebinding(state) => state.on_timer(context),
        }
    }

    fn on_packet(self, packet: Packet, context: &mut Context) -> State {
        let Packet { message, from } = &packet;
        match self {
            Self::Selecting(state) => state.on_packet(message, context),
            Self::Requesting(state) => state.on_packet(message, *from, context),
            Self::Rebooting(state) => state.on_packet(message, *from, context),
            Self::Renewing(state) => state.on_packet(message, *from, context),
            Self::Rebinding(state) => state.on_packet(message, *from, context),
            Self::Stopped | Self::Unlinked | Self::Init(_) | Self::Bound(_) => self,
        }
    }
}
