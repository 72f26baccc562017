// SPDX-License-Identifier: Apache-2.0

//! The socket for generic netlink (`linux/genetlink.h`): questions and changes of families that are no part of
//! `rtnetlink(7)`. One request at a time; what the families say stands in the modules below.

mod attribute;
pub mod ethtool;
pub mod mptcp;
pub mod wireguard;

use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};
use netlink_sys::protocols::NETLINK_GENERIC;
use tokio::sync::OnceCell;

use self::attribute::{Attributes, read_u16};
use crate::error::NetlinkError;
use crate::request::NetlinkRequest;
use crate::socket::{Received, RequestSocket, SocketOptions};
use crate::sockopt::RECEIVE_BUFFER;
use crate::wire::{NLMSG_DONE, NLMSG_ERROR, messages};
use crate::worker::WorkerSlot;

/// Number of the family that knows the others (`GENL_ID_CTRL`).
const CONTROLLER: u16 = 0x10;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `sizeof(struct genlmsghdr)`.
const HEADER_LENGTH: usize = 4;
const OPERATION: &str = "asking by generic netlink";
/// Longest time for one request.
const LIMIT: Duration = Duration::from_secs(10);

/// Talks to families of generic netlink. Needs a tokio runtime with time enabled.
pub struct GenericSocket {
    slot: WorkerSlot,
    /// Number of the family of multipath TCP, once it was asked for; none if there is none.
    mptcp: OnceCell<Option<u16>>,
}

/// A command of a family.
struct Command {
    family: u16,
    command: u8,
    version: u8,
    flags: u16,
    attributes: Vec<u8>,
}

impl GenericSocket {
    /// Opens the socket in the network namespace of the calling thread.
    pub fn open() -> Result<Self, NetlinkError> {
        let socket = SocketOptions {
            receive_buffer: RECEIVE_BUFFER,
            strict: false,
            protocol: NETLINK_GENERIC,
        };
        Ok(Self {
            slot: WorkerSlot::open("netlink-generic", socket)?,
            mptcp: OnceCell::new(),
        })
    }

    /// The same as [`Self::family`]; none when the kernel hasn't got it.
    async fn family_if_any(&self, name: &str) -> Result<Option<u16>, NetlinkError> {
        match self.family(name).await {
            Ok(family) => Ok(Some(family)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The number of a family, whose module is loaded if need be; fails with `ENOENT` when the kernel hasn't got it.
    async fn family(&self, name: &str) -> Result<u16, NetlinkError> {
        let mut attributes = Attributes::default();
        attributes.text(CTRL_ATTR_FAMILY_NAME, name);
        let answers = self
            .request(Command {
                family: CONTROLLER,
                command: CTRL_CMD_GETFAMILY,
                version: 1,
                flags: NLM_F_ACK,
                attributes: attributes.bytes(),
            })
            .await?;
        answers
            .iter()
            .flat_map(|answer| attribute::read(answer))
            .find(|attribute| attribute.kind == CTRL_ATTR_FAMILY_ID)
            .and_then(|attribute| read_u16(attribute.value))
            .ok_or(NetlinkError::Malformed {
                operation: OPERATION,
            })
    }

    /// Sends a command and collects the attributes of each message of the answer.
    async fn request(&self, command: Command) -> Result<Vec<Vec<u8>>, NetlinkError> {
        let mut payload = vec![command.command, command.version, 0, 0];
        payload.extend(command.attributes);
        let request = NetlinkRequest::raw(command.family, command.flags, payload);
        self.slot
            .run(OPERATION, LIMIT, move |socket, deadline| {
                exchange(socket, &request, deadline)
            })
            .await
    }

    /// As [`Self::request`], for a list of objects.
    async fn dump(&self, command: Command) -> Result<Vec<Vec<u8>>, NetlinkError> {
        self.request(Command {
            flags: NLM_F_DUMP,
            ..command
        })
        .await
    }
}

fn exchange(
    socket: &mut RequestSocket,
    request: &NetlinkRequest,
    deadline: Instant,
) -> Result<Vec<Vec<u8>>, NetlinkError> {
    let sequence = socket.next_sequence();
    let mut bytes = Vec::with_capacity(request.encoded_length());
    request.encode_question(sequence, &mut bytes);
    socket.send(&bytes)?;
    let mut answers = Vec::new();
    loop {
        if !socket.wait(deadline)? {
            socket.mark_broken();
            return Err(NetlinkError::Timeout {
                operation: OPERATION,
                limit: LIMIT,
            });
        }
        match socket.receive()? {
            Received::Datagram(datagram) => {
                for message in messages(datagram).filter(|message| message.sequence == sequence) {
                    if !matches!(message.message_type, NLMSG_ERROR | NLMSG_DONE) {
                        let attributes = message.payload.get(HEADER_LENGTH..);
                        answers.push(attributes.unwrap_or_default().to_vec());
                        continue;
                    }
                    let verdict = message.verdict().ok_or(NetlinkError::Malformed {
                        operation: OPERATION,
                    })?;
                    return verdict.error.map_or(Ok(answers), |error| Err(error.into()));
                }
            }
            Received::Empty => {}
            Received::Overrun | Received::Truncated => {
                socket.mark_broken();
                return Err(NetlinkError::AnswersLost {
                    operation: OPERATION,
                });
            }
        }
    }
}
