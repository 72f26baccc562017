// SPDX-License-Identifier: Apache-2.0

//! The test's side of `nipart-test-relay`: sees each event of an apply's chain before and after it passes, in the
//! place of the commander, and may do something terrible then.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::system::{System, executable};

/// When something is done: while the event is held, or as soon as it was handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The event has not been delivered.
    Before,
    /// It has, a moment ago.
    After,
}

type Action = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    pids: Vec<u64>,
    hops: Vec<String>,
    action: Option<(usize, When, Action)>,
}

/// The relay in front of a system's commander.
#[derive(Clone, Default)]
pub struct Relay(Arc<Mutex<Shared>>);

impl Relay {
    /// Puts the relay in front of the commander of a system that is not yet started. Plugins of that system may be
    /// killed as often as one likes.
    #[must_use]
    pub fn install(system: &System) -> Self {
        let control = system.path("relay");
        let settings = format!(
            "restart: {{limit: 1000000, stable-after-ms: 0}}\nplugins:\n- name: commander\n  executable: {}\n  arguments: [{}, bash, -c, 'exec -a nipart-plugin {} commander']\n",
            executable("nipart-test-relay").display(),
            control.display(),
            executable("nipartd").display(),
        );
        std::fs::write(system.path("nipart.yml"), settings).expect("a settings file");
        let relay = Self::default();
        let listener = UnixListener::bind(&control).expect("a socket for the relay");
        let own = relay.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let relay = own.clone();
                thread::spawn(move || relay.follow(stream));
            }
        });
        relay
    }

    /// Forgets what was seen, and does `action` at event number `hop` of the next apply's chain, counted from 1.
    pub fn arm(&self, hop: usize, when: When, action: impl FnOnce() + Send + 'static) {
        let mut shared = self.shared();
        shared.hops.clear();
        shared.action = Some((hop, when, Box::new(action)));
    }

    /// What was seen since [`Self::arm`], and whether the action was done. It will not be done any more.
    #[must_use]
    pub fn disarm(&self) -> (Vec<String>, bool) {
        let mut shared = self.shared();
        let was_done = shared.action.take().is_none();
        (std::mem::take(&mut shared.hops), was_done)
    }

    /// Processes of the commander: the relay and the plugin behind it.
    #[must_use]
    pub fn pids(&self) -> Vec<u64> {
        self.shared().pids.clone()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow(&self, stream: UnixStream) {
        let mut writing = stream.try_clone().expect("a second handle");
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let action = self.told(&line);
            if let Some(action) = action {
                action();
            }
            if writing.write_all(b"go\n").is_err() {
                return;
            }
        }
    }

    fn told(&self, line: &str) -> Option<Action> {
        let mut shared = self.shared();
        let now = match line.split_once(' ') {
            Some(("pids", pids)) => {
                let pids = pids.split(' ').map(|pid| pid.parse().expect("a number"));
                shared.pids = pids.collect();
                return None;
            }
            Some(("hop", hop)) => {
                shared.hops.push(hop.to_string());
                When::Before
            }
            _ => When::After,
        };
        let hop = shared.hops.len();
        let is_due = matches!(&shared.action, Some((at, when, _)) if (*at, *when) == (hop, now));
        is_due
            .then(|| shared.action.take())
            .flatten()
            .map(|(_, _, action)| action)
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Relay")
    }
}
