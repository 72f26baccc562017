// SPDX-License-Identifier: Apache-2.0

//! The network of these tests: what it is before the change and after it, and what must hold at the end of each case.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nipart_tests::eyes;
use nipart_tests::process::{Process, eventually};
use nipart_tests::relay::{Relay, When};
use nipart_tests::system::{Answer, System};

pub(crate) const OLD: &str = "
interfaces:
- name: br0
  type: linux-bridge
  mac-address: 02:00:00:00:00:10
  description: before
  ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}, {ip: 198.18.0.1, prefix-length: 24}]}
  ipv6: {address: [{ip: '2001:db8::1', prefix-length: 64}]}
  bridge:
    options: {mac-ageing-time: 200}
    port: [{name: p1, stp-path-cost: 37}, {name: p2, stp-hairpin-mode: true}]
- {name: p1, type: veth, mac-address: '02:00:00:00:01:01', veth: {peer: q1}}
- {name: q1, type: veth, mac-address: '02:00:00:00:01:02', ipv4: {address: [{ip: 198.51.100.2, prefix-length: 24}]}}
- {name: p2, type: veth, mac-address: '02:00:00:00:02:01', veth: {peer: q2}}
- {name: q2, type: veth, mac-address: '02:00:00:00:02:02', mtu: 1500}
- {name: p3, type: veth, mac-address: '02:00:00:00:03:01', controller: '', mtu: 1500, veth: {peer: q3}}
- {name: q3, type: veth, mac-address: '02:00:00:00:03:02'}
- name: old0
  type: mac-vlan
  mac-address: 02:00:00:00:00:20
  mac-vlan: {base-iface: q2, mode: bridge}
  ipv4: {address: [{ip: 10.20.0.1, prefix-length: 16}]}
- {name: new0, state: absent}
routes:
  config:
  - {destination: 203.0.113.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.253, state: absent}
  - {destination: 203.0.113.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.254}
  - {destination: '2001:db8:1::/64', next-hop-interface: br0, next-hop-address: '2001:db8::ff'}
  - {destination: 10.1.0.0/16, next-hop-interface: q1, next-hop-address: 198.51.100.1}
  - {destination: 10.21.0.0/16, next-hop-interface: old0, next-hop-address: 10.20.0.2}
  - {destination: 10.3.0.0/16, next-hop-interface: p1, state: absent}
  - {destination: 10.4.0.0/16, next-hop-interface: new0, state: absent}
route-rules:
  config:
  - {ip-from: 192.0.2.0/24, route-table: 100, priority: 500}
  - {family: ipv4, iif: q1, fwmark: 0x10, priority: 501, route-table: 100}
  - {ip-to: '2001:db8:1::/64', iif: br0, action: prohibit, priority: 500}
  - {state: absent, priority: 502}
";

pub(crate) const NEW: &str = "
interfaces:
- name: br0
  mac-address: 02:00:00:00:00:11
  description: after
  mtu: 1400
  ipv4: {address: [{ip: 192.0.2.2, prefix-length: 24}, {ip: 198.18.0.1, prefix-length: 24}]}
  bridge:
    options: {mac-ageing-time: 100}
    port: [{name: p2, stp-path-cost: 5, stp-hairpin-mode: false}, {name: p3}]
- {name: p1, controller: '', ipv4: {address: [{ip: 10.0.0.1, prefix-length: 24}]}}
- {name: q1, ipv4: {address: [{ip: 198.51.100.3, prefix-length: 24}]}}
- {name: q2, mtu: 1450}
- {name: p3, mtu: 1400}
- {name: old0, state: absent}
- name: new0
  type: vxlan
  mac-address: 02:00:00:00:00:21
  vxlan: {id: 7, base-iface: p1, destination-port: 4789, remote: 10.0.0.2}
  ipv4: {address: [{ip: 10.30.0.1, prefix-length: 16}]}
routes:
  config:
  - {destination: 203.0.113.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.254, state: absent}
  - {destination: 203.0.113.0/24, next-hop-interface: br0, next-hop-address: 192.0.2.253}
  - {destination: 10.1.0.0/16, next-hop-interface: q1, state: absent}
  - {destination: 10.3.0.0/16, next-hop-interface: p1, next-hop-address: 10.0.0.9}
  - {destination: 10.4.0.0/16, next-hop-interface: new0, next-hop-address: 10.30.0.9}
