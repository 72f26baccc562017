// SPDX-License-Identifier: Apache-2.0

//! A daemon that gives the same replies to every call, and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

pub(crate) struct FakeDaemon {
    folder: tempfile::TempDir,
    calls: Arc<Mutex<Vec<Value>>>,
}

impl FakeDaemon {
    /// Without replies, it hangs up instead.
    pub(crate) fn start(replies: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("io.nipart")).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&calls);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away early is what some tests are about.
                let _ = serve(stream.unwrap(), &replies, &heard);
            }
        });
        Self { folder, calls }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder().join("io.nipart")
    }

    pub(crate) fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: UnixStream,
    replies: &[String],
    heard: &Mutex<Vec<Value>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut message = Vec::new();
        reader.read_until(0, &mut message)?;
        if message.pop().is_none() || replies.is_empty() {
            return Ok(());
        }
        heard
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&message)?);
        for reply in replies {
            stream.write_all(reply.as_bytes())?;
            stream.write_all(&[0])?;
        }
    }
}
