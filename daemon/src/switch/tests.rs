// SPDX-License-Identifier: Apache-2.0

//! The switch as a table: what goes in, what comes out.

use nipart_plugin_sdk::codec::RawEvent;

use super::*;

/// A switch with a commander (0), a kernel (1) and somebody who isn't started yet (2).
struct Bench {
    switch: Switch,
    now: Instant,
}

const COMMANDER: PluginId = 0;
const KERNEL: PluginId = 1;
const LATE: PluginId = 2;

fn late() -> Role {
    Role::from("late".to_string())
}

fn bench() -> Bench {
    let mut switch = Switch::default();
    switch.add("commander", &[Role::Commander]);
    switch.add("kernel", &[Role::Kernel]);
    switch.add("late", &[late()]);
    switch.up(COMMANDER, Some(10));
    switch.up(KERNEL, Some(11));
    Bench {
        switch,
        now: Instant::now(),
    }
}

fn custom(text: &str) -> EventData {
    EventData::Custom(serde_json::json!(text))
}

fn question(sender: Role, receiver: Role, deadline: u64) -> NipartEvent {
    let mut event = NipartEvent::root(sender, receiver, custom("?"));
    event.deadline = Some(deadline);
    event
}

impl Bench {
    /// Lets a plugin send an event and returns what follows, in short.
    fn send(&mut self, plugin: PluginId, event: &NipartEvent) -> Vec<String> {
        let passing = Passing::of(event).unwrap();
        self.switch.plugin_sent(self.now, plugin, passing);
        self.outputs()
    }

    fn client(&mut self, event: &NipartEvent) -> Vec<String> {
        let passing = Passing::of(event).unwrap();
        self.switch.client_asked(self.now, passing);
        self.outputs()
    }

    /// `→ PLUGIN KIND STATE [error]` for deliveries, `→ client …` for answers.
    fn outputs(&mut self) -> Vec<String> {
        self.switch
            .outputs()
            .iter()
            .filter_map(|output| match output {
                Output::Passed { .. } => None,
                Output::Deliver { plugin, passing } => {
                    Some(format!("→ {plugin} {}", short(passing)))
                }
                Output::Client { passing, .. } => Some(format!("→ client {}", short(passing))),
            })
            .collect()
    }
}

fn short(passing: &Passing) -> String {
    let event: RawEvent = codec::decode(&passing.frame).unwrap();
    let detail = match serde_json::from_str(event.data.get()).unwrap() {
        EventData::Error(error) => format!(" {error}"),
        EventData::Custom(value) => format!(" {value}"),
        _ => String::new(),
    };
    let state = serde_json::to_string(&event.state).unwrap();
    format!("{}{detail}", state.trim_matches('"'))
}

