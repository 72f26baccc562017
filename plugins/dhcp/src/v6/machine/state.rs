// SPDX-License-Identifier: Apache-2.0

//! All states in one type: what they have in common, and who takes which event.
//!
//! Commands and the link mean the same in every state: see [`crate::machine`].

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use nipart_schemas::lease::LeaseProtocol;

use super::bound::Bound;
use super::declining::Declining;
use super::information::InformationRequesting;
use super::rebinding::Rebinding;
use super::rebooting::Rebooting;
use super::renewing::Renewing;
use super::requesting::Requesting;
use super::soliciting::Soliciting;
use super::{Context, Memory, StateName};
use crate::machine::{self, Granted as _, earlier};
use crate::v6::granted::Granted;
use crate::v6::message::{ClientMessage, ClientMessageKind, ServerMessage};

/// The state with what belongs to it.
pub(crate) enum State {
    Stopped,
    Unlinked,
    Soliciting(Soliciting),
    Requesting(Requesting),
    Rebooting(Rebooting),
    Bound(Bound),
    Renewing(Renewing),
    Rebinding(Rebinding),
    Declining(Declining),
    InformationRequesting(InformationRequesting),
}

impl machine::State for State {
    const PROTOCOL: LeaseProtocol = LeaseProtocol::Dhcpv6;
    type Address = Ipv6Addr;
    type Packet = ServerMessage;
    type Message = ClientMessage;
    type Granted = Granted;
    type Memory = Memory;

    fn stopped() -> Self {
        Self::Stopped
    }

    fn unlinked() -> Self {
        Self::Unlinked
    }

    fn begin(context: &mut Context) -> Self {
        // This may be another network: only the lease of before is carried into it, to be confirmed.
        let kept = std::mem::take(&mut context.memory).kept;
        // The link may go again before a server has answered.
        context.memory.kept.clone_from(&kept);
        match kept {
            Some(granted) if !granted.is_expired(context.now) => Rebooting::enter(granted, context),
            _ => Soliciting::enter(None, context),
        }
    }

    /// Only of what is leased: other addresses of the link are others' business.
    fn on_conflict(self, address: IpAddr, context: &mut Context) -> State {
        let (IpAddr::V6(address), Some(granted)) = (address, self.lease()) else {
            return self;
        };
        if !granted.addresses_at(context.now).contains(&address) {
            return self;
        }
        let granted = granted.clone();
        match self {
            Self::Declining(state) => state.add(&granted, address, context),
            _ => Declining::enter(&granted, vec![address], context),
        }
    }

    /// Settings alone are not worth a question of their own.
    fn remember(granted: &Granted, context: &mut Context) {
        if let Some(held) = granted.addresses.first() {
            context.previous_address = Some(held.address);
            context.memory.kept = Some(granted.clone());
        }
    }

    /// Once, and without waiting for the answer (RFC 8415 §18.2.7 has 4 tries and 1 s before the second): the address is
    /// taken off the link a moment later, and a server that hears nothing takes it back in time.
    fn release(granted: &Granted, context: &mut Context) {
        let addresses = granted.addresses_at(context.now);
        if addresses.is_empty() {
            return;
        }
        let message = ClientMessage {
            kind: ClientMessageKind::Release,
            transaction: context.random.number() & 0x00ff_ffff,
            elapsed: 0,
            server: Some(granted.server.clone()),
            addresses,
        };
        context.send(message);
    }

    fn name(&self) -> StateName {
        match self {
            Self::Stopped => StateName::Stopped,
            Self::Unlinked => StateName::Unlinked,
            Self::Soliciting(state) if state.held.is_some() => StateName::Informed,
            Self::Soliciting(_) => StateName::Soliciting,
            Self::Requesting(_) => StateName::Requesting,
            Self::Rebooting(_) => StateName::Rebooting,
            Self::Bound(_) => StateName::Bound,
            Self::Renewing(_) => StateName::Renewing,
            Self::Rebinding(_) => StateName::Rebinding,
            Self::Declining(_) => StateName::Declining,
            Self::InformationRequesting(_) => StateName::InformationRequesting,
        }
    }

    fn lease(&self) -> Option<&Granted> {
        match self {
            Self::Stopped | Self::Unlinked | Self::Rebooting(_) => None,
            Self::Soliciting(state) => state.held.as_ref(),
            Self::Requesting(state) => state.held.as_ref(),
            Self::Bound(state) => Some(&state.granted),
            Self::Renewing(state) => Some(&state.0.granted),
            Self::Rebinding(state) => Some(&state.0.granted),
            Self::Declining(state) => state.held.as_ref(),
            Self::InformationRequesting(state) => state.soliciting.held.as_ref(),
        }
    }

    fn transaction(&self) -> Option<u32> {
        match self {
            Self::Soliciting(state) => Some(state.exchange.transaction),
            Self::Requesting(state) => Some(state.exchange.transaction),
            Self::Rebooting(state) => Some(state.0.exchange.transaction),
            Self::Renewing(state) => Some(state.0.exchange.transaction),
            Self::Rebinding(state) => Some(state.0.exchange.transaction),
            Self::Declining(state) => Some(state.exchange.transaction),
            Self::InformationRequesting(state) => Some(state.exchange.transaction),
            Self::Stopped | Self::Unlinked | Self::Bound(_) => None,
        }
    }

    fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Stopped | Self::Unlinked => None,
            Self::Soliciting(state) => {
                earlier(Some(state.exchange.retransmit_at), state.settings_until)
            }
            Self::Requesting(state) => {
                let end = state.held.as_ref().and_then(|held| held.expires_at);
                earlier(Some(state.exchange.retransmit_at), end)
            }
            Self::Rebooting(state) => Some(state.0.exchange.retransmit_at),
            Self::Bound(state) => state.deadline(),
            Self::Renewing(state) => earlier(Some(state.0.exchange.retransmit_at), state.until()),
            Self::Rebinding(state) => {
                let end = state.0.granted.expires_at;
                earlier(Some(state.0.exchange.retransmit_at), end)
            }
            Self::Declining(state) => {
                let end = state.held.as_ref().and_then(|held| held.expires_at);
                earlier(Some(state.exchange.retransmit_at), end)
            }
            Self::InformationRequesting(state) => Some(state.exchange.retransmit_at),
        }
    }

    fn on_timer(self, context: &mut Context) -> State {
        match self {
            Self::Stopped | Self::Unlinked => self,
            Self::Soliciting(state) => state.on_timer(context),
            Self::Requesting(state) => state.on_timer(context),
            Self::Rebooting(state) => state.on_timer(context),
            Self::Bound(state) => state.on_timer(context),
            Self::Renewing(state) => state.on_timer(context),
            Self::Rebinding(state) => state.on_timer(context),
            Self::Declining(state) => state.on_timer(context),
            Self::InformationRequesting(state) => state.on_timer(context),
        }
    }

    fn on_packet(self, message: ServerMessage, context: &mut Context) -> State {
        match self {
            Self::Soliciting(state) => state.on_packet(&message, context),
            Self::Requesting(state) => state.on_packet(&message, context),
            Self::Rebooting(state) => state.on_packet(&message, context),
            Self::Renewing(state) => state.on_packet(&message, context),
            Self::Rebinding(state) => state.on_packet(&message, context),
            Self::Declining(state) => state.on_packet(&message, context),
            Self::InformationRequesting(state) => state.on_packet(&message, context),
            Self::Stopped | Self::Unlinked | Self::Bound(_) => self,
        }
    }
}
