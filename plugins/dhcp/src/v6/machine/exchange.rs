// SPDX-License-Identifier: Apache-2.0

//! One message that is said again until it is answered (RFC 8415 §15).

use std::net::Ipv6Addr;
use std::time::Duration;

use super::Context;
use crate::clock::Random;
use crate::v6::message::{ClientMessage, ClientMessageKind, ServerDuid};

/// How a message is said again (RFC 8415 §15, §7.6).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    /// What is said.
    pub(super) kind: ClientMessageKind,
    /// IRT: the first wait.
    pub(super) first_wait: Duration,
    /// MRT: the longest.
    pub(super) longest_wait: Duration,
}

/// Solicit. RAND of its first wait is positive (RFC 8415 §18.2.1).
pub(super) const SOLICIT: Pattern = pattern(ClientMessageKind::Solicit, 1, 3600);
/// Request.
pub(super) const REQUEST: Pattern = pattern(ClientMessageKind::Request, 1, 30);
/// Renew.
pub(super) const RENEW: Pattern = pattern(ClientMessageKind::Renew, 10, 600);
/// Rebind.
pub(super) const REBIND: Pattern = pattern(ClientMessageKind::Rebind, 10, 600);
/// Rebind where Confirm could be said (CNF_TIMEOUT, CNF_MAX_RT).
pub(super) const RETURN: Pattern = pattern(ClientMessageKind::Rebind, 1, 4);
/// Decline. DEC_MAX_RC ends it long before a longest wait, of which it has none.
pub(super) const DECLINE: Pattern = pattern(ClientMessageKind::Decline, 1, 3600);
/// Information-request.
pub(super) const INFORM: Pattern = pattern(ClientMessageKind::InformationRequest, 1, 3600);

const fn pattern(kind: ClientMessageKind, first_wait: u64, longest_wait: u64) -> Pattern {
    Pattern {
        kind,
        first_wait: Duration::from_secs(first_wait),
        longest_wait: Duration::from_secs(longest_wait),
    }
}

/// An exchange under way.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// Kept through all retransmissions: an answer that was slow to come is as good as another.
    pub(super) transaction: u32,
    /// When to say it again.
    pub(super) retransmit_at: Duration,
    /// When it was said last.
    pub(super) sent_at: Duration,
    /// How often it has been said.
    pub(super) sent: u32,
    pattern: Pattern,
    began: Duration,
    /// RT of the last time.
    wait: Duration,
}

impl Exchange {
    /// An exchange in which nothing has been said yet, and is to be said after `delay`.
    pub(super) fn new(pattern: Pattern, delay: Duration, context: &mut Context) -> Exchange {
        Exchange {
            transaction: context.random.number() & 0x00ff_ffff,
            retransmit_at: context.now + delay,
            sent_at: context.now,
            sent: 0,
            pattern,
            began: context.now + delay,
            wait: Duration::ZERO,
        }
    }

    /// A longest wait other than that of the pattern.
    pub(super) fn limit(&mut self, longest_wait: Option<Duration>) {
        if let Some(longest_wait) = longest_wait {
            self.pattern.longest_wait = longest_wait;
        }
    }

    /// Says it, for the first time or again.
    pub(super) fn say(
        &mut self,
        server: Option<&ServerDuid>,
        addresses: Vec<Ipv6Addr>,
        context: &mut Context,
    ) {
        let hundredths = context.now.saturating_sub(self.began).as_millis() / 10;
        context.send(ClientMessage {
            kind: self.pattern.kind,
            transaction: self.transaction,
            elapsed: u16::try_from(hundredths).unwrap_or(u16::MAX),
            server: server.cloned(),
            addresses,
        });
        self.sent_at = context.now;
        self.sent = self.sent.saturating_add(1);
        self.wait = self.next_wait(context.random.as_mut());
        self.retransmit_at = context.now + self.wait;
    }

    /// RT (RFC 8415 §15).
    fn next_wait(&self, random: &mut dyn Random) -> Duration {
        let Pattern {
            kind,
            first_wait,
            longest_wait,
        } = self.pattern;
        if self.wait.is_zero() {
            return match kind {
                ClientMessageKind::Solicit => first_wait.mul_f64(1.0 + more(random)),
                _ => first_wait.mul_f64(1.0 + more_or_less(random)),
            };
        }
        let next = self.wait.mul_f64(2.0 + more_or_less(random));
        if next > longest_wait {
            return longest_wait.mul_f64(1.0 + more_or_less(random));
        }
        next
    }
}

/// RAND: from -0.1 to 0.1.
fn more_or_less(random: &mut dyn Random) -> f64 {
    (f64::from(random.number() % 2001) - 1000.0) / 10_000.0
}

/// RAND above zero: to 0.1.
fn more(random: &mut dyn Random) -> f64 {
    f64::from(random.number() % 1000 + 1) / 10_000.0
}
