// SPDX-License-Identifier: Apache-2.0

//! Whether the kernel has what a state says, by iproute2's word.

use std::net::IpAddr;

use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::AddrGenMode;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::revert::raised;
use nipart_schemas::yaml;
use nipart_tests::eyes;
use nipart_tests::namespace::ip;
use serde_json::Value;

/// Fails unless links, controllers, addresses and routes are as the state says.
pub(crate) fn check(state: &NetworkState) {
    for interface in &state.interfaces {
        match interface.wanted_state() {
            InterfaceState::Up => check_link(interface),
            InterfaceState::Absent if !interface.name.starts_with("eth") => {
                assert_eq!(
                    eyes::link(&interface.name),
                    Value::Null,
                    "{} is to be gone",
                    interface.name
                );
            }
            _ => {}
        }
        for port in interface.port_names().unwrap_or_default() {
            assert_eq!(
                eyes::link(port)["master"],
                interface.name.as_str(),
                "controller of {port}"
            );
        }
    }
    for route in state
        .config_routes()
        .iter()
        .filter(|route| !route.is_absent())
    {
        let family = if route.is_ipv6() { "-6" } else { "-4" };
        let destination = route.destination.expect("it has one").to_string();
        let word = if destination.ends_with("/0") {
            "default"
        } else {
            &destination
        };
        let present = eyes::route_details(family, "main");
        let mut present = present.as_array().expect("a list").iter();
        assert!(
            present.any(|present| present["dst"] == word),
            "there is no route {route}"
        );
    }
}

fn check_link(interface: &Interface) {
    let name = interface.name.as_str();
    let link = eyes::link(name);
    assert_ne!(link, Value::Null, "there is no link {name}");
    let flags = link["flags"].as_array().expect("a list");
    assert!(flags.contains(&"UP".into()), "{name} is to be up: {link}");
    if let Some(mtu) = interface.mtu {
        assert_eq!(link["mtu"], mtu, "MTU of {name}");
    }
    if let Some(controller) = &interface.controller {
        assert_eq!(
            link["master"].as_str().unwrap_or_default(),
            controller,
            "controller of {name}"
        );
    }
    if let Some(text) = &interface.description {
        assert_eq!(
            link["ifalias"].as_str().unwrap_or_default(),
            text,
            "description of {name}"
        );
    }
    check_switches(interface, &link);
    let present = eyes::addresses(name);
    for (ip, prefix_length) in addresses(interface) {
        let text = format!("{ip}/{prefix_length}");
        assert!(present.contains(&text), "{name} lacks {text}: {present:?}");
    }
}

/// Switches and ways to make addresses.
fn check_switches(interface: &Interface, link: &Value) {
    let name = interface.name.as_str();
    let of_ipv4 = interface.ipv4.as_ref().and_then(|ipv4| ipv4.forwarding);
    if let Some(forwarding) = of_ipv4 {
        let switch = eyes::ipv4_switch(name, "forwarding");
        assert_eq!(switch, u8::from(forwarding).to_string(), "{name}");
    }
    let Some(ipv6) = &interface.ipv6 else { return };
    if let Some(forwarding) = ipv6.forwarding {
        let switch = eyes::ipv6_switch(name, "forwarding");
        assert_eq!(switch, u8::from(forwarding).to_string(), "{name}");
    }
    if let Some(mode) = ipv6.addr_gen_mode {
        let expected = match mode {
            AddrGenMode::Eui64 => "eui64",
            AddrGenMode::None => "none",
            AddrGenMode::StablePrivacy => "stable_secret",
            AddrGenMode::Random => "random",
        };
        assert_eq!(link["inet6_addr_gen_mode"], expected, "{name}");
    }
    if let Some(token) = ipv6.token {
        let tokens = ip(&["token", "list"]);
        let expected = format!("token {token} dev {name} ");
        let is_there = tokens
            .lines()
            .any(|line| format!("{line} ").starts_with(&expected));
        assert!(is_there, "{name} is to have token {token}: {tokens}");
    }
}

fn addresses(interface: &Interface) -> Vec<(IpAddr, u8)> {
    let ipv4 = interface
        .ipv4
        .as_ref()
        .and_then(|ipv4| ipv4.address.as_ref());
    let ipv6 = interface
        .ipv6
        .as_ref()
        .and_then(|ipv6| ipv6.address.as_ref());
    let ipv4 = ipv4
        .into_iter()
        .flatten()
        .map(|address| (address.ip.into(), address.prefix_length));
    let ipv6 = ipv6
        .into_iter()
        .flatten()
        .map(|address| (address.ip.into(), address.prefix_length));
    ipv4.chain(ipv6).collect()
}

/// The network is shown as it was, but for what the kernel makes by itself: hardware addresses of a link that comes again,
/// and with them link-local addresses; connected routes. Addresses may be in another order, which is not verified. Virtual
/// links that were down are up, as the documentation of `gr` says.
pub(crate) fn assert_same_shown(before: &str, now: &str, gr: &str) {
    let [gr, current] = [gr, before].map(|text| yaml::parse(text).expect("a state"));
    let raised = raised(&gr, &current);
    let (mut before, now) = (comparable(before), comparable(now));
    for interface in before["interfaces"].as_array_mut().into_iter().flatten() {
        if raised.iter().any(|name| interface["name"] == *name) {
            interface["state"] = Value::from("up");
        }
    }
    for pointer in ["/interfaces", "/routes/running"] {
        let list = |state: &Value| state.pointer(pointer).and_then(Value::as_array).cloned();
        let lists = [&before, &now].map(|state| list(state).unwrap_or_default());
        let [before, now] = &lists;
        for (list, other, sign) in [(before, now, '-'), (now, before, '+')] {
            for entry in list.iter().filter(|entry| !other.contains(entry)) {
                println!("{sign} {entry}");
            }
        }
    }
    assert!(
        before == now,
        "not as before after\n{}",
        yaml::to_string(&gr).expect("YAML")
    );
}

fn comparable(shown: &str) -> Value {
    let mut state: Value = serde_json::from_str(shown).expect("JSON");
    for interface in state["interfaces"].as_array_mut().into_iter().flatten() {
        let interface = interface.as_object_mut().expect("an interface");
        interface.remove("mac-address");
        // Theirs is the order in which they came.
        if let Some(names) = interface.get_mut("alt-names").and_then(Value::as_array_mut) {
            names.sort_by_key(ToString::to_string);
        }
        if let Some(options) = interface
            .get_mut("bridge")
            .map(|bridge| &mut bridge["options"])
        {
            (options["gc-timer"], options["hello-timer"]) = (Value::Null, Value::Null);
        }
        for family in ["ipv4", "ipv6"] {
            let section = interface.get_mut(family);
            let list = section.and_then(|section| section["address"].as_array_mut());
            let Some(list) = list else { continue };
            list.retain(|address| !address["ip"].to_string().contains("fe80:"));
            list.iter_mut().for_each(without_owner);
            list.sort_by_key(ToString::to_string);
        }
    }
    // A rule of others that an earlier state spoke of counts as ours, which `gr` doesn't know of.
    state["route-rules"].take();
    if let Some(running) = state["routes"]["running"].as_array_mut() {
        running.retain(|route| route["protocol"] != 2);
        running.iter_mut().for_each(without_owner);
        running.sort_by_key(ToString::to_string);
    }
    state
}

fn without_owner(object: &mut Value) {
    object["protocol"].take();
}
