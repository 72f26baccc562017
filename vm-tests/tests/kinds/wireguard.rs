// SPDX-License-Identifier: Apache-2.0

//! WireGuard: keys and peers as `wg(8)` sees them, and where secrets may stand.

use std::fs;
use std::process::Command;

use nipart_tests::check;
use nipart_tests::eyes::{self, assert_link};
use nipart_tests::namespace::{ip, run};
use nipart_tests::system::System;
use nipart_vm_tests::{has_program, needs, needs_kinds};
use serde_json::{Value, json};

use crate::secrets;

/// From `wg genkey`, with what `wg pubkey` makes of it.
const PRIVATE: &str = "iHYFx9vxnQ1vTX4tpPpZBE0ZsRdFM7jbr2OPvkDUGEA=";
const OTHER_PRIVATE: &str = "MPbdDpx1Crk9wMfnZAxX1rpWx1ahxqNJTMSmSVjzFV8=";
const PRESHARED: &str = "mFrGZyqF5cP7cRvhVhsWEDBkgAA8CGRKCFc2HCQbPUs=";
const FIRST: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
const SECOND: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

fn wg(arguments: &[&str]) -> String {
    let output = Command::new("wg")
        .args(arguments)
        .output()
        .expect("wg is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

/// `wg show wg0 dump`: the link's line without its public key, then the peers', sorted, without handshake and counters.
fn dump() -> (Vec<String>, Vec<Vec<String>>) {
    let text = wg(&["show", "wg0", "dump"]);
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').map(str::to_string).collect::<Vec<_>>());
    let mut link = lines.next().expect("a link");
    link.remove(1);
    let mut peers: Vec<_> = lines
        .map(|mut peer| {
            peer.drain(4..7);
            peer
        })
        .collect();
    peers.sort();
    (link, peers)
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn can_run() -> bool {
    needs_kinds(&["wireguard"]) && needs("the program wg", has_program("wg"))
}

fn tunnel() -> String {
    format!(
        "
interfaces:
- name: wg0
  type: wireguard
  mtu: 1400
  ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}
  wireguard:
    private-key: {PRIVATE}
    listen-port: 51820
    fwmark: 0x10
    peer:
    - public-key: {FIRST}
      preshared-key: {PRESHARED}
      endpoint: 127.0.0.9:51821
      persistent-keepalive: 25
      allowed-ips:
      - {{ip: 192.0.2.7, prefix-length: 28}}
      - {{ip: '2001:db8::', prefix-length: 64}}
    - public-key: {SECOND}
      endpoint: '[::1]:7'
"
    )
}

#[test]
fn created_changed_removed() {
    run(|| {
        if !can_run() {
            return;
        }
        let system = System::start();
        check::apply(&system, &tunnel());
        assert_link(
            "wg0",
            &json!({"mtu": 1400, "linkinfo": {"info_kind": "wireguard"}}),
        );
        let first = [
            FIRST,
            PRESHARED,
            "127.0.0.9:51821",
            "192.0.2.0/28,2001:db8::/64",
            "25",
        ];
        let second = [SECOND, "(none)", "[::1]:7", "(none)", "off"];
        assert_eq!(
            dump(),
            (
                words(&[PRIVATE, "51820", "0x10"]),
                vec![words(&first), words(&second)]
            )
        );

        // What isn't named stays; a peer that isn't listed goes; a new one comes.
        let index = eyes::link("wg0")["ifindex"].clone();
        let peers = format!(
            "interfaces: [{{name: wg0, wireguard: {{fwmark: 0, peer: [{{public-key: {FIRST}, preshared-key: <hidden>, persistent-keepalive: 0}}]}}}}]"
        );
        check::apply(&system, &peers);
        let first = [
            FIRST,
            PRESHARED,
            "127.0.0.9:51821",
            "192.0.2.0/28,2001:db8::/64",
            "off",
        ];
        assert_eq!(
            dump(),
            (words(&[PRIVATE, "51820", "off"]), vec![words(&first)])
        );
        let none = format!("{}=", "A".repeat(43));
        let changes = format!(
            "interfaces: [{{name: wg0, wireguard: {{private-key: {OTHER_PRIVATE}, listen-port: 7, peer: [{{public-key: {FIRST}, preshared-key: {none}, allowed-ips: []}}, {{public-key: {SECOND}}}]}}}}]"
        );
        check::apply(&system, &changes);
        let first = [FIRST, "(none)", "127.0.0.9:51821", "(none)", "off"];
        let second = [SECOND, "(none)", "(none)", "(none)", "off"];
        assert_eq!(
            dump(),
            (
                words(&[OTHER_PRIVATE, "7", "off"]),
                vec![words(&first), words(&second)]
            )
        );
        assert_eq!(eyes::link("wg0")["ifindex"], index);

        check::apply(&system, "interfaces: [{name: wg0, state: absent}]");
        assert_eq!(eyes::link("wg0"), Value::Null);
    });
}

/// A change that fails takes keys and peers back.
#[test]
fn taken_back() {
    run(|| {
        if !can_run() {
            return;
        }
        let system = System::start();
        check::apply(&system, &tunnel());
        let before = dump();
        let state = format!(
            "
interfaces:
- name: wg0
  wireguard: {{private-key: {OTHER_PRIVATE}, peer: [{{public-key: {SECOND}, preshared-key: {PRESHARED}}}]}}
- {{name: vx1, type: vxlan, vxlan: {{id: 7}}}}
- {{name: vx2, type: vxlan, vxlan: {{id: 7}}}}
"
        );
        let said = system.apply(&state).refused();
        assert!(said.contains("the network is as it was"), "{said}");
        assert!(
            !said.contains(OTHER_PRIVATE) && !said.contains(PRESHARED),
            "{said}"
        );
        assert_eq!(dump(), before);
    });
}

/// Secrets that another program has set are kept when `show` is applied, also over a restart.
#[test]
fn hidden_means_as_it_is() {
    run(|| {
        if !can_run() {
            return;
        }
        let mut system = System::start();
        ip(&["link", "add", "wg0", "type", "wireguard"]);
        let file = system.path("key");
        fs::write(&file, PRIVATE).unwrap();
        wg(&[
            "set",
            "wg0",
            "private-key",
            file.to_str().unwrap(),
            "listen-port",
            "9",
        ]);
        fs::remove_file(&file).unwrap();
        ip(&["link", "set", "wg0", "up"]);
        let shown = system.ctl(&["show", "wg0"]).ok().out;
        assert!(
            shown.contains("private-key: <hidden>") && !shown.contains(PRIVATE),
            "{shown}"
        );
        check::apply(&system, &shown);
        system.stop_daemon();
        ip(&["link", "del", "wg0"]);
        system.start_daemon();
        nipart_tests::process::eventually(
            "wg0 is back",
            std::time::Duration::from_secs(20),
            || (eyes::link("wg0") != Value::Null).then_some(()),
        );
        nipart_tests::process::eventually(
            "its key is back",
            std::time::Duration::from_secs(20),
            || (wg(&["show", "wg0", "private-key"]) == PRIVATE).then_some(()),
        );
    });
}

/// Every file under `folder` with one of the secrets in it.
#[test]
fn secrets_stay_secret() {
    run(|| {
        if !can_run() {
            return;
        }
        let system = System::start();
        let mut said = Vec::new();
        let mut say = |answer: nipart_tests::system::Answer| said.push(answer.out + &answer.err);
        for form in [
            &["plan", "-v", "-"][..],
            &["plan", "-v", "-", "-o", "json"],
            &["apply", "-", "-o", "json"],
        ] {
            say(system.ctl_with(form, &tunnel()));
        }
        let other = tunnel()
            .replace(PRIVATE, OTHER_PRIVATE)
            .replace(PRESHARED, PRIVATE);
        say(system.ctl_with(&["plan", "-v", "-"], &other));
        say(system.ctl_with(&["diff", "-"], &other));
        let wrong = tunnel().replace("prefix-length: 28", "prefix-length: 33");
        say(system.apply(&wrong));
        say(system.ctl_with(&["gr", "-"], &tunnel()));
        said.extend(secrets::shown(&system));
        for text in &said {
            for secret in [PRIVATE, PRESHARED, OTHER_PRIVATE] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        // Who may change may ask for them.
        let shown = system.ctl(&["show", "-s", "wg0"]).ok().out;
        assert!(
            shown.contains(PRIVATE) && shown.contains(PRESHARED),
            "{shown}"
        );
        check::changes_nothing(&system, &shown);

        let found = secrets::files_with(&system, &[PRIVATE, PRESHARED]);
        assert!(
            found.iter().any(|(name, _)| name.ends_with("saved.yml")),
            "{found:?}"
        );
        assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    });
}
