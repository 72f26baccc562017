// SPDX-License-Identifier: Apache-2.0

//! `persist-nic-names` with the cards that this computer has, in a file system of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::{nipartctl, stderr, stdout};

/// Names and addresses of the network cards, as sysfs and iproute2 tell them.
fn cards() -> Vec<(String, String)> {
    let output = Command::new("ip")
        .args(["-j", "link", "show"])
        .output()
        .unwrap();
    let links: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut cards = Vec::new();
    for link in links.as_array().unwrap() {
        let name = link["ifname"].as_str().unwrap().to_string();
        let has_driver = Path::new("/sys/class/net")
            .join(&name)
            .join("device/driver")
            .exists();
        if has_driver && link["link_type"] == "ether" {
            // Shown where it isn't the present one.
            let permanent = link["permaddr"].as_str();
            let address = permanent.or(link["address"].as_str()).unwrap();
            cards.push((name, address.to_string()));
        }
    }
    // What can't be told apart isn't kept.
    let all = cards.clone();
    cards.retain(|(name, address)| {
        let mut others = all.iter();
        !others.any(|(other, same)| other != name && same == address)
    });
    cards
}

fn persist(root: &Path, arguments: &[&str]) -> Output {
    nipartctl(&root.join("nobody"))
        .arg("persist-nic-names")
        .arg("--root")
        .arg(root)
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap()
}

#[test]
fn each_card_has_a_file_with_its_address() {
    let command_line = fs::read_to_string("/proc/cmdline").unwrap_or_default();
    if command_line.contains("net.ifnames=0") {
        println!("SKIPPED: systemd doesn't name network cards here");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("etc/systemd/network");
    let cards = cards();
    let output = persist(root.path(), &["--dry-run"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().count(), cards.len());
    assert!(!folder.exists());
    let output = persist(root.path(), &["--kargs-out", "arguments"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut arguments = Vec::new();
    for (name, address) in &cards {
        let text = fs::read_to_string(folder.join(format!("98-nipart-{name}.link"))).unwrap();
        assert!(text.contains(&format!("MACAddress={address}\n")), "{text}");
        assert!(text.ends_with(&format!("[Link]\nName={name}\n")), "{text}");
        arguments.push(format!("ifname={name}:{address}"));
    }
    let written = fs::read_to_string(root.path().join("arguments")).unwrap_or_default();
    let mut written: Vec<&str> = written.split_whitespace().collect();
    written.sort_unstable();
    arguments.sort_unstable();
    assert_eq!(written, arguments);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), cards.len() + 1);
    let table = stdout(&persist(root.path(), &["--inspect"]));
    for (name, _) in &cards {
        assert!(table.contains(&format!("\n{name} ")), "{table}");
    }
    assert_eq!(stdout(&persist(root.path(), &[])), "");
}
