// SPDX-License-Identifier: Apache-2.0

//! The second pair of eyes: what iproute2 says of the kernel.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use serde_json::Value;

use crate::namespace::{bridge, ip};
pub use crate::watch::Watch;

/// What `ip -j` printed, which may be nothing at all.
#[must_use]
pub fn parsed(text: &str) -> Value {
    if text.trim().is_empty() {
        Value::Array(Vec::new())
    } else {
        serde_json::from_str(text).expect("ip prints JSON")
    }
}

/// `ip -j -d link show dev NAME`, or null when there is no such link.
#[must_use]
pub fn link(name: &str) -> Value {
    let all = parsed(&ip(&["-j", "-d", "link", "show"]));
    let links = all.as_array().expect("a list");
    links
        .iter()
        .find(|link| link["ifname"] == name)
        .cloned()
        .unwrap_or_default()
}

/// Addresses of a link as `ADDRESS/LENGTH`, without IPv6 link-local ones, in the kernel's order.
#[must_use]
pub fn addresses(name: &str) -> Vec<String> {
    let all = parsed(&ip(&["-j", "address", "show"]));
    let links = all.as_array().expect("a list");
    let link = links.iter().find(|link| link["ifname"] == name);
    link.map(addresses_of).unwrap_or_default()
}

/// The same of what `ip -j address show` says of a link.
#[must_use]
pub fn addresses_of(link: &Value) -> Vec<String> {
    let list = link["addr_info"].as_array().cloned().unwrap_or_default();
    list.iter()
        .filter(|address| !(address["family"] == "inet6" && address["scope"] == "link"))
        .map(|address| {
            format!(
                "{}/{}",
                address["local"].as_str().unwrap_or_default(),
                address["prefixlen"]
            )
        })
        .collect()
}

/// Routes of the main table that the kernel didn't make itself, as `DESTINATION [via GATEWAY] dev NAME`.
#[must_use]
pub fn routes() -> Vec<String> {
    let mut found = Vec::new();
    for family in ["-4", "-6"] {
        let all = parsed(&ip(&["-j", family, "route", "show"]));
        for route in all
            .as_array()
            .expect("a list")
            .iter()
            .filter(|route| route["protocol"] != "kernel")
        {
            let text = |key: &str| route[key].as_str().map(str::to_string);
            let via = text("gateway")
                .map(|gateway| format!(" via {gateway}"))
                .unwrap_or_default();
            found.push(format!(
                "{}{via} dev {}",
                text("dst").unwrap_or_default(),
                text("dev").unwrap_or_default()
            ));
        }
    }
    found
}

/// VLANs that pass a port of a bridge, or reach the bridge, as `5`, `6-9` or `7 native`, in order.
#[must_use]
pub fn vlans(name: &str) -> Vec<String> {
    let all = parsed(&bridge(&["-j", "-compressvlans", "vlan", "show"]));
    let links = all.as_array().expect("a list");
    let link = links.iter().find(|link| link["ifname"] == name);
    let list = link.and_then(|link| link["vlans"].as_array());
    let words = list.into_iter().flatten().map(|entry| {
        let range = match entry.get("vlanEnd") {
            Some(end) => format!("{}-{end}", entry["vlan"]),
            None => entry["vlan"].to_string(),
        };
        let flags = entry["flags"].to_string();
        match flags.as_str() {
            "null" | "[]" => range,
            r#"["PVID","Egress Untagged"]"# => format!("{range} native"),
            _ => format!("{range} {flags}"),
        }
    });
    words.collect()
}

/// The link must have all that is in `expected`, which may leave out whatever it likes.
pub fn assert_link(name: &str, expected: &Value) {
    let actual = link(name);
    assert_ne!(actual, Value::Null, "there is no link {name}");
    assert_includes(name, &actual, expected);
}

/// `actual` must have all that is in `expected`; lists must be equal in length.
pub fn assert_includes(place: &str, actual: &Value, expected: &Value) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                let place = format!("{place}.{key}");
                assert_includes(&place, actual.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{place}: {actual:?}");
            for (index, value) in expected.iter().enumerate() {
                assert_includes(&format!("{place}[{index}]"), &actual[index], value);
            }
        }
        _ => assert_eq!(actual, expected, "{place}"),
    }
}

