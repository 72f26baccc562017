// SPDX-License-Identifier: Apache-2.0

//! From operations to steps. Pure: what it needs to know is in [`Names`].

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::mptcp::MptcpEndpoint;
use nipart_schemas::operation::Operation;

use super::{Names, Step, address, ip_stack, link, route, route_rule};
use crate::mptcp::Endpoints;

/// The links whose numbers the steps of an operation need.
pub(super) fn needed_names(operation: &Operation) -> impl Iterator<Item = &str> {
    let (own, controller, base, peer_controller) = match operation {
        Operation::CreateLink { interface, peer } => (
            None,
            interface.controller.as_deref(),
            interface.base_interface(),
            peer.as_ref().and_then(|peer| peer.controller.as_deref()),
        ),
        Operation::AwaitLink { interface } => (None, interface.controller.as_deref(), None, None),
        Operation::ChangeSection { interface } => (
            operation.interface(),
            None,
            interface.base_interface(),
            None,
        ),
        Operation::ChangeLink(changes) => (
            operation.interface(),
            changes.controller.as_deref(),
            None,
            None,
        ),
        _ => (operation.interface(), None, None, None),
    };
    let hops = operation.routes().skip(1);
    let section = match operation {
        Operation::CreateLink { interface, .. } | Operation::ChangeSection { interface } => {
            Some(interface)
        }
        _ => None,
    };
    let preferred = section.and_then(|interface| interface.preferred_port());
    [own, controller, base, peer_controller, preferred]
        .into_iter()
        .flatten()
        .chain(
            section
                .into_iter()
                .flat_map(|interface| interface.further_bases()),
        )
        .chain(hops.filter_map(|hop| hop.next_hop_interface.as_deref()))
        .filter(|name| !name.is_empty())
}

/// The steps of an operation; none when all is so already because the link that it would remove from is gone.
pub(super) fn steps(operation: &Operation, names: &Names) -> Result<Vec<Step>, NipartError> {
    match operation {
        Operation::CreateLink { interface, peer } => {
            link::create(interface, peer.as_deref(), names)
        }
        Operation::AwaitLink { interface } => {
            let appearance = Step::Await(interface.name.clone());
            link::complete(appearance, interface, names)
        }
        Operation::DeleteLink { interface } => Ok(names
            .find(interface)
            .map(Step::Delete)
            .into_iter()
            .collect()),
        Operation::ChangeLink(changes) => link::change(changes, names).map(one),
        Operation::ChangeSection { interface } => link::change_section(interface, names),
        Operation::ChangeBridgePort { port } => link::change_bridge_port(port, names),
        Operation::ChangeBondPort { port } => link::change_bond_port(port, names).map(one),
        Operation::ChangeHardware { interface } => {
            Ok(one(Step::Configure(Box::new(interface.only_hardware()))))
        }
        Operation::ChangeVirtualFunctions { interface, sr_iov } => Ok(one(Step::ChangeFunctions(
            interface.clone(),
            sr_iov.clone(),
        ))),
        Operation::AddAltName { interface, name } => {
            Ok(one(link::add_alt_name(names.index(interface)?, name)))
        }
        Operation::RemoveAltName { interface, name } => Ok(names
            .find(interface)
            .map(|index| link::remove_alt_name(index, name))
            .into_iter()
            .collect()),
        Operation::ChangeIpv4 {
            interface,
            forwarding,
        } => {
            names.index(interface)?;
            Ok(one(ip_stack::change_ipv4(interface, *forwarding)))
        }
        Operation::ChangeIpv6(changes) => {
            let index = names.index(&changes.interface)?;
            Ok(ip_stack::change_ipv6(index, changes))
        }
        Operation::AddAddress { interface, address } => {
            Ok(one(address::add(names.index(interface)?, address)))
        }
        Operation::RemoveAddress { interface, address } => Ok(names
            .find(interface)
            .map(|index| address::remove(index, address))
            .into_iter()
            .collect()),
        Operation::ChangeMptcp {
            interface,
            endpoint,
        } => match names.find(interface) {
            None if endpoint.is_empty() => Ok(Vec::new()),
            _ => Ok(one(change_endpoints(
                names.index(interface)?,
                endpoint.clone(),
            ))),
        },
        Operation::RemoveLostEndpoints { link } => Ok(one(change_endpoints(*link, Vec::new()))),
        Operation::AddRoute(wanted) => route::add(wanted, names).map(one),
        Operation::RemoveRoute(present) => route::remove(present, names),
        Operation::AddMultipathRoute(hops) => route::add_multipath(hops, names).map(one),
        Operation::RemoveMultipathRoute(hops) => route::remove_multipath(hops),
        Operation::ReplaceRoute { wanted, .. } => route::replace(wanted, names).map(one),
        Operation::AddRule(rule) => route_rule::add(rule).map(one),
        Operation::RemoveRule(rule) => route_rule::remove(rule).map(one),
        _ => Err(super::unsupported(
            "this version doesn't know the operation",
        )),
    }
}

fn change_endpoints(link: u32, wanted: Vec<MptcpEndpoint>) -> Step {
    Step::ChangeEndpoints(Endpoints { link, wanted })
}

fn one(step: Step) -> Vec<Step> {
    vec![step]
}
