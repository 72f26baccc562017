// SPDX-License-Identifier: Apache-2.0

//! The same plan as changes of the state, for people.

use nipart_schemas::dns::{DnsOrigin, DnsSource};
use nipart_schemas::interface::Interface;
use nipart_schemas::operation::{Ipv6Changes, Operation, Plan};
use nipart_schemas::overlay::{Difference, Overlay, Path};
use nipart_schemas::route::Route;
use serde_json::{Value, json};

use crate::goal::name::{HostNameGoal, SourceGoal};
use crate::goal::{Fate, Goals};
use crate::kind;

/// What changes, in the order of the wanted state; addresses, routes and rules follow.
pub(crate) fn differences(goals: &Goals<'_>, plan: &Plan) -> Vec<Difference> {
    let mut out = Vec::new();
    for goal in &goals.links {
        let kind = |interface: &Interface| {
            interface
                .interface_type
                .as_ref()
                .map_or(Value::Null, |kind| json!(kind.as_str()))
        };
        let name = goal.name();
        match (goal.fate, goal.present) {
            (Fate::Delete, Some(present)) => out.push(change(name, kind(present), Value::Null)),
            (Fate::Recreate, Some(present)) => {
                out.push(change(name, kind(present), json!("created anew")));
                link_differences(&goal.wanted, present, &mut out);
            }
            (Fate::Change, Some(present)) => {
                if let Some(up) = goal.up {
                    let state = |up: bool| json!(if up { "up" } else { "down" });
                    let is_up =
                        present.wanted_state() == nipart_schemas::interface::InterfaceState::Up;
                    if up != is_up {
                        out.push(change(&format!("{name}.state"), state(is_up), state(up)));
                    }
                }
                link_differences(&goal.wanted, present, &mut out);
            }
            _ => {
                out.push(change(name, Value::Null, kind(&goal.wanted)));
                link_differences(&goal.wanted, &Interface::named(name), &mut out);
            }
        }
    }
    out.extend(plan.operations().filter_map(list_change));
    name_differences(goals, &mut out);
    out
}

fn change(path: &str, current: Value, desired: Value) -> Difference {
    Difference {
        path: path.to_string(),
        current,
        desired,
    }
}

/// Scalar properties; lists are told by their operations.
fn link_differences(wanted: &Interface, present: &Interface, out: &mut Vec<Difference>) {
    let scalars = Interface {
        interface_type: None,
        state: None,
        ipv4: None,
        ipv6: None,
        mptcp: None,
        description: wanted
            .description
            .clone()
            .filter(|text| !(text.is_empty() && present.description.is_none())),
        controller: wanted
            .controller
            .clone()
            .filter(|controller| !(controller.is_empty() && present.controller.is_none())),
        ..wanted.clone()
    };
    let mut differences = Vec::new();
    scalars.differences(present, Path::root(&wanted.name), &mut differences);
    differences.retain(|difference| {
        let path = difference.path.strip_prefix(&wanted.name);
        !kind::is_no_difference(present, path.unwrap_or_default(), difference)
    });
    out.append(&mut differences);
}

/// Lists of sources, and the machine's names.
fn name_differences(goals: &Goals<'_>, out: &mut Vec<Difference>) {
    let mut tell = |path: String, present: Value, wanted: Value| {
        if present != wanted {
            out.push(change(&path, present, wanted));
        }
    };
    for SourceGoal { wanted, present } in &goals.sources {
        let path = match (&wanted.interface, wanted.origin) {
            (None, _) => "dns-resolver.config".to_string(),
            (Some(name), DnsOrigin::Static) => format!("{name}.dns"),
            (Some(name), DnsOrigin::Dhcp) => format!("{name}.leased-dns"),
            (Some(name), DnsOrigin::Dhcpv6) => format!("{name}.leased-dns-ipv6"),
            (Some(name), DnsOrigin::RouterAdvertisement) => format!("{name}.advertised-dns"),
        };
        let lists = |source: &DnsSource| {
            let config = source.config().unwrap_or_default();
            [
                json!(config.server),
                json!(config.search),
                json!(config.options),
            ]
        };
        let both = lists(present).into_iter().zip(lists(wanted));
        for (kind, (present, wanted)) in ["server", "search", "options"].iter().zip(both) {
            tell(format!("{path}.{kind}"), present, wanted);
        }
    }
    if let Some(HostNameGoal { wanted, present }) = &goals.host_name {
        for (kind, present, wanted) in [
            ("running", &present.running, &wanted.running),
            ("config", &present.config, &wanted.config),
        ] {
            if wanted.is_some() {
                tell(format!("hostname.{kind}"), json!(present), json!(wanted));
            }
        }
    }
}

fn list_change(operation: &Operation) -> Option<Difference> {
    let (path, current, desired) = match operation {
        Operation::AddAddress { interface, address } => (
            format!("{interface}.address"),
            Value::Null,
            json!(address.to_string()),
        ),
        Operation::RemoveAddress { interface, address } => (
            format!("{interface}.address"),
            json!(address.to_string()),
            Value::Null,
        ),
        Operation::ChangeMptcp {
            interface,
            endpoint,
        } => {
            let endpoints: Vec<String> = endpoint.iter().map(ToString::to_string).collect();
            (format!("{interface}.mptcp"), Value::Null, json!(endpoints))
        }
        Operation::AddAltName { interface, name } => {
            (format!("{interface}.alt-names"), Value::Null, json!(name))
        }
        Operation::RemoveAltName { interface, name } => {
            (format!("{interface}.alt-names"), json!(name), Value::Null)
        }
        Operation::ChangeIpv4 {
            interface,
            forwarding,
        } => (
            format!("{interface}.ipv4.forwarding"),
            json!(!forwarding),
            json!(forwarding),
        ),
        Operation::ChangeIpv6(changes) => (
            format!("{}.ipv6", changes.interface),
            Value::Null,
            changed_switches(changes),
        ),
        Operation::ChangeBridgePort { port } => (
            format!("{}.bridge-port", port.name),
            Value::Null,
            json!(port),
        ),
        Operation::ChangeBondPort { port } => {
            (format!("{}.bond-port", port.name), Value::Null, json!(port))
        }
        Operation::AddRoute(_) | Operation::AddMultipathRoute(_) => (
            "routes".to_string(),
            Value::Null,
            routes(operation.routes()),
        ),
        Operation::RemoveRoute(_) | Operation::RemoveMultipathRoute(_) => (
            "routes".to_string(),
            routes(operation.routes()),
            Value::Null,
        ),
        Operation::ReplaceRoute { present, wanted } => (
            "routes".to_string(),
            routes(present.iter()),
            routes(wanted.iter()),
        ),
        Operation::AddRule(rule) => (
            "route-rules".to_string(),
            Value::Null,
            json!(rule.to_string()),
        ),
        Operation::RemoveRule(rule) => (
            "route-rules".to_string(),
            json!(rule.to_string()),
            Value::Null,
        ),
        _ => return None,
    };
    Some(Difference {
        path,
        current,
        desired,
    })
}

/// All but the link's name.
fn changed_switches(changes: &Ipv6Changes) -> Value {
    let mut value = json!(changes);
    if let Some(switches) = value.as_object_mut() {
        switches.remove("interface");
    }
    value
}

fn routes<'r>(hops: impl Iterator<Item = &'r Route>) -> Value {
    let hops: Vec<String> = hops.map(ToString::to_string).collect();
    json!(hops.join(" and "))
}
