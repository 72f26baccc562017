// SPDX-License-Identifier: Apache-2.0

//! The control interface of `wpa_supplicant` (`wpa_ctrl.c`): datagrams of text, answers and events mixed.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::UnixDatagram;

/// Longer than any answer.
const ANSWER_MAX: usize = 4096;
const CONNECTED: &str = "CTRL-EVENT-CONNECTED";

/// A connection, whose own socket goes with it.
pub(super) struct Control {
    socket: UnixDatagram,
    own: PathBuf,
}

impl Control {
    pub(super) fn open(own: &Path, path: &Path) -> io::Result<Self> {
        // Left by a crash.
        let _ = std::fs::remove_file(own);
        let socket = UnixDatagram::bind(own)?;
        let own = own.to_path_buf();
        let control = Self { socket, own };
        control.socket.connect(path)?;
        Ok(control)
    }

    /// Waits until the process has taken up its work: then it changes the link no more until the other end is heard of.
    /// Returns the number of the link that it works for.
    pub(super) async fn ready(&self) -> io::Result<Option<u32>> {
        self.socket.send(b"ATTACH").await?;
        self.socket.send(b"STATUS").await?;
        loop {
            let said = self.receive().await?;
            if said.contains("wpa_state=COMPLETED") || said.contains(CONNECTED) {
                break;
            }
        }
        self.socket.send(b"STATUS-DRIVER").await?;
        loop {
            let said = self.receive().await?;
            if let Some(link) = said.lines().find_map(|line| line.strip_prefix("ifi=")) {
                return Ok(link.parse().ok());
            }
            if said == "FAIL\n" || said == "UNKNOWN COMMAND\n" {
                return Ok(None);
            }
        }
    }

    async fn receive(&self) -> io::Result<String> {
        let mut buffer = vec![0; ANSWER_MAX];
        let length = self.socket.recv(&mut buffer).await?;
        Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.own);
    }
}
