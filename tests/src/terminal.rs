// SPDX-License-Identifier: Apache-2.0

//! A pseudoterminal: programs that ask a human are asked through it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::process::Process;

/// How long a program may say nothing.
const PATIENCE: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// The side on which a human would sit.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    shown: Vec<u8>,
}

impl Terminal {
    /// Starts a program on a new terminal, which is its controlling one: Ctrl-C reaches it as a signal.
    ///
    /// `prepare` may add to the command; its standard streams are taken.
    pub fn start<A: AsRef<OsStr>>(
        arguments: &[A],
        prepare: impl FnOnce(&mut Command),
    ) -> (Self, Process) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a pseudoterminal");
        grantpt(&master).expect("the terminal is ours");
        unlockpt(&master).expect("the terminal is ours");
        let keyboard = ioctl_tiocgptpeer(&master, flags).expect("the other side");
        let copy = || keyboard.try_clone().expect("a file descriptor");
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "setpriv", "--pdeathsig", "KILL", "--"])
            .args(arguments)
            .stdin(copy())
            .stdout(copy())
            .stderr(copy());
        prepare(&mut command);
        let process = Process::spawn(&mut command);
        let master = File::from(master);
        let shown = Vec::new();
        (Self { master, shown }, process)
    }

    /// Types as a human would.
    pub fn enter(&mut self, text: &str) {
        self.master
            .write_all(text.as_bytes())
            .expect("the terminal is open");
    }

    /// Reads until it shows `text`; false if all programs on it have ended before.
    pub fn shows(&mut self, text: &str) -> bool {
        while !self.text().contains(text) {
            if !self.read() {
                return false;
            }
        }
        true
    }

    /// All that it shows until the programs on it have ended.
    pub fn rest(&mut self) -> String {
        while self.read() {}
        self.text()
    }

    /// What it has shown so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// False at the end.
    fn read(&mut self) -> bool {
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        let count = poll(&mut ready, Some(&PATIENCE)).expect("the terminal is open");
        assert!(
            count > 0,
            "nothing is shown any more after {:?}",
            self.text()
        );
        let mut buffer = [0; 1000];
        match self.master.read(&mut buffer) {
            Ok(length) => self.shown.extend_from_slice(&buffer[..length]),
            // What a terminal says that no program has open any more.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => return false,
            Err(error) => panic!("reading from the terminal: {error}"),
        }
        true
    }
}
