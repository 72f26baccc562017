// SPDX-License-Identifier: Apache-2.0

//! A second network namespace with a server in it, and the client's end of the wire.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nipart_dhcp::events::LeaseEvent;
use nipart_schemas::lease::{
    Dhcpv4Config, Dhcpv4Lease, Dhcpv6Config, Dhcpv6Lease, Lease, LeaseLoss, LeaseProtocol,
};
use nipart_tests::namespace::ip;

/// The client's link, in the test's own namespace.
pub(crate) const LINK: &str = "client0";
/// The server's link and address.
pub(crate) const SERVER_LINK: &str = "server0";
pub(crate) const SERVER: &str = "192.0.2.1";
pub(crate) const SERVER6: &str = "2001:db8::1";

/// A process that ends with this value, and with the test at the latest.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program that the kernel kills should the test die first.
    fn start<A: AsRef<OsStr>>(arguments: &[A], output: Stdio) -> Process {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()
            .expect("setpriv (util-linux) is installed");
        Process(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The other namespace.
pub(crate) struct Peer {
    holder: Process,
}

impl Peer {
    /// Makes the namespace and the wire to it; both ends are up, the server's end has its address.
    pub(crate) fn new() -> Peer {
        let holder = Process::start(&["unshare", "--net", "--", "sleep", "600"], Stdio::null());
        let peer = Peer { holder };
        peer.await_namespace();
        ip(&[
            "link",
            "add",
            LINK,
            "type",
            "veth",
            "peer",
            "name",
            SERVER_LINK,
            "netns",
            &peer.pid(),
        ]);
        peer.run(&[
            "ip",
            "address",
            "add",
            &format!("{SERVER}/24"),
            "dev",
            SERVER_LINK,
        ]);
        peer.run(&["ip", "link", "set", SERVER_LINK, "up"]);
        ip(&["link", "set", LINK, "up"]);
        peer
    }

    /// The same with an IPv6 address at the server's end, and link-local addresses that are usable at both ends.
    pub(crate) fn with_ipv6() -> Peer {
        let peer = Peer::without_client_address();
        await_link_local();
        peer
    }

    /// The same, while the client's end is still looking for duplicates of its link-local address.
    pub(crate) fn without_client_address() -> Peer {
        let peer = Peer::new();
        // The server's end has none to wait for: it is not what is tested.
        peer.run(&["ip", "link", "set", SERVER_LINK, "down"]);
        let path = format!("/proc/sys/net/ipv6/conf/{SERVER_LINK}/accept_dad");
        peer.run(&["sh", "-c", &format!("echo 0 > {path}")]);
        let address = format!("{SERVER6}/64");
        peer.run(&[
            "ip",
            "address",
            "add",
            &address,
            "dev",
            SERVER_LINK,
            "nodad",
        ]);
        peer.run(&["ip", "link", "set", SERVER_LINK, "up"]);
        peer
    }

    /// Starts dnsmasq in the other namespace: DHCP only, with a lease file.
    pub(crate) fn dnsmasq(&self, leases: &LeaseFile, more: &[&str], ready: &str) -> Server {
        let interface = format!("--interface={SERVER_LINK}");
        let lease_file = format!("--dhcp-leasefile={}", leases.0.display());
        let command = [
            &[
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--user=root",
                "--pid-file=",
                "--port=0",
                "--log-dhcp",
                "--log-facility=/dev/stdout",
                &interface,
                &lease_file,
            ],
            more,
        ]
        .concat();
        self.serve(&command, ready)
    }

    fn pid(&self) -> String {
        self.holder.0.id().to_string()
    }

    fn await_namespace(&self) {
        let started = Instant::now();
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        while namespace(&self.pid()).is_none_or(|other| Some(other) == namespace("self")) {
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "no second namespace"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn inside<'a>(pid: &'a str, command: &[&'a str]) -> Vec<&'a str> {
        [&["nsenter", "--target", pid, "--net", "--"], command].concat()
    }

    /// Runs a command in the other namespace.
    pub(crate) fn run(&self, command: &[&str]) {
        let pid = self.pid();
        let arguments = Peer::inside(&pid, command);
        let status = Command::new(arguments[0])
            .args(&arguments[1..])
            .status()
            .expect("nsenter is installed");
        assert!(status.success(), "{command:?}: {status}");
    }

    /// Starts a server in the other namespace and waits for a line with `ready` among what it prints.
    pub(crate) fn serve(&self, command: &[&str], ready: &str) -> Server {
        let pid = self.pid();
        let mut process = Process::start(&Peer::inside(&pid, command), Stdio::piped());
        let output = process.0.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let server = Server {
            _process: process,
            lines,
        };
        server.await_line(ready);
        server
    }
}

/// Waits until the client's link has a link-local address that nobody else has.
fn await_link_local() {
    let started = Instant::now();
    let is_usable = |shown: String| shown.contains("fe80:") && !shown.contains("tentative");
    while !is_usable(ip(&["-6", "address", "show", "dev", LINK])) {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "no link-local address"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server and what it prints.
pub(crate) struct Server {
    _process: Process,
    lines: mpsc::Receiver<String>,
}

impl Server {
    /// Waits for a line with `wanted` in it.
    pub(crate) fn await_line(&self, wanted: &str) -> String {
        let mut seen = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {wanted:?} ({error}) among {seen:#?}"),
            }
        }
    }

    /// What it has printed since the last look.
    pub(crate) fn printed(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }
}

/// A configuration for the client's link.
pub(crate) fn config() -> Dhcpv4Config {
    Dhcpv4Config {
        interface: LINK.to_owned(),
        ..Dhcpv4Config::default()
    }
}

/// The same for DHCPv6.
pub(crate) fn config6() -> Dhcpv6Config {
    Dhcpv6Config {
        interface: LINK.to_owned(),
        ..Dhcpv6Config::default()
    }
}

/// The next event, within `limit`.
pub(crate) async fn next(
    events: &mut tokio::sync::mpsc::Receiver<LeaseEvent>,
    limit: Duration,
) -> LeaseEvent {
    tokio::time::timeout(limit, events.recv())
        .await
        .expect("an event in time")
        .expect("a client that runs")
}

/// The lease of an event that must be `Acquired`.
pub(crate) fn acquired(event: LeaseEvent) -> Dhcpv4Lease {
    match event {
        LeaseEvent::Acquired(Lease::Ipv4(lease)) => lease,
        other => panic!("{other:?}"),
    }
}

/// The same for DHCPv6.
pub(crate) fn acquired6(event: LeaseEvent) -> Dhcpv6Lease {
    match event {
        LeaseEvent::Acquired(Lease::Ipv6(lease)) => lease,
        other => panic!("{other:?}"),
    }
}

/// The news that the DHCPv6 lease is gone.
pub(crate) fn lost6(reason: LeaseLoss) -> LeaseEvent {
    LeaseEvent::Lost {
        interface: LINK.to_owned(),
        protocol: LeaseProtocol::Dhcpv6,
        reason,
    }
}

/// Does what the daemon would do with a lease.
pub(crate) fn set_address(lease: &Dhcpv4Lease) {
    let address = format!("{}/{}", lease.address, lease.prefix_length);
    ip(&["address", "replace", &address, "dev", LINK]);
}

/// Runs a test on a runtime like the plugin's: one thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// The test server's script.
pub(crate) fn script() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/support/short_lease_dhcpd.py");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A lease file of one test, removed with it.
pub(crate) struct LeaseFile(pub(crate) PathBuf);

impl LeaseFile {
    pub(crate) fn new() -> LeaseFile {
        LeaseFile(
            std::env::temp_dir().join(format!("nipart-dnsmasq-{}.leases", std::process::id())),
        )
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    /// Waits until this is so: dnsmasq writes its leases down after it has answered.
    pub(crate) async fn until(&self, condition: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition(&self.text()) {
            assert!(Instant::now() < deadline, "{}", self.text());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for LeaseFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