route-rules:
  config:
  - {state: absent, ip-from: 192.0.2.0/24}
  - {ip-from: 192.0.2.0/24, route-table: 101, priority: 500}
  - {state: absent, family: ipv6, iif: br0}
  - {family: ipv4, iif: new0, ip-proto: tcp, destination-port: 80-90, priority: 502, route-table: 100}
";

/// Until the client must know how its request ended.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Until all plugins run again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(20);

/// What there is at one moment: in the kernel and in the machine's files, and saved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    kernel: String,
    saved: String,
}

/// A system, with the network before and after the change.
pub(crate) struct World {
    pub(crate) system: System,
    pub(crate) relay: Relay,
    pub(crate) old: Snapshot,
    pub(crate) new: Snapshot,
    /// The events of the change's chain, when nothing goes wrong.
    pub(crate) hops: Vec<String>,
    texts: [String; 2],
}

impl World {
    /// The change that touches a bit of everything.
    pub(crate) fn start(system: System) -> Self {
        Self::with(system, [OLD.to_string(), NEW.to_string()])
    }

    /// Starts `system`, and makes the change from the first state to the second once, and takes it back.
    pub(crate) fn with(mut system: System, texts: [String; 2]) -> Self {
        quiet_namespace();
        let relay = Relay::install(&system);
        system.start_daemon();
        system.apply(&texts[0]).ok();
        system.apply(&texts[1]).ok();
        system.apply(&texts[0]).ok();
        let old = snapshot(&system);
        relay.arm(0, When::Before, || {});
        system.apply(&texts[1]).ok();
        let (hops, _) = relay.disarm();
        let new = snapshot(&system);
        assert_ne!(old.kernel, new.kernel);
        assert_ne!(old.saved, new.saved);
        Self {
            system,
            relay,
            old,
            new,
            hops,
            texts,
        }
    }

    /// The number of the first event of the change that reads so.
    pub(crate) fn hop(&self, text: &str) -> usize {
        let position = self.hops.iter().position(|hop| hop == text);
        position.unwrap_or_else(|| panic!("no {text} among {:?}", self.hops)) + 1
    }

    /// The state after the change, as it is asked for.
    pub(crate) fn wanted(&self) -> &str {
        &self.texts[1]
    }

    /// The network before the change.
    pub(crate) fn back_to_old(&self) {
        if snapshot(&self.system) != self.old {
            self.system.apply(&self.texts[0]).ok();
            let now = snapshot(&self.system);
            assert_eq!(self.old, now, "the old state can't be brought back");
        }
    }

