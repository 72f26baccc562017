// SPDX-License-Identifier: Apache-2.0

//! Operations on MPTCP endpoints.

use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::MptcpEndpoint;
use nipart_schemas::operation::Operation;

use super::{Phase, Waves};
use crate::goal::{Goal, Goals};

/// What goes, goes before its address and its link; what comes or changes, when the address is there.
pub(super) fn plan(goals: &Goals<'_>, waves: &mut Waves) {
    for link in &goals.lost_endpoints {
        let operation = Operation::RemoveLostEndpoints { link: *link };
        waves.push(Phase::RemoveEndpoints, operation);
    }
    for goal in &goals.links {
        if let Some(wanted) = &goal.endpoints {
            plan_link(goal, wanted, waves);
        }
    }
}

fn plan_link(goal: &Goal<'_>, wanted: &[MptcpEndpoint], waves: &mut Waves) {
    let present = goal.present.map(Interface::mptcp_endpoints);
    let present = present.unwrap_or_default();
    let stays = |endpoint: &&MptcpEndpoint| {
        goal.surviving().is_some() && wanted.iter().any(|wanted| wanted.ip == endpoint.ip)
    };
    let kept: Vec<MptcpEndpoint> = present.iter().filter(stays).copied().collect();
    let mut push = |phase, endpoint| {
        let interface = goal.name().to_string();
        let operation = Operation::ChangeMptcp {
            interface,
            endpoint,
        };
        waves.push(phase, operation);
    };
    if kept.len() < present.len() {
        push(Phase::RemoveEndpoints, kept.clone());
    }
    if kept != wanted {
        push(Phase::AddEndpoints, wanted.to_vec());
    }
}
