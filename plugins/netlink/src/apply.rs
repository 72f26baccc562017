// SPDX-License-Identifier: Apache-2.0

//! The socket for changes: requests go out in batches, each comes back with its own result.
//!
//! A batch is not atomic: the kernel works through it in order and goes on after a refusal. Acks are matched
//! by sequence number.

use std::time::{Duration, Instant};

use netlink_sys::protocols::NETLINK_ROUTE;

use crate::error::NetlinkError;
use crate::request::NetlinkRequest;
use crate::socket::{Received, RequestSocket, SocketOptions};
use crate::sockopt::RECEIVE_BUFFER;
use crate::wire::{NLMSG_ERROR, messages};
use crate::worker::WorkerSlot;

/// Messages per `sendmsg`: more gains nothing (measured), and a small batch keeps the kernel's lock shorter.
const BATCH_MESSAGES: usize = 64;
/// Bytes per `sendmsg`, well below the default send buffer (`net.core.wmem_default`, 212992).
const BATCH_BYTES: usize = 96 * 1024;
const OPERATION: &str = "applying changes";

/// What to do with the batches after one in which a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Send them all the same.
    #[default]
    Continue,
    /// Hold them back; their requests are answered with [`NetlinkError::NotSent`].
    StopAfterBatch,
}

/// How an [`ApplySocket`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Longest time for one batch of 64. Creation takes tens of milliseconds; deletions wait for grace
    /// periods, and for every other user of the kernel's lock.
    pub batch_limit: Duration,
    /// Receive buffer in bytes, granted beyond `net.core.rmem_max` with `CAP_NET_ADMIN`.
    pub receive_buffer: usize,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            batch_limit: Duration::from_secs(30),
            receive_buffer: RECEIVE_BUFFER,
        }
    }
}

/// Executes changes; see the module's description. Needs a tokio runtime with time enabled.
pub struct ApplySocket {
    slot: WorkerSlot,
    options: ApplyOptions,
}

impl ApplySocket {
    /// Opens the socket in the network namespace of the calling thread.
    pub fn open(options: ApplyOptions) -> Result<Self, NetlinkError> {
        let socket = SocketOptions {
            receive_buffer: options.receive_buffer,
            strict: false,
            protocol: NETLINK_ROUTE,
        };
        Ok(Self {
            slot: WorkerSlot::open("netlink-apply", socket)?,
            options,
        })
    }

    /// Executes `requests` in order and returns one result for each, in the same order.
    ///
    /// A result for which [`NetlinkError::is_outcome_unknown`] holds means that the change may have happened.
    /// Dropping the future lets the batch under way finish and sends no other.
    pub async fn execute(
        &self,
        requests: Vec<NetlinkRequest>,
        on_failure: OnFailure,
    ) -> Vec<Result<(), NetlinkError>> {
        let total = requests.len();
        let mut results = Vec::with_capacity(total);
        for batch in split(requests) {
            let size = batch.len();
            let limit = self.options.batch_limit;
            let outcome = self
                .slot
                .run(OPERATION, limit, move |socket, deadline| {
                    Ok(exchange(socket, &batch, deadline, limit))
                })
                .await;
            let first = results.len();
            match outcome {
                Ok(answers) => results.extend(answers),
                Err(error) => results.extend(std::iter::repeat_n(Err(error), size)),
            }
            if on_failure == OnFailure::StopAfterBatch
                && results[first..].iter().any(Result::is_err)
            {
                break;
            }
        }
        results.resize(total, Err(NetlinkError::NotSent));
        results
    }

    /// Executes one request.
    pub async fn execute_one(&self, request: NetlinkRequest) -> Result<(), NetlinkError> {
        let mut results = self.execute(vec![request], OnFailure::Continue).await;
        results.pop().unwrap_or(Err(NetlinkError::NotSent))
    }
}

/// Cuts the requests into batches that keep to both limits; a request beyond the byte limit goes alone.
fn split(requests: Vec<NetlinkRequest>) -> Vec<Vec<NetlinkRequest>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut bytes = 0;
    for request in requests {
        let length = request.encoded_length();
        if !batch.is_empty() && (batch.len() == BATCH_MESSAGES || bytes + length > BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += length;
        batch.push(request);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Sends one batch and collects its acks, on the worker's thread.
fn exchange(
    socket: &mut RequestSocket,
    batch: &[NetlinkRequest],
    deadline: Instant,
    limit: Duration,
) -> Vec<Result<(), NetlinkError>> {
    let mut bytes = Vec::with_capacity(batch.iter().map(NetlinkRequest::encoded_length).sum());
    let mut sequences = Vec::with_capacity(batch.len());
    for request in batch {
        let sequence = socket.next_sequence();
        request.encode(sequence, &mut bytes);
        sequences.push(sequence);
    }
    if let Err(error) = socket.send(&bytes) {
        return vec![Err(error); batch.len()];
    }
    let mut acks: Vec<Option<Result<(), NetlinkError>>> = vec![None; batch.len()];
    let failure = collect(socket, &sequences, &mut acks, deadline, limit).err();
    if failure.is_some() {
        socket.mark_broken();
    }
    let missing = failure.unwrap_or(NetlinkError::AnswersLost {
        operation: OPERATION,
    });
    acks.into_iter()
        .map(|ack| ack.unwrap_or_else(|| Err(missing.clone())))
        .collect()
}

/// Reads acks until each request has one; the error says why the others have none.
fn collect(
    socket: &mut RequestSocket,
    sequences: &[u32],
    acks: &mut [Option<Result<(), NetlinkError>>],
    deadline: Instant,
    limit: Duration,
) -> Result<(), NetlinkError> {
    let mut open = sequences.len();
    let mut lost = false;
    while open > 0 {
        match socket.receive()? {
            Received::Datagram(datagram) => {
                for message in
                    messages(datagram).filter(|message| message.message_type == NLMSG_ERROR)
                {
                    // The numbers of a batch follow each other, so the difference is the position.
                    let position = message.sequence.wrapping_sub(sequences[0]) as usize;
                    let Some(ack) = acks.get_mut(position).filter(|ack| ack.is_none()) else {
                        continue;
                    };
                    let Some(verdict) = message.verdict() else {
                        continue;
                    };
                    if let Some(warning) = verdict.warning {
                        tracing::warn!(%warning, "the kernel did as asked, but warns");
                    }
                    *ack = Some(verdict.error.map_or(Ok(()), |error| Err(error.into())));
                    open -= 1;
                }
            }
            Received::Overrun | Received::Truncated => lost = true,
            // The kernel queues the acks before `sendmsg` returns: once something was dropped and the queue
            // is empty, waiting is pointless.
            Received::Empty if lost => {
                return Err(NetlinkError::AnswersLost {
                    operation: OPERATION,
                });
            }
            Received::Empty => {
                if !socket.wait(deadline)? {
                    return Err(NetlinkError::Timeout {
                        operation: OPERATION,
                        limit,
                    });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_both_limits() {
        let small = NetlinkRequest::raw(16, 0, vec![0; 16]);
        let sizes = |requests| split(requests).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
        assert_eq!(sizes(vec![small.clone(); 130]), [64, 64, 2]);
        let large = NetlinkRequest::raw(16, 0, vec![0; 50_000]);
        assert_eq!(
            sizes(vec![small.clone(), large.clone(), large, small]),
            [2, 2]
        );
        let huge = NetlinkRequest::raw(16, 0, vec![0; 200_000]);
        assert_eq!(sizes(vec![huge.clone(), huge]), [1, 1]);
    }
}
