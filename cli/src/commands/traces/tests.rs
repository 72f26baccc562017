// SPDX-License-Identifier: Apache-2.0

use super::*;

fn event(uuid: &str, question: &str, state: &str, way: &str, kind: &str, at_us: u64) -> TraceEvent {
    let (sender, receiver) = way.split_once('>').unwrap();
    TraceEvent {
        uuid: uuid.into(),
        ref_uuid: (!question.is_empty()).then(|| question.into()),
        chain: "a".into(),
        kind: kind.into(),
        state: state.into(),
        sender: sender.into(),
        receiver: receiver.into(),
        bytes: 100,
        at_us,
    }
}

#[test]
fn a_chain_is_a_tree() {
    let events = [
        event("a", "", "todo", "client>commander", "apply", 1000),
        event("b", "a", "todo", "commander>kernel", "query", 1100),
        event("c", "b", "done", "kernel>commander", "state", 2100),
        event("d", "a", "ongoing", "commander>client", "progress", 2200),
        event("e", "a", "todo", "commander>dhcp", "stop-dhcp", 2300),
        event("f", "e", "todo", "dhcp>commander", "lease-changed", 2400),
        event("g", "a", "failed", "commander>client", "error", 3000),
        event("z", "forgotten", "done", "x>y", "done", 3100),
    ];
    let expected = "\
a 1970-01-01T00:00:00Z
client → commander apply                failed   100 B → 100 B  +0.000 ms  2.000 ms
├─ commander → kernel query             done     100 B → 100 B  +0.100 ms  1.000 ms
├─ commander → client progress          ongoing  100 B          +1.200 ms
└─ commander → dhcp stop-dhcp           -        100 B          +1.300 ms
   └─ dhcp → commander lease-changed    -        100 B          +1.400 ms
x → y done                              done     100 B          +2.100 ms
";
    let text = anstream::adapter::strip_str(&tree(&events)).to_string();
    let squeeze = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| {
                line.split("  ")
                    .map(str::trim)
                    .filter(|cell| !cell.is_empty())
                    .collect::<Vec<_>>()
                    .join("|")
            })
            .collect()
    };
    assert_eq!(squeeze(&text), squeeze(expected));
    assert_eq!(tree(&[]), "");
}
