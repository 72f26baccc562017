// SPDX-License-Identifier: Apache-2.0

//! MACsec: keys that both ends agree upon. The other end is a `wpa_supplicant` of the test's own, over a wire.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nipart_tests::check;
use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::peer::{Peer, Server};
use nipart_tests::process::{eventually, kill_9};
use nipart_tests::system::{Answer, System};
use nipart_vm_tests::{has_program, needs, needs_kinds};

use crate::secrets;

const KEY: &str = "00112233445566778899aabbccddeeff";
const OTHER_KEY: &str = "ffeeddccbbaa99887766554433221100";
const LONG_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const KEY_NAME: &str = "0a0b";

/// Some hellos, of 2 s each, and the 6 s after which an end that is silent counts as gone, on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Answers each datagram.
const ECHO: &str = "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('192.0.2.2', 7))
print('ready', flush=True)
while True:
    data, peer = s.recvfrom(100)
    s.sendto(data, peer)
";

fn can_run() -> bool {
    needs_kinds(&["macsec"]) && needs("the program wpa_supplicant", has_program("wpa_supplicant"))
}

fn with_key(key: &str) -> String {
    format!(
        "
interfaces:
- name: m0
  type: macsec
  ipv4: {{enabled: true, address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}
  macsec: {{base-iface: near, encrypt: true, port: 7, mka-cak: {key}, mka-ckn: {KEY_NAME}}}
"
    )
}

fn with_route(key: &str) -> String {
    let route =
        "{destination: 198.51.100.0/24, next-hop-address: 192.0.2.2, next-hop-interface: m0}";
    format!("{}routes: {{config: [{route}]}}\n", with_key(key))
}

/// Begins at the other end, whose link is `macsec0`.
fn other_end(peer: &Peer, folder: &Path, key: &str) -> Server {
    let path = folder.join("far.conf");
    let text = format!(
        "eapol_version=3\nap_scan=0\nnetwork={{\nkey_mgmt=NONE\neapol_flags=0\nmacsec_policy=1\nmka_cak={key}\nmka_ckn={KEY_NAME}\n}}\n"
    );
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let command = [
        "wpa_supplicant",
        "-D",
        "macsec_linux",
        "-i",
        "far",
        "-c",
        path,
    ];
    peer.serve(&command, "CTRL-EVENT-CONNECTED")
}

/// Channels of the link that can send and receive, as `ip(8)` shows them.
fn is_keyed(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let sends = lines
        .find(|line| line.contains("PN "))
        .is_some_and(|line| line.contains("state on"));
    let channel = lines.find(|line| line.starts_with("RXSC:"));
    let receives = lines
        .find(|line| line.contains("PN "))
        .is_some_and(|line| line.contains("state on"));
    sends && channel.is_some_and(|line| line.contains("state on")) && receives
}

fn await_keys() {
    eventually("keys of m0", LIMIT, || {
        is_keyed(&ip(&["macsec", "show", "m0"])).then_some(())
    });
}

/// The processes that the system's daemon has begun.
fn clients(system: &System) -> Vec<u64> {
    let folder = system.path("run").join("mka");
    let is_ours = |pid: &u64| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(folder.to_str().unwrap())
    };
    let entries = fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(is_ours).collect()
}

fn client(system: &System) -> u64 {
    let clients = clients(system);
    assert_eq!(clients.len(), 1, "{clients:?}");
    clients[0]
}

