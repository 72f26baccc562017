// SPDX-License-Identifier: Apache-2.0

//! Stands between the daemon and a plugin, and lets a test stop the world at any event of a change's chain.
//!
//! ```text
//!  nipartd ◄── frames ──► relay ◄── frames ──► plugin
//!                           │ one line per event, and one when it has passed
//!                           ▼
//!                          test: answers each when it is to go on
//! ```
//! `nipart-test-relay CONTROL PROGRAM [ARGUMENT…]` is started by the daemon in the plugin's place. It knows nothing
//! of the handshake: the plugin registers and is connected to through the relay. In the commander's place it sees
//! every event of a chain, for all of them go through the commander. Without a test that listens at `CONTROL` it only
//! relays.

use std::io::{BufRead, BufReader, ErrorKind, Read, Result, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::Value;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nipart-test-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [control, program, rest @ ..] = &arguments[..] else {
        return Err(std::io::Error::new(
            ErrorKind::InvalidInput,
            "usage: nipart-test-relay CONTROL PROGRAM [ARGUMENT…]",
        ));
    };
    let front = variable("NIPART_SOCKET")?;
    let core = variable("NIPART_CORE_SOCKET")?;
    let behind = front.with_extension("behind.sock");
    let core_behind = front.with_extension("core.sock");
    let daemon_side = listen(&front)?;
    let registrations = listen(&core_behind)?;
    let mut plugin = Command::new(program)
        .args(rest)
        .env("NIPART_SOCKET", &behind)
        .env("NIPART_CORE_SOCKET", &core_behind)
        .spawn()?;
    let watch = Arc::new(Mutex::new(Watch::connect(Path::new(control), &plugin)));
    let result = relay(&registrations, &core, &daemon_side, &behind, &watch);
    // The plugin may have work to finish; the daemon waits for us, and so for it.
    plugin.wait()?;
    result
}

fn variable(name: &str) -> Result<PathBuf> {
    let missing = || std::io::Error::new(ErrorKind::NotFound, format!("{name} is not set"));
    std::env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(missing)
}

fn listen(path: &Path) -> Result<UnixListener> {
    // A predecessor's, if there is one.
    let _ = std::fs::remove_file(path);
    UnixListener::bind(path)
}

/// Hands the registration on, then every frame, until the plugin closes its side.
fn relay(
    registrations: &UnixListener,
    core: &Path,
    daemon_side: &UnixListener,
    behind: &Path,
    watch: &Arc<Mutex<Watch>>,
) -> Result<()> {
    let (near, _) = registrations.accept()?;
    let far = UnixStream::connect(core)?;
    let (near_up, far_up) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || copy(near_up, far_up));
    thread::spawn(move || copy(far, near));

    let (daemon, _) = daemon_side.accept()?;
    let plugin = UnixStream::connect(behind)?;
    let (from_daemon, to_plugin) = (daemon.try_clone()?, plugin.try_clone()?);
    let down = Arc::clone(watch);
    thread::spawn(move || {
        // Whatever ended it: the plugin is to see the end of its tunnel.
        let _ = frames(&from_daemon, &to_plugin, &down);
        let _ = to_plugin.shutdown(Shutdown::Write);
    });
    frames(&plugin, &daemon, watch)
}

fn copy(mut from: UnixStream, mut to: UnixStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Relays frames until there are no more.
fn frames(mut from: &UnixStream, mut to: &UnixStream, watch: &Mutex<Watch>) -> Result<()> {
    loop {
        let mut length = [0; 4];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        from.read_exact(&mut frame)?;
        // Held while the event passes, so that there is one order of all events.
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        let is_hop = watch.stop_before(&frame);
        to.write_all(&[&length[..], &frame].concat())?;
        if is_hop {
            watch.tell("passed");
        }
    }
}

/// The test that looks on, and the chain that it looks at.
struct Watch {
    control: Option<(UnixStream, BufReader<UnixStream>)>,
    chain: Option<Value>,
}

impl Watch {
    fn connect(control: &Path, plugin: &Child) -> Self {
        let connect = || {
            let stream = UnixStream::connect(control)?;
            let reading = BufReader::new(stream.try_clone()?);
            Ok::<_, std::io::Error>((stream, reading))
        };
        let mut watch = Self {
            control: connect().ok(),
            chain: None,
        };
        watch.tell(&format!("pids {} {}", std::process::id(), plugin.id()));
        watch
    }

    /// Waits for the test's leave, if the event belongs to the newest apply's chain.
    fn stop_before(&mut self, frame: &[u8]) -> bool {
        if self.control.is_none() {
            return false;
        }
        let event: Value = serde_json::from_slice(frame).unwrap_or_default();
        if event["kind"] == "apply" && event["state"] == "todo" {
            self.chain = Some(event["chain"].clone());
        }
        if self.chain.as_ref() != Some(&event["chain"]) {
            return false;
        }
        let word = |key: &str| event[key].as_str().unwrap_or_default();
        self.tell(&format!(
            "hop {} → {} {} {}",
            word("sender"),
            word("receiver"),
            word("kind"),
            word("state")
        ));
        true
    }

    /// Says a line, and waits for one.
    fn tell(&mut self, line: &str) {
        if let Some((writing, reading)) = &mut self.control {
            let mut answer = String::new();
            let told = writing
                .write_all(format!("{line}\n").as_bytes())
                .and_then(|()| reading.read_line(&mut answer));
            if !matches!(told, Ok(read) if read > 0) {
                self.control = None;
            }
        }
    }
}
