// SPDX-License-Identifier: Apache-2.0

//! What others do to the network, by iproute2.

use std::fmt::Write as _;
use std::process::Command;

use nipart_schemas::ip::IpFamily;
use nipart_schemas::operation::Operation;
use nipart_schemas::route::Route;

/// Does it, as far as the kernel lets them; returns the commands.
pub(crate) fn act(operations: &[Operation]) -> String {
    let mut done = String::new();
    for line in operations.iter().filter_map(command) {
        let words = line.split(' ');
        let output = Command::new("ip")
            .args(words)
            .output()
            .expect("ip is installed");
        if output.status.success() {
            let _ = writeln!(done, "ip {line}");
        }
    }
    done
}

fn command(operation: &Operation) -> Option<String> {
    match operation {
        Operation::AddAddress { interface, address } => Some(format!(
            "address add {}/{} dev {interface}",
            address.ip, address.prefix_length
        )),
        Operation::AddRoute(route) => Some(format!("route add {}", of_route(route)?)),
        Operation::AddMultipathRoute(hops) => {
            let destination = hops.first()?.destination?;
            let hops = hops.iter().filter_map(|hop| {
                let (gateway, interface) =
                    (hop.next_hop_address?, hop.next_hop_interface.as_ref()?);
                Some(format!(" nexthop via {gateway} dev {interface}"))
            });
            Some(format!(
                "route add {destination} proto 186{}",
                hops.collect::<String>()
            ))
        }
        Operation::ChangeLink(changes) => {
            let controller = changes.controller.as_ref()?;
            Some(format!(
                "link set {} master {controller}",
                changes.interface
            ))
        }
        Operation::CreateLink { interface, .. } => {
            let base = interface.base_interface()?;
            Some(format!(
                "link add link {base} name {} mtu 1280 type macvlan mode bridge",
                interface.name
            ))
        }
        Operation::AddAltName { interface, name } => {
            Some(format!("link property add dev {interface} altname {name}"))
        }
        Operation::AddRule(rule) => {
            let family = match rule.known_family()? {
                IpFamily::Ipv4 => "-4",
                IpFamily::Ipv6 => "-6",
            };
            let mut line = format!("{family} rule add");
            let _ = write!(
                line,
                " priority {} protocol {}",
                rule.priority?, rule.protocol?
            );
            if let Some(table) = rule.route_table {
                let _ = write!(line, " table {table}");
            }
            Some(line)
        }
        _ => None,
    }
}

fn of_route(route: &Route) -> Option<String> {
    let mut line = String::new();
    if let Some(kind) = route.route_type {
        let _ = write!(line, "{} ", kind.as_str());
    }
    let _ = write!(line, "{}", route.destination?);
    if let Some(gateway) = route.next_hop_address {
        let _ = write!(line, " via {gateway}");
    }
    if let Some(interface) = &route.next_hop_interface {
        let _ = write!(line, " dev {interface}");
    }
    if let Some(metric) = route.metric {
        let _ = write!(line, " metric {metric}");
    }
    let _ = write!(line, " proto 186");
    Some(line)
}
