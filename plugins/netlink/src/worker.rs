// SPDX-License-Identifier: Apache-2.0

//! The thread behind a request socket, and the asynchronous side that waits for it.
//!
//! ```text
//!  plugin's event loop                      worker thread (owns the socket)
//!  WorkerSlot::run(job) --- job (one) --->  sendmsg, recv ... until the deadline
//!                       <-- oneshot reply --
//! ```
//!
//! A worker does one job at a time. If its answer does not come in time, or the caller stops waiting, the
//! worker is abandoned: it ends by itself once the kernel lets go of it, and the next job gets a new thread
//! and a new socket. How many may be stuck like that is bounded.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, oneshot};

use crate::error::NetlinkError;
use crate::socket::{RequestSocket, SocketOptions};

/// Time that the waiting side grants beyond a job's own deadline: the job's own answer says more.
const GRACE: Duration = Duration::from_millis(100);
/// Threads that may exist at once, stuck ones included.
const WORKERS_MAX: usize = 8;

type Job = Box<dyn FnOnce(&mut RequestSocket) + Send>;

struct Worker {
    jobs: mpsc::SyncSender<Job>,
}

/// Holds the worker while it is idle; takes jobs one after the other.
pub(crate) struct WorkerSlot {
    thread_name: &'static str,
    options: SocketOptions,
    idle: Mutex<Option<Worker>>,
    /// Each thread holds a clone, so that the count tells how many exist.
    alive: Arc<()>,
}

impl WorkerSlot {
    /// Opens the first socket in the calling thread, thereby in its network namespace.
    pub(crate) fn open(
        thread_name: &'static str,
        options: SocketOptions,
    ) -> Result<Self, NetlinkError> {
        let mut slot = Self {
            thread_name,
            options,
            idle: Mutex::new(None),
            alive: Arc::new(()),
        };
        let worker = slot.spawn("opening a netlink socket")?;
        *slot.idle.get_mut() = Some(worker);
        Ok(slot)
    }

    /// Runs `job` on the worker and waits for its answer, at most `limit` for the socket to be free and again
    /// for the answer. The job is given its deadline and has to keep to it wherever it waits itself.
    pub(crate) async fn run<T, F>(
        &self,
        operation: &'static str,
        limit: Duration,
        job: F,
    ) -> Result<T, NetlinkError>
    where
        T: Send + 'static,
        F: FnOnce(&mut RequestSocket, Instant) -> Result<T, NetlinkError> + Send + 'static,
    {
        let mut idle = tokio::time::timeout(limit, self.idle.lock())
            .await
            .map_err(|_| NetlinkError::Busy { operation, limit })?;
        // Taken out for the time of the job: should this future be dropped while it waits, the worker goes
        // with it, and nobody meets a socket on which answers to someone else are still arriving.
        let worker = match idle.take() {
            Some(worker) => worker,
            None => self.spawn(operation)?,
        };
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + limit;
        let boxed: Job = Box::new(move |socket| {
            if reply.is_closed() {
                return;
            }
            let result = job(socket, deadline);
            let _ = reply.send((result, socket.is_broken()));
        });
        if worker.jobs.try_send(boxed).is_err() {
            return Err(NetlinkError::Closed { operation });
        }
        match tokio::time::timeout(limit + GRACE, answer).await {
            Ok(Ok((result, broken))) => {
                if broken {
                    tracing::debug!(operation, "netlink socket is replaced");
                } else {
                    *idle = Some(worker);
                }
                result
            }
            Ok(Err(_)) => Err(NetlinkError::Closed { operation }),
            Err(_) => {
                tracing::debug!(operation, ?limit, "netlink worker is abandoned");
                Err(NetlinkError::Timeout { operation, limit })
            }
        }
    }

    fn spawn(&self, operation: &'static str) -> Result<Worker, NetlinkError> {
        let stuck = Arc::strong_count(&self.alive) - 1;
        if stuck >= WORKERS_MAX {
            return Err(NetlinkError::Stuck { operation, stuck });
        }
        let mut socket = RequestSocket::open(self.options)?;
        let alive = Arc::clone(&self.alive);
        let (jobs, queue) = mpsc::sync_channel::<Job>(1);
        std::thread::Builder::new()
            .name(self.thread_name.to_owned())
            .spawn(move || {
                let _alive = alive;
                // Ends when the sending side is dropped.
                while let Ok(job) = queue.recv() {
                    job(&mut socket);
                }
            })
            .map_err(|error| NetlinkError::from_io("starting a netlink thread", &error))?;
        Ok(Worker { jobs })
    }
}
