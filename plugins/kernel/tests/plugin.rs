// SPDX-License-Identifier: Apache-2.0

//! The plugin: questions and answers.

#[path = "support/tools.rs"]
mod tools;

use std::time::Duration;

use nipart_plugin_sdk::testing;
use nipart_schemas::error::ErrorKind;
use nipart_schemas::event::{EventData, Role};
use nipart_schemas::interface::InterfaceType;
use nipart_schemas::operation::{Operation, Plan};
use tools::*;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn plans_and_queries_are_served_side_by_side() {
    run(|| {
        block_on(async {
            let (plugin, mut daemon) = testing::pair(vec![Role::Kernel]).unwrap();
            let running = tokio::spawn(nipart_kernel::run(plugin));
            let bridges = |one: fn(&str) -> Operation| -> EventData {
                let wave = (0..20).map(|number| one(&format!("br{number}"))).collect();
                EventData::Execute(Box::new(Plan { waves: vec![wave] }))
            };
            let creation = bridges(|name| create(interface(name, InterfaceType::LinuxBridge)));
            let asked = daemon
                .ask(Role::Commander, Role::Kernel, creation, LIMIT)
                .await
                .unwrap();
            let answer = daemon.answer_to(&asked, LIMIT).await.unwrap();
            let EventData::Executed(report) = answer.data else {
                panic!("{:?}", answer.data);
            };
            assert_eq!((report.succeeded, report.failures.len()), (20, 0));

            // All three at once.
            let deletion = bridges(delete);
            let deletion = daemon
                .ask(Role::Commander, Role::Kernel, deletion, LIMIT)
                .await
                .unwrap();
            let query = EventData::Query(only(&["lo"]));
            let query = daemon
                .ask(Role::Commander, Role::Kernel, query, LIMIT)
                .await
                .unwrap();
            let refused = daemon
                .ask(Role::Commander, Role::Kernel, EventData::QueryLeases, LIMIT)
                .await
                .unwrap();
            let mut answered = Vec::new();
            while answered.len() < 3 {
                let event = daemon.next(LIMIT).await.unwrap().unwrap();
                match &event.data {
                    EventData::State(state) => {
                        assert_eq!(state.read().unwrap().interfaces.len(), 1)
                    }
                    EventData::Executed(report) => assert_eq!(report.succeeded, 20),
                    EventData::Error(error) => assert_eq!(error.kind, ErrorKind::NotSupported),
                    other => panic!("{other:?}"),
                }
                answered.push(event.ref_uuid.unwrap());
            }
            answered.sort_unstable();
            assert_eq!(answered, [deletion, query, refused]);
            drop(daemon);
            tokio::time::timeout(LIMIT, running)
                .await
                .unwrap()
                .unwrap()
                .unwrap();
        });
    });
}
