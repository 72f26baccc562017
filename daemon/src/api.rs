// SPDX-License-Identifier: Apache-2.0

//! The public API: Varlink over `<run>/io.nipart`.
//!
//! One task per connection, owned by [`serve`]'s set: a client that is slow, dead or mad ends its own task at most.
//! [`connection`] has a connection's life, [`methods`] what is asked of the core, [`kept`] what ends with a connection,
//! [`peer`] who may do what.

mod connection;
mod kept;
mod methods;
mod peer;

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::peer::Peer;
use crate::handle::CoreHandle;

/// Connections at a time.
const MAX_CONNECTIONS: usize = 1024;

/// Of those, how many can be of peers that may only read: the rest stays free for the administrator.
const MAX_READERS: usize = 768;

/// How long calls that are being worked on may go on when the daemon stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Pause after a failed accept: most often there are no file descriptors left, and they don't come back at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the API needs to know of the daemon's settings.
#[derive(Debug, Clone)]
pub(crate) struct ApiSettings {
    /// Where to listen. A socket that is there already is a dead one's: the daemon holds the run directory's lock.
    pub(crate) socket: PathBuf,
    /// Members of this group may change the network, as root may. None, or unknown to the system: only root.
    pub(crate) group: Option<String>,
}

/// Serves clients until `stop`, then removes the socket. An error ends the daemon.
pub(crate) async fn serve(
    settings: ApiSettings,
    core: CoreHandle,
    stop: CancellationToken,
) -> Result<(), NipartError> {
    let listener = listen(&settings).map_err(|error| {
        NipartError::new(
            ErrorKind::Storage,
            format!("listen at {}: {error}", settings.socket.display()),
        )
    })?;
    let places = Places::default();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let group = settings.group.as_deref();
                    if let Some((peer, place)) = admit(&stream, group, &places) {
                        let (core, stop) = (core.clone(), stop.clone());
                        connections.spawn(async move {
                            connection::serve(stream, peer, core, stop).await;
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    warn!(%error, "can't accept an API client");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    if let Err(error) = fs::remove_file(&settings.socket) {
        debug!(%error, "can't remove the API's socket");
    }
    let finish = async { while connections.join_next().await.is_some() {} };
    // Those that take longer are dropped with the set.
    let _ = timeout(STOP_GRACE, finish).await;
    Ok(())
}

fn listen(settings: &ApiSettings) -> io::Result<UnixListener> {
    match fs::remove_file(&settings.socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&settings.socket)?;
    // Anybody may connect and read; who may change is decided by the peer's credentials.
    fs::set_permissions(&settings.socket, fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Connections that may still come.
#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }
}

/// A connection's place, given back when it ends.
type Place = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

impl Places {
    fn take(&self, may_apply: bool) -> Option<Place> {
        let reader = match may_apply {
            true => None,
            false => Some(Arc::clone(&self.readers).try_acquire_owned().ok()?),
        };
        Some((Arc::clone(&self.all).try_acquire_owned().ok()?, reader))
    }
}

/// Learns who it is, and finds a place.
fn admit(stream: &UnixStream, group: Option<&str>, places: &Places) -> Option<(Peer, Place)> {
    let peer = match stream.peer_cred() {
        Ok(credentials) => Peer::new(&credentials, group),
        Err(error) => {
            debug!(%error, "an API client has gone before it was known");
            return None;
        }
    };
    match places.take(peer.may_apply) {
        Some(place) => Some((peer, place)),
        None => {
            debug!(%peer, "too many API clients: connection refused");
            None
        }
    }
}