/// Addresses of a link with all that iproute2 knows of them, without IPv6 link-local ones.
#[must_use]
pub fn address_details(name: &str) -> Value {
    let all = parsed(&ip(&["-j", "-d", "address", "show", "dev", name]));
    let list = all[0]["addr_info"].as_array().cloned().unwrap_or_default();
    list.into_iter()
        .filter(|address| !(address["family"] == "inet6" && address["scope"] == "link"))
        .collect()
}

/// Routes of a family (`-4` or `-6`) in a table, but those that the kernel made itself.
#[must_use]
pub fn route_details(family: &str, table: &str) -> Value {
    // A table without routes may not exist at all.
    let all = parsed(&ip(&["-j", "-d", family, "route", "show", "table", "all"]));
    let list = all
        .as_array()
        .expect("a list")
        .iter()
        .filter(|route| route["protocol"] != "kernel");
    list.filter(|route| route["table"].as_str().unwrap_or("main") == table)
        .cloned()
        .collect()
}

/// Rules of a family (`-4` or `-6`), but those that the kernel made itself.
#[must_use]
pub fn rules(family: &str) -> Value {
    let all = parsed(&ip(&["-j", "-d", family, "rule", "show"]));
    let list = all.as_array().expect("a list").iter();
    list.filter(|rule| rule["protocol"] != "kernel")
        .cloned()
        .collect()
}

/// A switch under `/proc/sys/net/ipv4/conf`.
#[must_use]
pub fn ipv4_switch(name: &str, switch: &str) -> String {
    switch_of("ipv4", name, switch).expect("a switch")
}

/// A switch under `/proc/sys/net/ipv6/conf`.
#[must_use]
pub fn ipv6_switch(name: &str, switch: &str) -> String {
    switch_of("ipv6", name, switch).expect("a switch")
}

fn switch_of(family: &str, name: &str, switch: &str) -> Option<String> {
    let path = format!("/proc/sys/net/{family}/conf/{name}/{switch}");
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_string())
}

/// A line for each link, with the switches that an apply may change; sorted.
fn switches() -> Vec<String> {
    let links = ip(&["-o", "link", "show"]);
    let names = links.lines().filter_map(|line| line.split(": ").nth(1));
    let names = names.filter_map(|name| name.split('@').next());
    let describe = |name: &str| {
        let of = |family: &str, switch: &str| {
            let value = switch_of(family, name, switch);
            format!(" {switch} {}", value.as_deref().unwrap_or("-"))
        };
        let ipv6 = [
            "disable_ipv6",
            "autoconf",
            "accept_ra",
            "forwarding",
            "accept_ra_defrtr",
        ];
        let ipv6 = ipv6.map(|switch| of("ipv6", switch)).concat();
        // They mean the same where nothing is forwarded; which of them a link had isn't known when it is made again.
        let ipv6 = ipv6.replace("accept_ra 2 forwarding 0", "accept_ra 1 forwarding 0");
        // And these where everything is: a router doesn't listen to others, unless it is told to.
        let ipv6 = ipv6.replace(
            "autoconf 1 accept_ra 1 forwarding 1",
            "autoconf 0 accept_ra 0 forwarding 1",
        );
        format!("switches of {name}:{}{ipv6}", of("ipv4", "forwarding"))
    };
    let mut lines: Vec<String> = names.map(describe).collect();
    lines.sort();
    lines
}

/// Endpoints of multipath TCP as `ADDRESS FLAGS dev NAME`, sorted; none where the kernel has no MPTCP.
#[must_use]
pub fn endpoints() -> Vec<String> {
    let output = std::process::Command::new("ip")
        .args(["-j", "mptcp", "endpoint", "show"])
        .output();
    let output = output.expect("ip is installed");
    let all = parsed(&String::from_utf8_lossy(&output.stdout));
    let describe = |endpoint: &Value| {
        let mut words = endpoint["address"].as_str().unwrap_or_default().to_string();
        for flag in ["signal", "subflow", "backup", "fullmesh"] {
            if endpoint[flag] == true {
                words = format!("{words} {flag}");
            }
        }
        for key in ["port", "dev"] {
            if let Some(value) = endpoint.get(key) {
                let value = value.as_str().map_or(value.to_string(), str::to_string);
                words = format!("{words} {key} {value}");
            }
        }
        words
    };
    let mut found: Vec<String> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(describe)
        .collect();
    found.sort();
    found
}

