// SPDX-License-Identifier: Apache-2.0

//! Looking for servers (RFC 8415 §18.2.1, §18.2.9). The first Advertise with an address is taken.
//!
//! The RFC would have the client listen for a second and compare preferences. As with DHCPv4 that would add a second to
//! every boot for a choice that hardly any network gives.
//!
//! An Advertise without addresses does not count (§18.2.9), but says that there is a server: if no better one has come
//! when the Solicit is due again, that server is asked for settings first. Then the search goes on, ever more slowly: a
//! server with addresses may only have been slower.

use std::time::Duration;

use super::Context;
use super::bound::Bound;
use super::exchange::{Exchange, SOLICIT};
use super::information::InformationRequesting;
use super::requesting::Requesting;
use super::state::State;
use crate::v6::granted::Granted;
use crate::v6::message::{ServerMessage, ServerMessageKind};

/// Looks for servers.
pub(crate) struct Soliciting {
    pub(super) exchange: Exchange,
    /// Settings that are in use meanwhile.
    pub(super) held: Option<Granted>,
    /// Whether a server without addresses has answered.
    settings_only: bool,
    /// When to ask for settings again, where that has been done.
    pub(super) settings_until: Option<Duration>,
}

impl Soliciting {
    /// Says Solicit at once. The RFC would have up to a second of delay here against thundering herds; jitter in the
    /// retransmissions serves that purpose, and everybody waits for an address.
    pub(super) fn enter(held: Option<Granted>, context: &mut Context) -> State {
        Soliciting::new(Duration::ZERO, held, context).solicit(context)
    }

    /// After a server has refused: waits a while if it did so before.
    pub(super) fn after_refusal(wait: Duration, context: &mut Context) -> State {
        let soliciting = Soliciting::new(wait, None, context);
        match wait.is_zero() {
            true => soliciting.solicit(context),
            false => State::Soliciting(soliciting),
        }
    }

    fn new(delay: Duration, held: Option<Granted>, context: &mut Context) -> Soliciting {
        Soliciting {
            exchange: Exchange::new(SOLICIT, delay, context),
            held,
            settings_only: false,
            settings_until: None,
        }
    }

    /// Goes on with what a question for settings has brought.
    pub(super) fn informed(
        mut self,
        held: Option<Granted>,
        until: Option<Duration>,
        context: &mut Context,
    ) -> State {
        (self.held, self.settings_until) = (held, until);
        match self.exchange.retransmit_at <= context.now {
            true => self.solicit(context),
            false => State::Soliciting(self),
        }
    }

    /// Goes on where it was left: with the waits as long as they had become.
    pub(super) fn solicit(mut self, context: &mut Context) -> State {
        self.settings_only = false;
        self.exchange.limit(context.memory.solicit_limit);
        // A wish only: the server may offer another.
        let wish = context.previous_address.into_iter().collect();
        self.exchange.say(None, wish, context);
        State::Soliciting(self)
    }

    pub(super) fn on_timer(self, context: &mut Context) -> State {
        let asks_for_settings = match self.settings_until {
            Some(until) => until <= context.now,
            None => self.settings_only,
        };
        match asks_for_settings {
            true => InformationRequesting::enter(self, context),
            false => self.solicit(context),
        }
    }

    pub(super) fn on_packet(mut self, message: &ServerMessage, context: &mut Context) -> State {
        context.learn_limits(message);
        if self.exchange.sent == 0 {
            return State::Soliciting(self);
        }
        match (message.kind, message.usable()) {
            (ServerMessageKind::Advertise, Some(association)) => {
                let lent = association.addresses.iter();
                let addresses = lent
                    .filter(|lent| lent.valid_time > 0)
                    .map(|lent| lent.address)
                    .collect();
                Requesting::enter(message.server.clone(), addresses, self.held, context)
            }
            (ServerMessageKind::Reply, Some(_)) if message.rapid_commit => {
                match context.granted(message, self.exchange.sent_at, None) {
                    Some(granted) => Bound::enter(granted, self.held.as_ref(), context),
                    None => State::Soliciting(self),
                }
            }
            // Without the option it is no answer to a Solicit (RFC 8415 §18.2.10).
            (ServerMessageKind::Reply, _) if !message.rapid_commit => State::Soliciting(self),
            // dnsmasq says even this in a Reply when it may.
            (ServerMessageKind::Advertise | ServerMessageKind::Reply, _) => {
                self.settings_only = true;
                State::Soliciting(self)
            }
        }
    }
}
