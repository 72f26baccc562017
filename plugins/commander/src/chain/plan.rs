// SPDX-License-Identifier: Apache-2.0

//! plan: what an apply would do. query, saved, leases → state: decide → client.

use nipart_schemas::decision::{DecisionRequest, MissingInterfaces};
use nipart_schemas::error::NipartError;
use nipart_schemas::interface::{Interface, InterfaceState, WaitIp};
use nipart_schemas::overlay::Difference;
use nipart_schemas::request::{PlanReport, PlanRequest};
use serde_json::json;

use crate::identity::identified;
use crate::peers::Peers;
use crate::transaction::{Remember, Wish, assess};

/// Tells exactly what [`super::apply::apply`] would execute now.
///
/// # Errors
/// When the state is refused, or a peer fails.
pub async fn plan(peers: &impl Peers, request: PlanRequest) -> Result<PlanReport, NipartError> {
    let desired = request.state.without_shown_only();
    let wish = Wish {
        desired: identified(peers, desired, MissingInterfaces::Refuse).await?,
        missing: MissingInterfaces::Refuse,
        leases: None,
        without_lease: Vec::new(),
        with_names: true,
        verify: false,
        remember: Remember::No,
        origin: None,
        leaves_down: false,
        awaits_addresses: false,
        confirm_within: None,
    };
    let situation = assess(peers, &wish, true).await?;
    let mut decision = situation.decision;
    let known_to_us = own_words(&situation.request);
    decision.differences.extend(known_to_us);
    // Differences never tell them.
    decision.plan.hide_secrets();
    Ok(PlanReport {
        plan: decision.plan,
        differences: decision.differences,
    })
}

/// What is saved of interfaces and concerns only us: no operation follows from it.
fn own_words(request: &DecisionRequest) -> Vec<Difference> {
    let saved = request.saved.by_name();
    let is_up = |interface: &&Interface| interface.wanted_state() == InterfaceState::Up;
    let wanted = request.desired.interfaces.iter().filter(is_up);
    let compare = |wanted: &Interface| {
        let saved = saved.get(wanted.name.as_str());
        let wait_ip = saved.and_then(|saved| saved.wait_ip);
        let drift = saved.and_then(|saved| saved.drift);
        let words = [
            (
                "wait-ip",
                json!(wait_ip.unwrap_or(WaitIp::None)),
                wanted.wait_ip.map(|word| json!(word)),
            ),
            (
                "drift",
                json!(drift.unwrap_or_default()),
                wanted.drift.map(|word| json!(word)),
            ),
        ];
        let name = wanted.name.clone();
        words
            .into_iter()
            .filter_map(move |(key, current, desired)| {
                Some(Difference {
                    path: format!("{name}.{key}"),
                    desired: desired.filter(|desired| *desired != current)?,
                    current,
                })
            })
    };
    wanted.flat_map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_saved_are_told() {
        let state = |text: &str| nipart_schemas::yaml::parse(text).unwrap();
        let differences = |desired: &str| {
            let request = DecisionRequest {
                desired: state(&format!("interfaces: [{desired}]")),
                saved: state("interfaces: [{name: eth0, wait-ip: any}]"),
                ..DecisionRequest::default()
            };
            let told = own_words(&request).into_iter();
            told.map(|difference| difference.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            differences("{name: eth0, wait-ip: none, drift: adopt}"),
            [
                r#"eth0.wait-ip: "any" → "none""#,
                r#"eth0.drift: "report" → "adopt""#
            ]
        );
        for same in [
            "{name: eth0}",
            "{name: eth0, wait-ip: any, drift: report}",
            "{name: eth1, wait-ip: none}",
            "{name: eth0, wait-ip: none, state: down}",
        ] {
            assert_eq!(differences(same), Vec::<String>::new(), "{same}");
        }
    }
}
