// SPDX-License-Identifier: Apache-2.0

//! Kinds of links: which there are, and whether the running kernel has them.

use std::process::Command;

use nipart_tests::eyes;
use nipart_tests::namespace::ip;

use crate::needs;

/// A link of the test's namespace that others can stand on, for the moment of a question.
const BASE: &str = "kind-base";
/// The link that is asked for.
const PROBE: &str = "kind-probe";
/// What the kernel says of a kind that it hasn't, and couldn't load a module for.
const UNKNOWN: &str = "Unknown device type";

/// What `ip link add` wants to hear of a kind beside its name.
fn options(kind: &str) -> &'static [&'static str] {
    match kind {
        "vlan" => &["id", "7"],
        "vxlan" => &["id", "7", "dstport", "4789"],
        "geneve" => &["id", "7", "remote", "192.0.2.1"],
        "vrf" => &["table", "7"],
        "gre" | "gretap" | "ipip" | "sit" => &["local", "192.0.2.2", "remote", "192.0.2.1"],
        "ip6gre" | "ip6gretap" | "ip6tnl" => &["local", "2001:db8::2", "remote", "2001:db8::1"],
        "xfrm" => &["if_id", "7"],
        "hsr" => &["slave1", BASE, "slave2", "kind-base-2"],
        _ => &[],
    }
}

/// Whether links of this kind stand on another one.
fn has_base(kind: &str) -> bool {
    matches!(
        kind,
        "vlan" | "macvlan" | "macvtap" | "ipvlan" | "ipvtap" | "macsec"
    )
}

/// Adds a link with what its kind needs at least; `base` is for the kinds that stand on another link.
///
/// # Errors
/// What `ip` said.
pub fn try_add(name: &str, kind: &str, base: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(["link", "add"]);
    if has_base(kind) {
        command.args(["link", base]);
    }
    let output = command
        .args(["name", name, "type", kind])
        .args(options(kind))
        .output()
        .expect("ip is installed");
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
    }
}

/// Whether the kernel has this kind, by its name there (`ip link help` lists them). Leaves nothing behind in the test's
/// namespace, but loads the module.
#[must_use]
pub fn has_kind(kind: &str) -> bool {
    ip(&[
        "link",
        "add",
        BASE,
        "type",
        "veth",
        "peer",
        "name",
        "kind-base-2",
    ]);
    let added = try_add(PROBE, kind, BASE);
    if added.is_ok() {
        ip(&["link", "del", PROBE]);
    }
    ip(&["link", "del", BASE]);
    // Any other refusal comes from the kind itself.
    added.err().is_none_or(|message| !message.contains(UNKNOWN))
}

/// Goes on (`true`) if the kernel has these kinds. If not, see [`needs`].
#[must_use]
pub fn needs_kinds(kinds: &[&str]) -> bool {
    kinds
        .iter()
        .all(|kind| needs(&format!("links of kind {kind}"), has_kind(kind)))
}

/// Goes on if bridges filter VLANs (`CONFIG_BRIDGE_VLAN_FILTERING`). If not, see [`needs`].
#[must_use]
pub fn needs_vlan_filtering() -> bool {
    ip(&["link", "add", PROBE, "type", "bridge"]);
    let data = &eyes::link(PROBE)["linkinfo"]["info_data"];
    ip(&["link", "delete", PROBE]);
    needs(
        "bridges that filter VLANs",
        data.get("vlan_protocol").is_some(),
    )
}
