// SPDX-License-Identifier: Apache-2.0

//! Random rules: few values, so that they clash.

use nipart_schemas::operation::Operation;
use nipart_schemas::route_rule::{RouteRule, RouteRules, RuleAction, RuleState, Selector};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

fn rule() -> impl Strategy<Value = RouteRule> {
    let action = select(vec![RuleAction::Blackhole, RuleAction::Prohibit]);
    (
        select(vec!["192.0.2.0/24", "192.0.2.1/32", "2001:db8::/64"]),
        weighted(0.6, Just(())),
        weighted(0.5, select(vec!["eth0", "eth1"])),
        weighted(0.2, 7_u32..9),
        weighted(0.5, 5_u32..7),
        weighted(0.5, 100_u32..102),
        weighted(0.2, action),
    )
        .prop_map(
            |(network, has_network, iif, fwmark, route_table, priority, action)| {
                let from = Selector::Is(network.parse().unwrap());
                let family = RouteRule {
                    ip_from: Some(from),
                    ..RouteRule::default()
                };
                RouteRule {
                    family: family.known_family(),
                    ip_from: has_network.map(|()| from),
                    iif: iif.map(|name| Selector::Is(name.to_string())),
                    fwmark: fwmark.map(Selector::Is),
                    route_table: route_table.filter(|_| action.is_none()),
                    priority,
                    action,
                    ..RouteRule::default()
                }
            },
        )
}

/// Wanted ones, no two of them the same.
pub(crate) fn wanted() -> impl Strategy<Value = Option<RouteRules>> {
    let entry = (rule(), any::<(bool, bool, bool)>()).prop_map(
        |(mut rule, (is_absent, with_network, with_iif))| {
            if is_absent {
                rule.state = Some(RuleState::Absent);
                rule.ip_from.take_if(|_| !with_network);
                rule.iif.take_if(|_| !with_iif);
            }
            rule
        },
    );
    vec(entry, 0..5).prop_map(|rules| {
        let mut config: Vec<RouteRule> = Vec::new();
        for rule in rules {
            let is_same = |known: &RouteRule| {
                !known.is_absent() && known.without_priority() == rule.without_priority()
            };
            if rule.is_absent() || !config.iter().any(is_same) {
                config.push(rule);
            }
        }
        RouteRules::of(config)
    })
}

/// One of somebody else.
pub(crate) fn foreign() -> impl Strategy<Value = Operation> {
    (rule(), 100_u32..103, select(vec![0_u8, 3, 186])).prop_map(|(rule, priority, protocol)| {
        Operation::AddRule(RouteRule {
            priority: Some(priority),
            protocol: Some(protocol),
            ..rule
        })
    })
}
