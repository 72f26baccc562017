// SPDX-License-Identifier: Apache-2.0

//! Another host: a second network namespace, with wires to the test's own.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::namespace::ip;
use crate::process::{Process, eventually};

/// The other namespace.
#[derive(Debug)]
pub struct Peer {
    holder: Process,
}

/// A server in the other namespace, and what it prints.
#[derive(Debug)]
pub struct Server {
    _process: Process,
    lines: mpsc::Receiver<String>,
}

impl Peer {
    /// Makes the namespace, with nothing but a loopback interface that is down.
    #[must_use]
    pub fn new() -> Self {
        let peer = Self {
            holder: Process::start(&["unshare", "--net", "--", "sleep", "600"], Stdio::null()),
        };
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        eventually("a second namespace", Duration::from_secs(5), || {
            let theirs = namespace(&peer.holder.pid())?;
            (Some(theirs) != namespace("self")).then_some(())
        });
        peer
    }

    /// The process that holds the namespace, for `nsenter --target`.
    #[must_use]
    pub fn pid(&self) -> String {
        self.holder.pid()
    }

    /// Lays a wire: a veth pair, `near` here and `far` there. Both ends are up; `far` has `address`, with its prefix length.
    pub fn wire(&self, near: &str, far: &str, address: &str) {
        ip(&[
            "link",
            "add",
            near,
            "type",
            "veth",
            "peer",
            "name",
            far,
            "netns",
            &self.holder.pid(),
        ]);
        self.run(&["ip", "address", "add", address, "dev", far]);
        self.run(&["ip", "link", "set", far, "up"]);
        ip(&["link", "set", near, "up"]);
    }

    /// Runs a command in the other namespace.
    pub fn run(&self, command: &[&str]) -> String {
        let output = Command::new("nsenter")
            .args(["--target", &self.holder.pid(), "--net", "--"])
            .args(command)
            .output()
            .expect("nsenter is installed");
        assert!(
            output.status.success(),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a server in the other namespace and waits for a line with `ready` among what it prints.
    pub fn serve(&self, command: &[&str], ready: &str) -> Server {
        let pid = self.holder.pid();
        let arguments = [&["nsenter", "--target", &pid, "--net", "--"], command].concat();
        let mut process = Process::start(&arguments, Stdio::piped());
        let output = process.0.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Server {
            _process: process,
            lines,
        };
        server.await_line(ready, Duration::from_secs(10));
        server
    }

    /// Starts dnsmasq as a DHCP server on `interface`, leasing from `range` (`FIRST,LAST`), and as nothing else.
    pub fn dnsmasq(&self, interface: &str, range: &str, options: &[&str]) -> Server {
        self.dnsmasq_for(interface, &format!("{range},255.255.255.0,3600"), options)
    }

    /// The same for any range, which may be one of DHCPv6.
    pub fn dnsmasq_for(&self, interface: &str, range: &str, options: &[&str]) -> Server {
        let interface = format!("--interface={interface}");
        let range = format!("--dhcp-range={range}");
        let fixed = [
            "sh",
            "-c",
            "exec dnsmasq \"$@\" 2>&1",
            "sh",
            "--no-daemon",
            "--conf-file=/dev/null",
            "--port=0",
            "--bind-interfaces",
            "--no-ping",
            "--log-dhcp",
            "--leasefile-ro",
            "--user=root",
            &interface,
            &range,
        ];
        self.serve(&[&fixed[..], options].concat(), "DHCP")
    }

    /// Starts a router on `interface` that advertises what `options` say (`support/router.py`), and prints a line of JSON
    /// for each solicitation. It is silent when it is dropped; nobody takes back what it has said.
    pub fn router(&self, interface: &str, options: &[&str]) -> Server {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/support/router.py");
        let fixed = ["python3", script, "--interface", interface];
        self.serve(&[&fixed[..], options].concat(), "\"ready\"")
    }

    /// Starts a DHCP server with leases of a few seconds on `interface`, whose address is `server`. It leases from
    /// `range` (`FIRST-LAST`) and prints each message as a line of JSON.
    pub fn short_leases(
        &self,
        interface: &str,
        server: &str,
        range: &str,
        options: &[&str],
    ) -> Server {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/support/short_lease_dhcpd.py");
        let fixed = [
            "python3",
            script,
            "--interface",
            interface,
            "--server",
            server,
            "--range",
            range,
        ];
        self.serve(&[&fixed[..], options].concat(), "\"ready\"")
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Waits for a line that contains `text`, and returns it.
    pub fn await_line(&mut self, text: &str, limit: Duration) -> String {
        let deadline = std::time::Instant::now() + limit;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {text:?} within {limit:?} among {seen:#?}"),
            }
        }
    }
}
