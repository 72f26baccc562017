// SPDX-License-Identifier: Apache-2.0

//! `trace show` of a request lists every hop in order, with durations that add up.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly, in their helpers too"
)]

use std::collections::HashMap;
use std::time::Duration;

use nipart_tests::namespace::run;
use nipart_tests::process::eventually;
use nipart_tests::system::System;
use serde_json::Value;

const STATE: &str = "interfaces: [{name: v1, type: veth, veth: {peer: v2}, ipv4: {address: [{ip: 192.0.2.1, prefix-length: 24}]}}]";

fn text<'v>(event: &'v Value, key: &str) -> &'v str {
    event[key].as_str().unwrap_or_default()
}

fn at(event: &Value) -> u64 {
    event["at_us"].as_u64().expect("a time")
}

/// A question and the time of its answer.
struct Hop<'e> {
    event: &'e Value,
    answer: &'e Value,
}

/// Each question of a chain with its one answer.
fn hops(events: &[Value]) -> Vec<Hop<'_>> {
    let questions = events.iter().filter(|event| event["state"] == "todo");
    let with_answer = questions.map(|event| {
        let is_answer = |other: &&Value| {
            other["ref_uuid"] == event["uuid"] && matches!(text(other, "state"), "done" | "failed")
        };
        let answers: Vec<&Value> = events.iter().filter(is_answer).collect();
        assert_eq!(answers.len(), 1, "answers to {event}");
        // The answer comes from whom was asked, and goes to who asked.
        assert_eq!(
            (&answers[0]["sender"], &answers[0]["receiver"]),
            (&event["receiver"], &event["sender"])
        );
        Hop {
            event,
            answer: answers[0],
        }
    });
    with_answer.collect()
}

fn words(hops: &[Hop<'_>]) -> Vec<String> {
    let arrow = |hop: &Hop<'_>| {
        format!(
            "{} → {} {} {}",
            text(hop.event, "sender"),
            text(hop.event, "receiver"),
            text(hop.event, "kind"),
            text(hop.answer, "state")
        )
    };
    hops.iter().map(arrow).collect()
}