#[test]
fn a_question_and_its_answer_pass_as_they_are() {
    let mut bench = bench();
    let asked = question(Role::Commander, Role::Kernel, 1000);
    let frame = codec::encode(&asked).unwrap();
    let passing = Passing::of(&asked).unwrap();
    bench.switch.plugin_sent(bench.now, COMMANDER, passing);
    let outputs = bench.switch.outputs();
    let [
        Output::Passed { bytes, .. },
        Output::Deliver {
            plugin: KERNEL,
            passing,
        },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((*bytes, &passing.frame), (frame.len(), &frame));
    let answered = bench.send(KERNEL, &asked.answer(custom("!")));
    assert_eq!(answered, ["→ 0 done \"!\""]);
    assert_eq!(bench.switch.open_questions(), 0);
    assert_eq!(bench.switch.next_deadline(), None);
}

#[test]
fn a_client_gets_progress_and_answer() {
    let mut bench = bench();
    let asked = question(Role::Client, Role::Kernel, 1000);
    assert_eq!(bench.client(&asked), ["→ 1 todo \"?\""]);
    let step = EventData::Progress(nipart_schemas::request::Progress::default());
    assert_eq!(
        bench.send(KERNEL, &asked.answer(step)),
        ["→ client ongoing"]
    );
    assert_eq!(
        bench.send(KERNEL, &asked.answer(custom("!"))),
        ["→ client done \"!\""]
    );
    assert!(
        bench
            .send(KERNEL, &asked.answer(custom("again")))
            .is_empty()
    );
}

#[test]
fn nobody_speaks_for_another() {
    let mut bench = bench();
    let forged = question(Role::Commander, Role::Kernel, 1000);
    assert_eq!(
        bench.send(KERNEL, &forged),
        ["→ 1 failed permission denied: the kernel plugin may not speak as commander"]
    );
    let mut as_client = question(Role::Client, Role::Kernel, 1000);
    as_client.deadline = None;
    assert!(bench.send(COMMANDER, &as_client).is_empty());
    // Nor answers what another was asked.
    let asked = question(Role::Client, Role::Kernel, 1000);
    bench.client(&asked);
    let mut answer = asked.answer(custom("forged"));
    answer.sender = Role::Commander;
    assert!(bench.send(COMMANDER, &answer).is_empty());
    assert_eq!(bench.switch.open_questions(), 1);
}

#[test]
fn a_role_that_nobody_has_fails_at_once() {
    let mut bench = bench();
    let asked = question(Role::Commander, Role::Dhcp, 1000);
    assert_eq!(
        bench.send(COMMANDER, &asked),
        ["→ 0 failed plugin failure: no plugin has the role `dhcp`"]
    );
}

#[test]
fn what_a_dead_plugin_worked_on_fails_and_what_it_asked_is_cancelled() {
    let mut bench = bench();
    let to_commander = question(Role::Client, Role::Commander, 1000);
    bench.client(&to_commander);
    bench.send(COMMANDER, &question(Role::Commander, Role::Kernel, 1000));
    bench
        .switch
        .lost(COMMANDER, Presence::Coming, "it ended with signal: 9");
    assert_eq!(
        bench.outputs(),
        [
            "→ client failed plugin failure: the commander plugin (pid 10) ended while it was working on \
             `custom`: it ended with signal: 9",
            "→ 1 cancelled",
        ]
    );
    assert_eq!(bench.switch.open_questions(), 0);
}

#[test]
fn a_coming_plugin_is_waited_for_a_gone_one_is_not() {
    let mut bench = bench();
    let held = question(Role::Client, late(), 1000);
    let cancelled = question(Role::Client, late(), 1000);
    assert!(bench.client(&held).is_empty());
    assert!(bench.client(&cancelled).is_empty());
    bench.switch.client_gone(cancelled.uuid);
    assert!(bench.outputs().is_empty());
    // Its process dies once more, and is to be back soon: still held.
    bench.switch.lost(LATE, Presence::Coming, "died");
    assert!(bench.outputs().is_empty());
    bench.switch.up(LATE, Some(12));
    assert_eq!(bench.outputs(), ["→ 2 todo \"?\""]);
    bench
        .switch
        .lost(LATE, Presence::Away("died thrice".to_string()), "died");
    assert_eq!(bench.outputs().len(), 1);
    let refused =
        "→ client failed plugin failure: the late plugin cannot be asked `custom`: died thrice";
    assert_eq!(
        bench.client(&question(Role::Client, late(), 1000)),
        [refused]
    );
}

#[test]
fn what_comes_while_a_plugin_dies_is_for_its_successor() {
    let mut bench = bench();
    bench.client(&question(Role::Client, Role::Kernel, 1000));
    bench.switch.closing(KERNEL);
    let held = question(Role::Client, Role::Kernel, 1000);
    assert!(bench.client(&held).is_empty());
    bench.switch.lost(KERNEL, Presence::Coming, "killed");
    let outputs = bench.outputs();
    assert_eq!(outputs.len(), 1, "{outputs:?}");
    assert!(outputs[0].contains("(pid 11) ended while it was working on `custom`: killed"));
    bench.switch.up(KERNEL, Some(12));
    assert_eq!(bench.outputs(), ["→ 1 todo \"?\""]);
}

#[test]
fn what_is_held_fails_when_the_plugin_is_given_up() {
    let mut bench = bench();
    bench.client(&question(Role::Client, late(), 1000));
    let away = Presence::Away("given up".to_string());
    bench.switch.lost(LATE, away, "given up");
    assert_eq!(
        bench.outputs(),
        ["→ client failed plugin failure: the late plugin cannot be asked `custom`: given up"]
    );
    bench.switch.up(LATE, Some(12));
    assert!(bench.outputs().is_empty());
}

#[test]
fn what_is_held_is_bounded() {
    let mut bench = bench();
    for _ in 0..256 {
        assert!(
            bench
                .client(&question(Role::Client, late(), 1000))
                .is_empty()
        );
    }
    let outputs = bench.client(&question(Role::Client, late(), 1000));
    assert!(outputs[0].contains("too many questions"), "{outputs:?}");
}

#[test]
fn a_question_expires_at_its_deadline_also_while_it_is_held() {
    for (receiver, cancel) in [(Role::Kernel, Some("→ 1 cancelled")), (late(), None)] {
        let mut bench = bench();
        let name = receiver.to_string();
        bench.client(&question(Role::Client, receiver, 1000));
        let deadline = bench.switch.next_deadline().unwrap();
        assert_eq!(deadline, bench.now + Duration::from_secs(1));
        bench.switch.expire(deadline - Duration::from_millis(1));
        assert!(bench.outputs().is_empty());
        bench.switch.expire(deadline);
        let outputs = bench.outputs();
        assert_eq!(
            outputs
                .first()
                .map(String::as_str)
                .filter(|_| cancel.is_some()),
            cancel
        );
        let answer = outputs.last().unwrap();
        assert!(
            answer.starts_with("→ client failed timeout: the"),
            "{answer}"
        );
        assert!(
            answer.contains(&name) && answer.contains("1000 ms"),
            "{answer}"
        );
        assert_eq!(bench.switch.open_questions(), 0);
    }
}

#[test]
fn who_asked_may_cancel_and_nobody_else() {
    let mut bench = bench();
    let asked = question(Role::Commander, Role::Kernel, 1000);
    bench.send(COMMANDER, &asked);
    let cancel = |sender: Role| NipartEvent {
        state: EventState::Cancelled,
        ..asked.follow_up(sender, Role::Kernel, EventData::Cancel)
    };
    assert!(bench.send(KERNEL, &cancel(Role::Kernel)).is_empty());
    bench.switch.client_gone(asked.uuid);
    assert!(bench.outputs().is_empty());
    assert_eq!(
        bench.send(COMMANDER, &cancel(Role::Commander)),
        ["→ 1 cancelled"]
    );
    assert!(bench.send(KERNEL, &asked.answer(custom("late"))).is_empty());
}

#[test]
fn a_full_queue_fails_the_question_and_forgets_what_is_told() {
    let mut bench = bench();
    let asked = question(Role::Client, Role::Kernel, 1000);
    bench.client(&asked);
    bench.switch.refused(KERNEL, &codec::envelope(&asked));
    assert_eq!(
        bench.outputs(),
        [
            "→ client failed plugin failure: the kernel plugin (pid 11) is slow: its queue has no room for `custom`"
        ]
    );
    let told = NipartEvent::root(Role::Commander, Role::Kernel, custom("told"));
    assert_eq!(bench.send(COMMANDER, &told), ["→ 1 todo \"told\""]);
    bench.switch.refused(KERNEL, &codec::envelope(&told));
    assert!(bench.outputs().is_empty());
}

#[test]
fn the_same_uuid_cannot_be_asked_twice() {
    let mut bench = bench();
    let asked = question(Role::Commander, Role::Kernel, 1000);
    bench.send(COMMANDER, &asked);
    let outputs = bench.send(COMMANDER, &asked);
    assert!(outputs[0].starts_with("→ 0 failed protocol"), "{outputs:?}");
    assert_eq!(bench.switch.open_questions(), 1);
}

#[test]
fn the_end_fails_everything() {
    let mut bench = bench();
    bench.client(&question(Role::Client, Role::Kernel, 1000));
    bench.client(&question(Role::Client, late(), 1000));
    bench.switch.end();
    let outputs = bench.outputs();
    assert_eq!(
        outputs,
        ["→ client failed cancelled: nipartd is shutting down"; 2]
    );
}

#[test]
fn every_question_is_closed_exactly_once_whatever_happens() {
    // A small generator, so that a failure can be repeated: its seed is the test's.
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut bench = bench();
    let mut asked: Vec<NipartEvent> = Vec::new();
    let mut answers: HashMap<Uuid, u32> = HashMap::new();
    for _ in 0..20_000 {
        match next(8) {
            0..=2 => {
                let receiver = if next(2) == 0 { Role::Kernel } else { late() };
                let event = question(Role::Client, receiver, 1 + next(500));
                let passing = Passing::of(&event).unwrap();
                bench.switch.client_asked(bench.now, passing);
                asked.push(event);
            }
            3 | 4 if !asked.is_empty() => {
                let place = usize::try_from(next(asked.len() as u64)).unwrap();
                let event = &asked[place];
                let plugin = if event.receiver == Role::Kernel {
                    KERNEL
                } else {
                    LATE
                };
                let passing = Passing::of(&event.answer(custom("!"))).unwrap();
                bench.switch.plugin_sent(bench.now, plugin, passing);
            }
            5 => bench.switch.up(LATE, Some(1)),
            6 => {
                let presence = match next(2) {
                    0 => Presence::Coming,
                    _ => Presence::Away("away".to_string()),
                };
                bench.switch.lost(LATE, presence, "lost");
            }
            _ => {
                bench.now += Duration::from_millis(next(50));
                bench.switch.expire(bench.now);
            }
        }
        for output in bench.switch.outputs() {
            if let Output::Client { question, .. } = output {
                *answers.entry(question).or_default() += 1;
            }
        }
    }
    bench.switch.end();
    for output in bench.switch.outputs() {
        if let Output::Client { question, .. } = output {
            *answers.entry(question).or_default() += 1;
        }
    }
    assert_eq!(bench.switch.open_questions(), 0);
    assert!(asked.len() > 1000);
    for event in &asked {
        assert_eq!(answers.get(&event.uuid), Some(&1));
    }
}