    /// Asks for the change; the client must be answered in time, whatever happens meanwhile.
    pub(crate) fn change(&self) -> Result<Answer, String> {
        let mut child = self
            .system
            .command(&["apply", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .map(Process)
            .map_err(|error| error.to_string())?;
        write_to(&mut child.0, self.wanted());
        let deadline = Instant::now() + ANSWER_LIMIT;
        while child.0.try_wait().is_ok_and(|status| status.is_none()) {
            if Instant::now() > deadline {
                return Err("the client got no answer".to_string());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = child.0.wait().map_err(|error| error.to_string())?;
        let mut answer = Answer {
            code: status.code().unwrap_or(-1),
            out: String::new(),
            err: String::new(),
        };
        let read =
            |from: &mut dyn std::io::Read, to: &mut String| from.read_to_string(to).map(drop);
        child
            .0
            .stdout
            .take()
            .map(|mut out| read(&mut out, &mut answer.out));
        child
            .0
            .stderr
            .take()
            .map(|mut err| read(&mut err, &mut answer.err));
        Ok(answer)
    }

    /// Waits until every plugin runs, none of those in `gone`, and what a start does is done.
    pub(crate) fn recovered(&self, gone: &[u64]) {
        eventually("all plugins run again", RECOVERY_LIMIT, || {
            let plugins = plugins(&self.system)?;
            plugins
                .iter()
                .all(|(_, pid)| pid.is_some_and(|pid| !gone.contains(&pid)))
                .then_some(())
        });
        // A commander that has just been started brings saved state back before it answers.
        self.system.ctl(&["show"]).ok();
    }

    /// What is wrong at the end of a case, if anything is. Says too whether the network is the new one.
    pub(crate) fn judge(&self, answer: &Result<Answer, String>) -> Result<bool, String> {
        let is_new = self.is_one_of_both()?;
        let journals = self.system.journals();
        if !journals.is_empty() {
            return Err(format!("journals are left: {journals:?}"));
        }
        let answer = answer.as_ref().map_err(Clone::clone)?;
        if answer.code == 0 && !is_new {
            return Err(format!("it was said to be done: {}", answer.out));
        }
        if answer.err.contains("the network is as it was") && is_new {
            return Err(format!("it was said to be taken back: {}", answer.err));
        }
        Ok(is_new)
    }

    /// Whether kernel and saved state are those after the change, if they aren't those before it.
    pub(crate) fn is_one_of_both(&self) -> Result<bool, String> {
        let now = snapshot(&self.system);
        let is_new = now == self.new;
        if !is_new && now != self.old {
            return Err(format!(
                "neither old nor new\nagainst old: {}\nagainst new: {}",
                now.difference(&self.old),
                now.difference(&self.new)
            ));
        }
        Ok(is_new)
    }
}

impl Snapshot {
    /// Lines that only one of the two has.
    fn difference(&self, other: &Self) -> String {
        let mut difference = String::new();
        for (own, others) in [(&self.kernel, &other.kernel), (&self.saved, &other.saved)] {
            let missing = others
                .lines()
                .filter(|line| !own.lines().any(|known| known == *line));
            let added = own
                .lines()
                .filter(|line| !others.lines().any(|known| known == *line));
            let shown = missing
                .map(|line| ("-", line))
                .chain(added.map(|line| ("+", line)));
            for (sign, line) in shown {
                difference.push_str(&format!("\n  {sign} {line}"));
            }
        }
        if difference.is_empty() && self != other {
            difference.push_str("only the order");
        }
        difference
    }
}

pub(crate) fn snapshot(system: &System) -> Snapshot {
    let saved = system.saved();
    let saved = saved.lines().filter(|line| !line.starts_with('#'));
    Snapshot {
        kernel: steady(&eyes::everything()) + &names(system),
        saved: saved.collect::<Vec<_>>().join("\n"),
    }
}

/// The machine's names, and what programs resolve names with.
fn names(system: &System) -> String {
    let of = |name: &str| std::fs::read_to_string(system.path(name)).unwrap_or_default();
    let running = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    let (config, resolver) = (of("etc/hostname"), of("etc/resolv.conf"));
    format!("running {running}config {config}\n{resolver}")
}

/// Without what follows by itself from the rest, some time later: carriers and states of operation.
fn steady(everything: &str) -> String {
    let mut text = String::new();
    for line in everything.lines() {
        let mut words = Vec::new();
        let mut skip = false;
        for word in line.split(' ') {
            if std::mem::take(&mut skip) {
                continue;
            }
            skip = word == "state";
            if skip || matches!(word, "linkdown" | "tentative") {
                continue;
            }
            let word = match word
                .strip_prefix('<')
                .and_then(|word| word.strip_suffix('>'))
            {
                Some(flags) => flags
                    .split(',')
                    .filter(|flag| !matches!(*flag, "NO-CARRIER" | "LOWER_UP" | "M-DOWN"))
                    .collect::<Vec<_>>()
                    .join(","),
                None => word.to_string(),
            };
            words.push(word);
        }
        text.push_str(&words.join(" "));
        text.push('\n');
    }
    text
}

/// Plugins and their processes; none when the daemon doesn't answer.
pub(crate) fn plugins(system: &System) -> Option<Vec<(String, Option<u64>)>> {
    let answer = system.ctl(&["plugin", "list", "-o", "json"]);
    if answer.code != 0 {
        return None;
    }
    let list = answer.json();
    let plugins = list.as_array()?.iter().map(|plugin| {
        let name = plugin["name"].as_str().unwrap_or_default().to_string();
        let runs = plugin["state"] == "running";
        (name, plugin["pid"].as_u64().filter(|_| runs))
    });
    Some(plugins.collect())
}

/// No addresses that the kernel makes by itself, and no waiting for duplicates of the others.
fn quiet_namespace() {
    for (switch, value) in [
        ("default/addr_gen_mode", "1"),
        ("default/accept_dad", "0"),
        ("all/accept_dad", "0"),
    ] {
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{switch}"), value).expect("a switch");
    }
}

fn write_to(child: &mut Child, text: &str) {
    use std::io::Write;
    let mut stdin = child.stdin.take().expect("piped");
    // It may end before it has read everything.
    let _ = stdin.write_all(text.as_bytes());
}
