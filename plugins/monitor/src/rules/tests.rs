// SPDX-License-Identifier: Apache-2.0

use nipart_schemas::monitor::LinkCondition::{Absent, Down, Present, Up};

use super::*;

const ALL: &[LinkCondition] = &[Present, Absent, Up, Down];

fn rule(interface: &str, interested: &[LinkCondition]) -> MonitorRule {
    MonitorRule {
        interface: interface.to_string(),
        interested: interested.to_vec(),
        known: None,
        followup: Role::Commander,
    }
}

/// Rules about these names, none of which exists yet.
fn watching(names: &[&str], now: Instant) -> Rules {
    let mut rules = Rules::default();
    let list = names.iter().map(|name| rule(name, ALL)).collect();
    let (tellings, unknown) = rules.replace(list, now);
    assert_eq!(tellings, []);
    assert_eq!(unknown, names);
    for name in names {
        let told = rules.absent(name, now);
        assert_eq!(short(&told), [(*name, Absent)]);
    }
    rules
}

fn short(tellings: &[Telling]) -> Vec<(&str, LinkCondition)> {
    let changes = tellings.iter().map(|telling| &telling.change);
    changes
        .map(|change| (change.interface.as_str(), change.condition))
        .collect()
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

#[test]
fn changes_are_told_once_and_at_once() {
    let now = Instant::now();
    let mut rules = watching(&["eth0"], now);
    assert_eq!(
        short(&rules.link(7, "eth0", false, now)),
        [("eth0", Present), ("eth0", Down)]
    );
    assert_eq!(rules.link(7, "eth0", false, now), []);
    // Coming up right after it was created isn't delayed.
    assert_eq!(short(&rules.link(7, "eth0", true, now)), [("eth0", Up)]);
    assert_eq!(rules.link(7, "eth0", true, now), []);
    let later = now + milliseconds(100);
    assert_eq!(
        short(&rules.link(7, "eth0", false, later)),
        [("eth0", Down)]
    );
    assert_eq!(short(&rules.gone(7, later)), [("eth0", Absent)]);
    assert_eq!(rules.gone(7, later), []);
    assert_eq!(rules.next_due(), None);
}

#[test]
fn only_what_a_rule_is_interested_in_is_told() {
    let now = Instant::now();
    let mut rules = Rules::default();
    let mut for_dhcp = rule("eth0", &[Up]);
    for_dhcp.followup = Role::Dhcp;
    rules.replace(vec![rule("eth0", &[Present]), for_dhcp], now);
    let told = rules.link(7, "eth0", true, now);
    let told: Vec<_> = told
        .iter()
        .map(|telling| (&telling.followup, telling.change.condition))
        .collect();
    assert_eq!(told, [(&Role::Commander, Present), (&Role::Dhcp, Up)]);
    assert_eq!(rules.link(7, "eth0", false, now), []);
    assert!(!rules.cares_about(8, "eth1"));
    assert_eq!(rules.link(8, "eth1", true, now), []);
    assert_eq!(rules.present.len(), 1);
}

#[test]
fn flapping_is_merged() {
    let now = Instant::now();
    let mut rules = watching(&["eth0"], now);
    rules.link(7, "eth0", true, now);
    let start = now + milliseconds(1000);
    let mut told = Vec::new();
    for step in 0..1000 {
        let now = start + milliseconds(step);
        told.extend(rules.link(7, "eth0", step % 2 == 1, now));
        if rules.next_due().is_some_and(|due| due <= now) {
            told.extend(rules.look_again(now));
        }
    }
    // A second of flapping: 20 intervals, in each at most one telling of each status.
    assert!((20..=42).contains(&told.len()), "{}", told.len());
    assert_eq!(short(&told[..2]), [("eth0", Down), ("eth0", Up)]);
    // When it ends, what is told last is what is true.
    let end = start + milliseconds(2000);
    told.extend(rules.look_again(end));
    assert_eq!(short(&told).last(), Some(&("eth0", Up)));
    assert_eq!(rules.next_due(), None);
    assert_eq!(rules.look_again(end), []);
}

#[test]
fn what_came_and_went_is_not_told() {
    let now = Instant::now();
    let mut rules = watching(&["eth0"], now);
    rules.link(7, "eth0", true, now);
    rules.link(7, "eth0", false, now);
    // Up was told just now, so this one waits; it is down again before the time is over.
    assert_eq!(rules.link(7, "eth0", true, now + milliseconds(1)), []);
    assert_eq!(rules.next_due(), Some(now + QUIET));
    assert_eq!(rules.link(7, "eth0", false, now + milliseconds(2)), []);
    assert_eq!(rules.next_due(), None);
    // Held back, and told in time.
    rules.link(7, "eth0", true, now + milliseconds(3));
    assert_eq!(rules.look_again(now + milliseconds(49)), []);
    assert_eq!(short(&rules.look_again(now + QUIET)), [("eth0", Up)]);
}

#[test]
fn renaming_is_absent_and_present() {
    let now = Instant::now();
    let mut rules = watching(&["eth0", "lan0"], now);
    rules.link(7, "eth0", true, now);
    assert!(rules.cares_about(7, "wan0"));
    let told = rules.link(7, "lan0", true, now + QUIET);
    assert_eq!(
        short(&told),
        [("eth0", Absent), ("lan0", Present), ("lan0", Up)]
    );
    let told = rules.link(7, "other", true, now + QUIET * 2);
    assert_eq!(short(&told), [("lan0", Absent)]);
    assert!(!rules.cares_about(7, "other"));
    // Two links swap their names; each announcement is a rename of its own.
    let now = now + QUIET * 4;
    rules.link(7, "eth0", true, now);
    rules.link(8, "lan0", false, now);
    let now = now + QUIET * 2;
    let mut told = rules.link(7, "spare", true, now);
    told.extend(rules.link(8, "eth0", false, now));
    told.extend(rules.link(7, "lan0", true, now));
    assert_eq!(
        short(&told),
        [
            ("eth0", Absent),
            ("lan0", Absent),
            ("eth0", Present),
            ("eth0", Down),
            ("lan0", Present),
            ("lan0", Up)
        ]
    );
}

#[test]
fn another_link_of_the_same_name_is_told() {
    let now = Instant::now();
    let mut rules = watching(&["eth0"], now);
    rules.link(7, "eth0", true, now);
    // Its going was lost in an overrun.
    let told = rules.link(9, "eth0", true, now + QUIET);
    assert_eq!(
        short(&told),
        [("eth0", Absent), ("eth0", Present), ("eth0", Up)]
    );
    assert_eq!(rules.gone(7, now + QUIET), []);
    // Created anew within the time that is merged.
    let now = now + QUIET * 2;
    rules.link(9, "eth0", false, now);
    rules.link(9, "eth0", true, now);
    let told = rules.gone(9, now);
    assert_eq!(short(&told), [("eth0", Absent)]);
    assert_eq!(rules.link(10, "eth0", true, now), []);
    let told = rules.look_again(now + QUIET);
    assert_eq!(short(&told), [("eth0", Present), ("eth0", Up)]);
}

#[test]
fn new_rules_tell_what_is_true_already() {
    let now = Instant::now();
    let mut rules = watching(&["eth0", "eth1"], now);
    rules.link(7, "eth0", true, now);
    rules.link(8, "eth1", true, now);
    let list = vec![rule("eth0", &[Up]), rule("eth2", &[Absent])];
    let (told, unknown) = rules.replace(list, now);
    assert_eq!(short(&told), [("eth0", Up)]);
    assert_eq!(unknown, ["eth2"]);
    assert_eq!(short(&rules.absent("eth2", now)), [("eth2", Absent)]);
    // What isn't watched any more is forgotten.
    assert!(!rules.cares_about(8, "eth1"));
    assert_eq!(rules.gone(8, now), []);
    let (told, unknown) = rules.replace(Vec::new(), now);
    assert_eq!((told, unknown), (vec![], vec![]));
    assert!(rules.is_empty());
    assert!(!rules.cares_about(7, "eth0"));
}

#[test]
fn what_the_follower_knows_is_not_told_until_it_changes() {
    let now = Instant::now();
    let mut rules = watching(&["eth0", "eth1"], now);
    rules.link(7, "eth0", true, now);
    let known = |interface: &str, condition| MonitorRule {
        known: Some(condition),
        ..rule(interface, ALL)
    };
    // Of two followers only one knows.
    let list = vec![
        known("eth0", Up),
        rule("eth0", &[Up]),
        known("eth1", Absent),
    ];
    let (told, _) = rules.replace(list, now);
    assert_eq!(short(&told), [("eth0", Up)]);
    let (told, _) = rules.replace(vec![known("eth0", Present), known("eth1", Down)], now);
    assert_eq!(short(&told), [("eth0", Up), ("eth1", Absent)]);
    let (told, _) = rules.replace(vec![known("eth0", Up), known("eth1", Absent)], now);
    assert_eq!(told, []);
    let later = now + QUIET * 2;
    assert_eq!(
        short(&rules.link(7, "eth0", false, later)),
        [("eth0", Down)]
    );
    assert_eq!(short(&rules.link(7, "eth0", true, later)), [("eth0", Up)]);

    // Created anew, which was held back when the rules came: it isn't the link that the follower knows.
    rules.gone(7, later);
    assert_eq!(rules.link(9, "eth0", true, later), []);
    let (told, _) = rules.replace(vec![known("eth0", Up)], later);
    assert_eq!(short(&told), [("eth0", Present), ("eth0", Up)]);
}
