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
use crate::wire::{NLMSG_DONE, NLMSG_ERROR, Verdict, align, messages};

/// First pause before an interrupted dump is repeated; doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(32);
/// Bytes of unparsed messages that are held at most; some five thousand links, or fifty thousand routes.
const COLLECTED_MAX: usize = 8 * 1024 * 1024;

/// What is being asked, for error messages, and until when it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    operation: &'static str,
    limit: Duration,
    deadline: Instant,
}

impl Asking {
    pub(super) fn new(operation: &'static str, limit: Duration, deadline: Instant) -> Self {
        Self {
            operation,
            limit,
            deadline,
        }
    }

    fn timeout(self) -> NetlinkError {
        NetlinkError::Timeout {
            operation: self.operation,
            limit: self.limit,
        }
    }

    fn malformed(self) -> NetlinkError {
        NetlinkError::Malformed {
            operation: self.operation,
        }
    }

    fn lost(self) -> NetlinkError {
        NetlinkError::AnswersLost {
            operation: self.operation,
        }
    }
}

/// Runs the dumps one after the other, repeats the interrupted ones, and concatenates what `map` keeps of the messages of
/// which `glance` wants what follows their netlink header.
pub(super) fn dump_all<T>(
    socket: &mut RequestSocket,
    requests: &[NetlinkRequest],
    asking: Asking,
    options: DumpOptions,
    glance: impl Fn(&[u8]) -> bool,
    mut map: impl FnMut(RouteNetlinkMessage) -> Option<T>,
) -> Result<Vec<T>, NetlinkError> {
    let mut items = Vec::new();
    for request in requests {
        let start = items.len();
        let mut pause = PAUSE_FIRST;
        let mut attempt = 1;
        loop {
            let last = attempt >= options.attempts;
            let keep = last && options.accept_interrupted;
            if dump_once(socket, request, asking, keep, &glance, &mut map, &mut items)? {
                break;
            }
            if keep {
                tracing::debug!(
                    operation = asking.operation,
                    attempt,
                    "interrupted dump accepted"
                );
                break;
            }
            if last {
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
            std::thread::sleep(
                pause.min(asking.deadline.saturating_duration_since(Instant::now())),
            );
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
    Ok(items)
}

/// One dump; `false` when the kernel says that it was interrupted, or part of it was lost.
///
/// Messages are collected first and parsed in bulk: the faster the kernel gets through its dump, the less likely
/// it is interrupted, and an interrupted one needs no parsing.
fn dump_once<T>(
    socket: &mut RequestSocket,
    request: &NetlinkRequest,
    asking: Asking,
    keep_interrupted: bool,
    glance: &impl Fn(&[u8]) -> bool,
    map: &mut impl FnMut(RouteNetlinkMessage) -> Option<T>,
    items: &mut Vec<T>,
) -> Result<bool, NetlinkError> {
    let sequence = ask(socket, request)?;
    let wanted_family = request.message().and_then(ip_family);
    let mut parse = |collected: &[u8]| {
        let ours = messages(collected).filter(|message| message.sequence == sequence);
        for message in ours.filter(|message| glance(message.payload)) {
            let parsed = parse_message(message.message_type, message.payload);
            // A kernel without IPv6 answers a question about it with all families.
            let item = parsed
                .filter(|parsed| wanted_family.is_none() || ip_family(parsed) == wanted_family);
            items.extend(item.and_then(&mut *map));
        }
    };
    let mut collected = Vec::new();
    let mut consistent = true;
    loop {
        match receive_until(socket, asking)? {
            Received::Datagram(datagram) => {
                let mut verdict = None;
                for message in messages(datagram).filter(|message| message.sequence == sequence) {
                    // The mark may sit on any message, the last one included.
                    consistent &= message.flags & NLM_F_DUMP_INTR == 0;
                    if matches!(message.message_type, NLMSG_DONE | NLMSG_ERROR) {
                        verdict = Some(message.verdict());
                    }
                }
                collected.extend_from_slice(datagram);
                collected.resize(align(collected.len()), 0);
                match verdict {
                    None if collected.len() < COLLECTED_MAX => {}
                    None => {
                        parse(&collected);
                        collected.clear();
                    }
                    Some(None) => {
                        socket.mark_broken();
                        return Err(asking.malformed());
                    }
                    Some(Some(Verdict { error: None, .. })) => {
                        if consistent || keep_interrupted {
                            parse(&collected);
                        }
                        return Ok(consistent);
                    }
                    // A filter on a table without routes, which the kernel has not created yet.
                    Some(Some(Verdict {
                        error: Some(error), ..
                    })) if error.errno == libc::ENOENT => {
                        return Ok(true);
                    }
                    Some(Some(Verdict {
                        error: Some(error), ..
                    })) => return Err(error.into()),
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
    asking: Asking,
) -> Result<Option<RouteNetlinkMessage>, NetlinkError> {
    let mut sequence = ask(socket, request)?;
    let mut truncated = false;
    loop {
        match receive_until(socket, asking)? {
            Received::Datagram(datagram) => {
                let answer = messages(datagram).find(|message| message.sequence == sequence);
                let Some(message) = answer else {
                    continue;
                };
                if message.message_type != NLMSG_ERROR {
                    return Ok(parse_message(message.message_type, message.payload));
                }
                let Some(verdict) = message.verdict() else {
                    socket.mark_broken();
                    return Err(asking.malformed());
                };
                return verdict.error.map_or(Ok(None), |error| Err(error.into()));
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
    asking: Asking,
) -> Result<Received<'a>, NetlinkError> {
    // Checked before each read as well: a dump that never ends must not outlive its deadline.
    if !socket.wait(asking.deadline)? {
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
