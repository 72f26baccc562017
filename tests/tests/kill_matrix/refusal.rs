// SPDX-License-Identifier: Apache-2.0

//! The kernel refuses each of 30 operations in turn, because somebody else was quicker: the plan is made, and before
//! it is executed a second process takes the name of a link, removes a link, or the address that leads to a gateway.

use nipart_tests::check::operations_of_plan;
use nipart_tests::namespace::{ip, run};
use nipart_tests::relay::When;
use nipart_tests::system::System;

use crate::world::World;

/// Ten of each kind of operation.
const TEN: usize = 10;

fn states() -> [String; 2] {
    let mut old = "interfaces:\n".to_string();
    let mut new = "interfaces:\n".to_string();
    let mut routes = "routes:\n  config:\n".to_string();
    for number in 0..TEN {
        let bridge = format!("type: linux-bridge, mac-address: '02:00:00:00:01:{number:02x}'");
        let address = |third: u8| format!("{{ip: 10.{number}.{third}.1, prefix-length: 24}}");
        old.push_str(&format!(
            "- {{name: s{number}, {bridge}, ipv4: {{address: [{}]}}}}\n- {{name: n{number}, state: absent}}\n",
            address(0)
        ));
        new.push_str(&format!(
            "- {{name: s{number}, ipv4: {{address: [{}, {}]}}}}\n- {{name: n{number}, type: linux-bridge, mac-address: '02:00:00:00:02:{number:02x}'}}\n",
            address(0),
            address(1)
        ));
        routes.push_str(&format!(
            "  - {{destination: 172.16.{number}.0/24, next-hop-interface: s{number}, next-hop-address: 10.{number}.0.9}}\n"
        ));
    }
    let gone: Vec<String> = routes
        .lines()
        .map(|line| line.replace('}', ", state: absent}"))
        .collect();
    [
        format!("{old}{}\n", gone.join("\n")),
        format!("{new}{routes}"),
    ]
}

/// What makes an operation fail, and what puts it right again if need be.
fn obstacle(operation: &str) -> (String, Vec<String>, Option<Vec<String>>) {
    let words: Vec<&str> = operation.split(' ').collect();
    let after = |word: &str| {
        let position = words
            .iter()
            .position(|known| *known == word)
            .expect(operation);
        words[position + 1].to_string()
    };
    let command = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    match words[..] {
        ["create", _, name] => (
            name.to_string(),
            command(&["link", "add", name, "type", "bridge"]),
            Some(command(&["link", "delete", name])),
        ),
        ["add", "address", ..] => {
            let name = after("to");
            let obstacle = command(&["link", "delete", &name]);
            (name, obstacle, None)
        }
        ["add", "route", ..] => {
            let name = after("dev");
            let number = name.trim_start_matches('s');
            let address = format!("10.{number}.0.1/24");
            let obstacle = command(&["address", "delete", &address, "dev", &name]);
            (name, obstacle, None)
        }
        _ => panic!("an operation that nobody expected: {operation}"),
    }
}

#[test]
fn every_operation() {
    run(|| {
        let world = World::with(System::prepare(), states());
        world.back_to_old();
        let operations = operations_of_plan(&world.system, world.wanted());
        assert_eq!(operations.len(), 3 * TEN, "{operations:#?}");
        let execute = world.hop("commander → kernel execute todo");
        let mut failures = Vec::new();
        for operation in &operations {
            world.back_to_old();
            let (object, obstacle, remedy) = obstacle(operation);
            world
                .relay
                .arm(execute, When::Before, move || drop(ip(&obstacle)));
            let answer = world.change();
            let (_, was_done) = world.relay.disarm();
            assert!(was_done, "{operation}");
            if let Some(remedy) = remedy {
                // What somebody else has made is not ours to take away.
                ip(&remedy);
            }
            let verdict = world.judge(&answer).and_then(|is_new| {
                let said = &answer.as_ref().map_err(Clone::clone)?.err;
                let blamed = operations.iter().any(|operation| {
                    operation.ends_with(&object) && said.contains(operation.as_str())
                });
                match (is_new, blamed) {
                    (false, true) => Ok(()),
                    (true, _) => Err("it was done".to_string()),
                    (false, false) => Err("neither operation nor object is named".to_string()),
                }
            });
            if let Err(problem) = verdict {
                failures.push(format!("{operation}: {problem}\n{answer:?}"));
            }
        }
        println!(
            "refused operations: {} cases, {} failures",
            operations.len(),
            failures.len()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}