/// Frames that left m0 encrypted.
fn encrypted() -> u64 {
    let text = ip(&["-s", "macsec", "show", "m0"]);
    let mut lines = text
        .lines()
        .skip_while(|line| !line.contains("OutPktsEncrypted"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let column = names.split_whitespace().filter(|word| *word != "stats:");
    let column = column
        .take_while(|word| *word != "OutPktsEncrypted")
        .count();
    values
        .split_whitespace()
        .nth(column)
        .unwrap()
        .parse()
        .unwrap()
}

/// A datagram goes there and back over m0.
fn assert_connected() {
    let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    eventually("an answer of the other end", LIMIT, || {
        // Where the link comes up only now, the route is missing.
        socket.send_to(b"hello", "192.0.2.2:7").ok()?;
        let mut buffer = [0; 100];
        socket.recv(&mut buffer).ok()
    });
}

/// Applies the state, over a wire with an other end that has the key, and waits for their keys.
fn begin(state: &str) -> (System, Peer, Server) {
    let system = System::start();
    let peer = Peer::new();
    peer.wire("near", "far", "203.0.113.9/24");
    check::apply(&system, state);
    assert!(!ip(&["macsec", "show", "m0"]).contains("RXSC"));
    let far = other_end(&peer, &system.path(""), KEY);
    await_keys();
    (system, peer, far)
}

fn await_route() {
    eventually("the route", LIMIT, || {
        (eyes::routes().len() == 1).then_some(())
    });
}

#[test]
fn agreed_upon() {
    run(|| {
        if !can_run() {
            return;
        }
        let (mut system, peer, _far) = begin(&with_route(KEY));
        let first = client(&system);
        let shown = ip(&["macsec", "show", "m0"]);
        assert!(shown.contains("encrypt on"), "{shown}");
        peer.run(&["ip", "address", "add", "192.0.2.2/24", "dev", "macsec0"]);
        let _echo = peer.serve(&["python3", "-c", ECHO], "ready");
        assert_connected();
        assert!(encrypted() > 0);
        await_route();
        check::changes_nothing(&system, &with_route(KEY));

        // A restart of the daemon, or of the plugin, is none of the agreement.
        let index = eyes::link("m0")["ifindex"].clone();
        system.stop_daemon();
        system.start_daemon();
        system.kill_plugin("kernel");
        check::changes_nothing(&system, &with_route(KEY));
        assert_eq!(client(&system), first);
        assert_eq!(eyes::link("m0")["ifindex"], index);
        assert_connected();

        check::apply(&system, "interfaces: [{name: m0, state: absent}]");
        assert_eq!(clients(&system), Vec::<u64>::new());
        assert!(!system.path("run").join("mka/m0").exists());
    });
}

/// Its end is heard of, also by a plugin that has taken it up, and all begins anew.
#[test]
fn killed() {
    run(|| {
        if !can_run() {
            return;
        }
        let (system, _peer, _far) = begin(&with_route(KEY));
        let mut last = client(&system);
        for kills_plugin in [false, true] {
            if kills_plugin {
                system.kill_plugin("kernel");
            }
            kill_9(last);
            eventually("another process", LIMIT, || {
                let clients = clients(&system);
                let is_new = !clients.is_empty() && !clients.contains(&last);
                is_new.then_some(())
            });
            await_keys();
            await_route();
            last = client(&system);
        }
    });
}

/// Without the other end the link goes down, and what it had comes back with it.
#[test]
fn lost_and_found() {
    run(|| {
        if !can_run() {
            return;
        }
        let (system, peer, far) = begin(&with_route(KEY));
        drop(far);
        eventually("the end of the keys", LIMIT, || {
            let is_up = eyes::link("m0")["flags"].to_string().contains("\"UP\"");
            (!is_up && eyes::routes().is_empty()).then_some(())
        });
        peer.run(&["ip", "link", "del", "macsec0"]);
        let _far = other_end(&peer, &system.path(""), KEY);
        await_keys();
        await_route();

        // Somebody else deletes the link.
        ip(&["link", "del", "m0"]);
        eventually("the end of the process", LIMIT, || {
            clients(&system).is_empty().then_some(())
        });
    });
}

#[test]
fn another_key() {
    run(|| {
        if !can_run() {
            return;
        }
        let (system, peer, _far) = begin(&with_key(KEY));
        system.apply(&with_key(OTHER_KEY)).ok();
        // The ends know nothing of each other.
        eventually("the other end alone", LIMIT, || {
            let shown = peer.run(&["ip", "macsec", "show", "macsec0"]);
            (!shown.contains("RXSC")).then_some(())
        });
        assert!(!ip(&["macsec", "show", "m0"]).contains("RXSC"));
        check::changes_nothing(&system, &with_key(OTHER_KEY));
        let second = client(&system);

        // What fails afterwards brings the key before it back.
        let fails = format!("{}{}", with_key(KEY), check::fails_last("m0"));
        let said = system.apply(&fails).refused();
        assert!(said.contains("the network is as it was"), "{said}");
        check::changes_nothing(&system, &with_key(OTHER_KEY));
        assert_ne!(client(&system), second);
        system.apply(&with_key(KEY)).ok();
        // Of the agreement, too, the kernel tells.
        await_keys();
        check::changes_nothing(&system, &with_key(KEY));
        client(&system);
    });
}

#[test]
fn with_and_without() {
    run(|| {
        if !can_run() {
            return;
        }
        let system = System::start();
        ip(&["link", "add", "near", "type", "veth", "peer", "name", "far"]);
        check::apply(&system, &with_key(LONG_KEY));
        let signed = "interfaces: [{name: m0, macsec: {encrypt: false}}]";
        check::apply(&system, signed);
        let configuration = system.path("run").join("mka/m0/wpa_supplicant.conf");
        let text = fs::read_to_string(configuration).unwrap();
        assert!(
            text.contains("macsec_integ_only=1") && text.contains(LONG_KEY),
            "{text}"
        );
        client(&system);

        let none = "interfaces: [{name: m0, macsec: {mka-cak: '', mka-ckn: ''}}]";
        check::apply(&system, none);
        assert_eq!(clients(&system), Vec::<u64>::new());
        let fails = format!("{}{}", with_key(KEY), check::fails_last("m0"));
        let said = system.apply(&fails).refused();
        assert!(said.contains("the network is as it was"), "{said}");
        check::changes_nothing(&system, none);
        assert_eq!(clients(&system), Vec::<u64>::new());
    });
}

#[test]
fn without_the_program() {
    run(|| {
        if !can_run() {
            return;
        }
        let mut system = System::prepare();
        let missing = "plugins: [{name: kernel, environment: {NIPART_WPA_SUPPLICANT: /nowhere}}]";
        fs::write(system.path("nipart.yml"), missing).unwrap();
        system.start_daemon();
        ip(&["link", "add", "near", "type", "veth", "peer", "name", "far"]);
        let said = check::refused(&system, &with_key(KEY));
        assert!(said.contains("install the package wpasupplicant"), "{said}");
    });
}

/// Files under `folder` with one of the keys in them.
#[test]
fn keys_stay_secret() {
    run(|| {
        if !can_run() {
            return;
        }
        let system = System::start();
        ip(&["link", "add", "near", "type", "veth", "peer", "name", "far"]);
        let mut said = Vec::new();
        let mut say = |answer: Answer| said.push(answer.out + &answer.err);
        let state = with_key(KEY);
        say(system.ctl_with(&["plan", "-v", "-"], &state));
        say(system.apply(&state).ok());
        let other = with_key(OTHER_KEY);
        for words in [
            &["plan", "-v", "-"][..],
            &["plan", "-v", "-", "-o", "json"],
            &["diff", "-"],
            &["gr", "-"],
            &["apply", "-", "-o", "json"],
        ] {
            say(system.ctl_with(words, &other));
        }
        let nowhere = with_key(KEY).replace("base-iface: near", "base-iface: nowhere");
        said.push(system.apply(&nowhere).refused());
        said.extend(secrets::shown(&system));
        let words = Command::new("ps").args(["-ef", "-ww"]).output().unwrap();
        said.push(String::from_utf8_lossy(&words.stdout).into_owned());
        for text in &said {
            for key in [KEY, OTHER_KEY] {
                assert!(!text.contains(key), "{text}");
            }
        }
        let shown = system.ctl(&["show", "-s", "m0"]).ok().out;
        assert!(shown.contains(OTHER_KEY), "{shown}");
        check::changes_nothing(&system, &shown);

        let found = secrets::files_with(&system, &[KEY, OTHER_KEY]);
        let has = |name: &str| found.iter().any(|(path, _)| path.ends_with(name));
        assert!(
            has("saved.yml") && has("m0/wpa_supplicant.conf"),
            "{found:?}"
        );
        assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
        check::apply(&system, "interfaces: [{name: m0, state: absent}]");
    });
}