/// What must hold of every chain. Returns how many microseconds of it others worked, and how many it took.
fn check_times(events: &[Value], hops: &[Hop<'_>]) -> (u64, u64) {
    assert!(events.is_sorted_by_key(at), "the events are not in order");
    let root = &hops[0];
    assert_eq!(root.event["uuid"], root.event["chain"]);
    assert_eq!(root.event["ref_uuid"], Value::Null);
    assert!(
        events
            .iter()
            .all(|event| event["chain"] == root.event["chain"])
    );
    let known: HashMap<&str, &Hop<'_>> = hops
        .iter()
        .map(|hop| (text(hop.event, "uuid"), hop))
        .collect();
    for hop in &hops[1..] {
        let parent = known
            .get(text(hop.event, "ref_uuid"))
            .expect("every hop follows from another");
        assert!(
            at(parent.event) <= at(hop.event) && at(hop.answer) <= at(parent.answer),
            "{} is not within its parent",
            hop.event
        );
    }
    // Everything that the root waited for, laid end to end without what ran side by side, is no longer than the root.
    let mut covered = 0;
    let mut until = at(root.event);
    for hop in &hops[1..] {
        covered += at(hop.answer).saturating_sub(until.max(at(hop.event)));
        until = until.max(at(hop.answer));
    }
    let total = at(root.answer) - at(root.event);
    assert!(covered <= total, "{covered} µs within {total} µs");
    (covered, total)
}

fn events_of(system: &System, id: &str) -> Vec<Value> {
    let shown = system.ctl(&["trace", "show", id, "-o", "json"]).ok().json();
    shown.as_array().expect("a list").clone()
}

#[test]
fn apply_hop_by_hop() {
    run(|| {
        let system = System::start();
        let report = system
            .ctl_with(&["apply", "-", "-o", "json"], STATE)
            .ok()
            .json();
        let id = text(&report, "trace");
        let events = events_of(&system, id);
        let hops = hops(&events);
        let told = words(&hops);
        assert_eq!(told[0], "client → commander apply done");
        // These two are asked side by side, in no order.
        let mut queries = told[1..3].to_vec();
        queries.sort();
        assert_eq!(
            queries,
            [
                "commander → config load-saved done",
                "commander → kernel query done"
            ]
        );
        assert_eq!(
            told[3..],
            [
                "commander → state decide done",
                "commander → config open-journal done",
                "commander → kernel execute done",
                "commander → kernel query done",
                "commander → state decide done",
                "commander → config close-journal done",
            ]
        );
        let _ = check_times(&events, &hops);

        let traces = system.ctl(&["trace", "list", "-o", "json"]).ok().json();
        let listed = traces
            .as_array()
            .expect("a list")
            .iter()
            .find(|trace| trace["id"] == id)
            .expect("it is listed")
            .clone();
        assert_eq!(
            (text(&listed, "kind"), text(&listed, "state")),
            ("apply", "done")
        );
        assert_eq!(listed["events"], events.len());
        assert_eq!(
            listed["duration_us"],
            at(events.last().expect("an event")) - at(&events[0])
        );
        let bytes: u64 = events
            .iter()
            .filter_map(|event| event["bytes"].as_u64())
            .sum();
        assert_eq!(listed["bytes"], bytes);
    });
}

#[test]
fn failures_and_their_undoing_show() {
    run(|| {
        let system = System::start();
        system.apply(STATE).ok();
        let wrong = "routes: {config: [{destination: 10.0.0.0/8, next-hop-interface: v1, next-hop-address: 10.9.9.9}]}";
        let _ = system.apply(wrong).refused();
        let events = events_of(&system, "last");
        let hops = hops(&events);
        let told = words(&hops);
        assert_eq!(told[0], "client → commander apply failed");
        let begin = told
            .iter()
            .position(|hop| hop == "commander → kernel execute done")
            .expect("it was tried");
        assert_eq!(
            told[begin + 1..begin + 3],
            [
                "commander → kernel query done",
                "commander → state decide done"
            ]
        );
        assert_eq!(
            told.last().map(String::as_str),
            Some("commander → config close-journal done")
        );
        let _ = check_times(&events, &hops);

        let _ = system
            .apply("interfaces: [{name: nothere, mtu: 1400}]")
            .refused();
        let events = events_of(&system, "last");
        let hops = self::hops(&events);
        assert_eq!(
            words(&hops).last().map(String::as_str),
            Some("commander → state decide failed")
        );
        let _ = check_times(&events, &hops);
    });
}

#[test]
fn the_tree_is_for_people() {
    run(|| {
        let system = System::start();
        system.apply(STATE).ok();
        let tree = system.ctl(&["trace", "show", "last"]).ok().out;
        let lines: Vec<&str> = tree.lines().collect();
        assert!(lines[1].starts_with("client → commander apply "), "{tree}");
        assert!(
            lines[2..]
                .iter()
                .all(|line| line.starts_with("├─ commander → ")
                    || line.starts_with("└─ commander → ")),
            "{tree}"
        );
        // Offset and duration end each line; together they stay within the root's duration.
        let milliseconds = |line: &str, from_end: usize| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let number = words
                .len()
                .checked_sub(2 * from_end)
                .and_then(|index| words.get(index));
            number.and_then(|number| number.trim_start_matches('+').parse::<f64>().ok())
        };
        let total = milliseconds(lines[1], 1).expect("a duration");
        for line in lines[2..].iter().filter(|line| line.contains(" done ")) {
            let (offset, duration) = (
                milliseconds(line, 2).expect(line),
                milliseconds(line, 1).expect(line),
            );
            assert!(
                offset + duration <= total + 0.002,
                "{line} within {total} ms"
            );
        }

        let _ = system.ctl(&["show"]).ok();
        let tree = system.ctl(&["trace", "show", "last"]).ok().out;
        assert!(
            tree.contains("client → commander show") && tree.contains("commander → kernel query"),
            "{tree}"
        );
        assert!(
            system
                .ctl(&["trace", "show", "00000000"])
                .refused()
                .contains("not found")
        );
    });
}

#[test]
fn little_is_unaccounted_for() {
    run(|| {
        let system = System::start();
        system.apply(STATE).ok();
        // On a busy machine, anybody may have to wait for a processor now and then.
        eventually(
            "a trace of hops with little between them",
            Duration::from_secs(30),
            || {
                let _ = system.ctl(&["show"]).ok();
                let events = events_of(&system, "last");
                let (covered, total) = check_times(&events, &hops(&events));
                (covered * 2 > total).then_some(())
            },
        );
    });
}
