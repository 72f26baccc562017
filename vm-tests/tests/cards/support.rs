// SPDX-License-Identifier: Apache-2.0

//! Cards for one test at a time, and what `ethtool` says of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use nipart_tests::namespace::ip;
use nipart_tests::system::System;
use nipart_tests::{check, eyes};
use nipart_vm_tests::{in_virtual_machine, needs};
use serde_json::Value;

/// The two cards of a driver, which are the ends of one wire: `near` and `far`, in the test's namespace. The kernel takes
/// them back to the machine's own when that ends.
pub(crate) struct Wire {
    /// Where `near` sits on its bus.
    pub(crate) device: PathBuf,
    _lock: File,
}

impl Wire {
    /// Waits for the test that has them, and takes them as they are at the start of the machine.
    pub(crate) fn take(driver: &str) -> Option<Self> {
        if !needs("network cards", in_virtual_machine()) {
            return None;
        }
        let lock = File::create(std::env::temp_dir().join(format!("cards-{driver}"))).unwrap();
        lock.lock().unwrap();
        printed("modprobe", &[driver]);
        let mut buses = ["pci", "virtio"]
            .map(|bus| Path::new("/sys/bus").join(bus))
            .into_iter();
        let driver = buses
            .find_map(|bus| fs::canonicalize(bus.join("drivers").join(driver)).ok())
            .unwrap();
        let entries = fs::read_dir(&driver)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut devices: Vec<PathBuf> = entries
            .filter(|path| path.join("driver").exists())
            .collect();
        devices.sort();
        let [near, far] = <[PathBuf; 2]>::try_from(devices).unwrap();
        take_as("near", &near);
        take_as("far", &far);
        Some(Self {
            device: fs::canonicalize(near).unwrap(),
            _lock: lock,
        })
    }
}

/// A driver that lets go of a device and takes it again makes a new link of it, in the machine's own namespace.
fn take_as(name: &str, device: &Path) {
    let id = device.file_name().unwrap().as_encoded_bytes();
    // Not the driver's: it would stay.
    let autoprobe = device.join("sriov_drivers_autoprobe");
    if autoprobe.exists() {
        fs::write(autoprobe, "1").unwrap();
    }
    for action in ["unbind", "bind"] {
        fs::write(device.with_file_name(action), id).unwrap();
    }
    let outside = |command: &[&str]| {
        printed(
            "nsenter",
            &[&["--target", "1", "--net", "--mount", "--"], command].concat(),
        )
    };
    let link = outside(&["ls", device.join("net").to_str().unwrap()]);
    let process = std::process::id().to_string();
    outside(&[
        "ip",
        "link",
        "set",
        link.trim(),
        "netns",
        &process,
        "name",
        name,
    ]);
    // Some traits of a link are others once it has been up: its queue, what it says of its speed.
    for state in ["up", "down"] {
        ip(&["link", "set", name, state]);
    }
}

/// What a program prints.
pub(crate) fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What `ethtool` prints of `near` has these words one after the other.
pub(crate) fn assert_has(option: &str, expected: &str) {
    let printed = printed("ethtool", [option, "near"].as_slice());
    let words: Vec<&str> = printed.split_whitespace().collect();
    assert!(words.join(" ").contains(expected), "{expected}: {printed}");
}

/// Speed, duplex and auto-negotiation of `near`.
pub(crate) fn assert_link_modes(expected: [&str; 3]) {
    let printed = printed("ethtool", &["near"]);
    let value = |key: &str| {
        printed
            .lines()
            .find_map(|line| line.trim().strip_prefix(key))
    };
    let modes = ["Speed: ", "Duplex: ", "Auto-negotiation: "].map(|key| value(key).unwrap());
    assert_eq!(modes, expected);
}

/// All that an apply may change of both cards, once they have a carrier again.
fn everything() -> String {
    let mut all = eyes::settled();
    for name in ["near", "far"] {
        for options in [&["-a"][..], &["-c"], &["-g"], &["-k"], &[]] {
            // A driver that doesn't support a group is no failure.
            let output = Command::new("ethtool")
                .args(options)
                .arg(name)
                .output()
                .unwrap();
            all += &String::from_utf8_lossy(&output.stdout);
        }
    }
    all
}

/// Applying `state` is refused or fails, and all is as it was. Returns what was said.
pub(crate) fn taken_back(system: &System, state: &str) -> String {
    let before = everything();
    let answer = system.apply(state).refused();
    eyes::assert_same(&before, &everything(), &answer);
    answer
}

/// The same of a state that is well but for its end: a route that the kernel refuses, for its gateway can't be reached.
pub(crate) fn fails_at_the_end(system: &System, state: &str, interface: &str) {
    let answer = taken_back(system, &format!("{state}{}", check::fails_last(interface)));
    assert!(answer.contains("add route"), "{answer}");
}

/// What `show` says of `near`.
pub(crate) fn shown(system: &System) -> Value {
    let all = system.ctl(&["show", "near", "-o", "json"]).ok().json();
    all["interfaces"][0].clone()
}

/// A state of `near` with this.
pub(crate) fn near(what: &str) -> String {
    format!("interfaces: [{{name: near, {what}}}]")
}
