// SPDX-License-Identifier: Apache-2.0

//! Asking and reading the answer, on the worker's thread.

use std::time::{Duration, Instant};

use netlink_packet_core::NLM_F_DUMP_INTR;
use netlink_packet_route::RouteNetlinkMessage;

use super::DumpOptions;
use crate::error::NetlinkError;
use crate::parse::parse_message;
use crate::request::NetlinkRequest;
use crate::socket::{Received, RequestSocket};
use crate::wire::{NLMSG_DONE, NLMSG_ERROR, messages};

/// First pause before an interrupted dump is repeated; doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(32);

/// What is being asked, for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    operation: &'static str,
    limit: Duration,
}

impl Asking {
    pub(super) fn new(operation: &'static str, limit: Duration) -> Self {
        Self { operation, limit }
    }

    fn timeout(self) -> NetlinkError {
        NetlinkError::Timeout {
            operation: self.operation,
            limit: self.limit,
        }
    }

    fn lost(self) -> NetlinkError {
        NetlinkError::AnswersLost {
            operation: self.operation,
        }
    }
}

/// Runs the dumps one after the other, repeats the interrupted ones, and concatenates what `map` keeps.
pub(super) fn dump_all<T>(
    socket: &mut RequestSocket,
    requests: &[NetlinkRequest],
    deadline: Instant,
    asking: Asking,
    options: DumpOptions,
    mut map: impl FnMut(RouteNetlinkMessage) -> Option<T>,
) -> Result<Vec<T>, NetlinkError> {
    let mut items = Vec::new();
    for request in requests {
        let start = items.len();
        let mut pause = PAUSE_FIRST;
        let mut attempt = 1;
        while !dump_once(socket, request, deadline, asking, &mut map, &mut items)? {
            if attempt >= options.attempts {
                if options.accept_interrupted {
                    tracing::debug!(
                        operation = asking.operation,
                        attempt,
                        "interrupted dump accepted"
                    );
                    break;
                }
                return Err(NetlinkError::Interrupted {
                    operation: asking.operation,
                    attempts: attempt,
                });
            }
            tracing::trace!(
                operation = asking.operation,
                attempt,
                "interrupted dump repeated"
            );
            items.truncate(start);
            attempt += 1;
            std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
    Ok(items)
}

/// One dump; `false` when the kernel says that it was interrupted, or part of it was lost.
fn dump_once<T>(
    socket: &mut RequestSocket,
    request: &NetlinkRequest,
    deadline: Instant,
    asking: Asking,
    map: &mut impl FnMut(RouteNetlinkMessage) -> Option<T>,
    items: &mut Vec<T>,
) -> Result<bool, NetlinkError> {
    let sequence = ask(socket, request)?;
    let wanted_family = request.message().and_then(ip_family);
    let mut consistent = true;
    loop {
        match receive_until(socket, deadline, asking)? {
            Received::Datagram(datagram) => {
                for message in messages(datagram).filter(|message| message.sequence == sequence) {
                    // The mark may sit on any message, the last one included.
                    consistent &= message.flags & NLM_F_DUMP_INTR == 0;
                    if message.message_type != NLMSG_DONE && message.message_type != NLMSG_ERROR {
                        let parsed = parse_message(message.message_type, message.payload);
                        // A kernel without IPv6 answers a question about it with all families.
                        let item = parsed.filter(|parsed| {
                            wanted_family.is_none() || ip_family(parsed) == wanted_family
                        });
                        items.extend(item.and_then(&mut *map));
                        continue;
                    }
                    let verdict = message.verdict().ok_or(NetlinkError::Malformed {
                        operation: asking.operation,
                    })?;
                    return match verdict.error {
                        // A filter on a table without routes, which the kernel has not created yet.
                        Some(error) if error.errno == libc::ENOENT => Ok(true),
                        Some(error) => Err(error.into()),
                        None => Ok(consistent),
                    };
                }
            }
            // The buffer has grown: the next attempt will do better.
            Received::Truncated => consistent = false,
            Received::Overrun | Received::Empty => {
                socket.mark_broken();
                return Err(asking.lost());
            }
        }
    }
}

/// Asks for one object; `None` when the answer does not parse.
pub(super) fn look_up(
    socket: &mut RequestSocket,
    request: &NetlinkRequest,
    deadline: Instant,
    asking: Asking,
) -> Result<Option<RouteNetlinkMessage>, NetlinkError> {
    let mut sequence = ask(socket, request)?;
    let mut truncated = false;
    loop {
        match receive_until(socket, deadline, asking)? {
            Received::Datagram(datagram) => {
                for message in messages(datagram).filter(|message| message.sequence == sequence) {
                    if message.message_type != NLMSG_ERROR {
                        return Ok(parse_message(message.message_type, message.payload));
                    }
                    let verdict = message.verdict().ok_or(NetlinkError::Malformed {
                        operation: asking.operation,
                    })?;
                    return verdict.error.map_or(Ok(None), |error| Err(error.into()));
                }
            }
            Received::Truncated if !truncated => {
                truncated = true;
                sequence = ask(socket, request)?;
            }
            Received::Truncated | Received::Overrun | Received::Empty => {
                socket.mark_broken();
                return Err(asking.lost());
            }
        }
    }
}

fn ask(socket: &mut RequestSocket, request: &NetlinkRequest) -> Result<u32, NetlinkError> {
    let sequence = socket.next_sequence();
    let mut bytes = Vec::with_capacity(request.encoded_length());
    request.encode_question(sequence, &mut bytes);
    socket.send(&bytes)?;
    Ok(sequence)
}

/// Waits for the next datagram; never [`Received::Empty`], except when someone else read it first.
fn receive_until<'a>(
    socket: &'a mut RequestSocket,
    deadline: Instant,
    asking: Asking,
) -> Result<Received<'a>, NetlinkError> {
    // Checked before each read as well: a dump that never ends must not outlive its deadline.
    if !socket.wait(deadline)? {
        socket.mark_broken();
        return Err(asking.timeout());
    }
    socket.receive()
}

/// Family of an address, route or rule message; `None` for the others.
fn ip_family(message: &RouteNetlinkMessage) -> Option<netlink_packet_route::AddressFamily> {
    match message {
        RouteNetlinkMessage::GetAddress(address) | RouteNetlinkMessage::NewAddress(address) => {
            Some(address.header.family)
        }
        RouteNetlinkMessage::GetRoute(route) | RouteNetlinkMessage::NewRoute(route) => {
            Some(route.header.address_family)
        }
        RouteNetlinkMessage::GetRule(rule) | RouteNetlinkMessage::NewRule(rule) => {
            Some(rule.header.family)
        }
        _ => None,
    }
}
