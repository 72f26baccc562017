// SPDX-License-Identifier: Apache-2.0

//! INIT (RFC 2131 §4.4.1): no address, nothing asked yet. Left at once unless servers keep refusing.

use std::net::Ipv4Addr;
use std::time::Duration;

use nipart_schemas::lease::LeaseLoss;

use super::Context;
use super::selecting::Selecting;
use super::state::State;

/// Waits before looking for servers again.
pub(crate) struct Init {
    /// When to go on to SELECTING.
    pub(super) begin_at: Duration,
}

impl Init {
    /// After a NAK from `server` to the wish for the address `refused`. If that is the one of old, it must go from the link
    /// at once, where it may also be from a run of before (INIT-REBOOT).
    pub(super) fn after_refusal(
        refused: Ipv4Addr,
        server: Ipv4Addr,
        text: Option<&str>,
        context: &mut Context,
    ) -> State {
        if context
            .previous_address
            .take_if(|previous| *previous == refused)
            .is_some()
        {
            context.report_loss(LeaseLoss::Refused);
        }
        let wait = context.wait_after_refusal();
        tracing::info!(interface = %context.interface, %server, ?wait, text = text.unwrap_or_default(), "DHCP server refused the address");
        if wait.is_zero() {
            return Selecting::enter(context);
        }
        State::Init(Init {
            begin_at: context.now + wait,
        })
    }
}