/// Everything of the namespace that an apply may change: for comparisons of before and after. Numbers of links are
/// left out, for a link that was deleted and created anew is the same to everybody but itself.
#[must_use]
pub fn everything() -> String {
    let mut snapshot = String::new();
    for arguments in [
        &["-o", "-d", "link", "show"][..],
        &["-o", "address", "show"],
        &["-o", "-4", "route", "show", "table", "all"],
        &["-o", "-6", "route", "show", "table", "all"],
        &["-d", "-4", "rule", "show"],
        &["-d", "-6", "rule", "show"],
        &["token", "list"],
    ] {
        let text = ip(arguments);
        // The number in front is a rule's priority, and a link's number elsewhere.
        let text = if arguments.contains(&"rule") {
            text.replace(":\t", " ")
        } else {
            text
        };
        // An IPv6 address can't be given back no metric, only the one that it has without.
        let text = text.replace(" metric 256 scope ", " scope ");
        // What a link has that has never been up, and no longer has when it is down again.
        let text = text.replace(" qdisc noop ", " qdisc noqueue ");
        let lines = text
            .lines()
            .filter(|line| !line.contains("multicast ff00::/8"));
        let mut lines: Vec<String> = lines.map(without_passing).collect();
        // The kernel's order of links is that of their numbers. Of addresses, those of one network are in an order
        // that matters: all but the first are marked as secondary.
        lines.sort();
        for line in lines {
            snapshot.push_str(&line);
            snapshot.push('\n');
        }
    }
    for endpoint in endpoints() {
        snapshot.push_str(&format!("endpoint {endpoint}\n"));
    }
    snapshot.push_str(&switches().join("\n"));
    snapshot.push('\n');
    snapshot
}

/// [`everything`] once the kernel has come to rest.
#[must_use]
pub fn settled() -> String {
    Watch::start().settle();
    everything()
}

/// Fails with the lines that differ when `after` isn't `before`.
pub fn assert_same(before: &str, after: &str, what: &str) {
    let only_in = |one: &str, other: &str, sign: &str| {
        let lines = one
            .lines()
            .filter(|line| !other.lines().any(|same| same == *line));
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    let gone = only_in(before, after, "-");
    let new = only_in(after, before, "+");
    assert!(before == after, "{what}\n{gone}{new}");
}

/// A line without what changes by itself: numbers of links that are created anew, timers, remaining life times, states of LACP.
/// Alternative names are sorted: theirs is the order in which they came.
fn without_passing(line: &str) -> String {
    let line = line.replace('\\', " ");
    let mut words = Vec::new();
    let mut alt_names = Vec::new();
    let mut skip = false;
    let has_number = line
        .split(':')
        .next()
        .is_some_and(|number| number.parse::<u32>().is_ok());
    let mut all = line.split_whitespace().skip(usize::from(has_number));
    while let Some(word) = all.next() {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word == "altname" {
            alt_names.extend(all.next());
            continue;
        }
        skip = matches!(
            word,
            "hello_timer"
                | "tcn_timer"
                | "topology_change_timer"
                | "gc_timer"
                | "valid_lft"
                | "preferred_lft"
                | "message_age_timer"
                | "forward_delay_timer"
                | "hold_timer"
                | "sequence"
                // What a link took over from the one below when it was created; nobody can change it.
                | "tso_max_size"
                | "tso_max_segs"
                // What a bond has negotiated with its peer, as far as it has come.
                | "ad_actor_oper_port_state"
                | "ad_actor_oper_port_state_str"
                | "ad_partner_oper_port_state"
                | "ad_partner_oper_port_state_str"
                | "ad_aggregator_id"
                // Of a route that a router advertised. That it expires is no passing thing.
                | "expires"
        );
        if !skip || word == "expires" {
            words.push(without_peer_number(word));
        }
    }
    alt_names.sort_unstable();
    let names = alt_names.iter().flat_map(|name| ["altname", *name]);
    words.extend(names);
    words.join(" ")
}

/// `eth1@if7:` → `eth1`: a peer in another network namespace has a number only.
fn without_peer_number(word: &str) -> &str {
    match word.split_once("@if") {
        Some((name, number)) if number.trim_end_matches(':').parse::<u32>().is_ok() => name,
        _ => word,
    }
}
