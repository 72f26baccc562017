// SPDX-License-Identifier: Apache-2.0

//! The monitor on real links.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "support functions of tests"
)]

use std::time::{Duration, Instant};

use nipart_monitor::{Monitor, News};
use nipart_plugin_sdk::testing;
use nipart_schemas::event::{EventData, EventState, Role};
use nipart_schemas::monitor::LinkCondition::{Absent, Down, Present, Up};
use nipart_schemas::monitor::{LinkCondition, MonitorRule};
use nipart_tests::namespace::{ip, run};
use tokio::time::timeout;

/// Longest time for anything that is expected.
const LIMIT: Duration = Duration::from_secs(10);
/// Time in which nothing is expected: more than what the rules hold back.
const SILENCE: Duration = Duration::from_millis(150);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

fn lines(lines: &str) {
    for line in lines.split(';') {
        ip(&line.split_whitespace().collect::<Vec<_>>());
    }
}

fn rule(interface: &str) -> MonitorRule {
    MonitorRule {
        interface: interface.to_string(),
        interested: vec![Present, Absent, Up, Down],
        known: None,
        followup: Role::Commander,
    }
}

type Told = Vec<(String, LinkCondition)>;

fn short(tellings: Vec<nipart_monitor::Telling>) -> Told {
    let changes = tellings.into_iter().map(|telling| telling.change);
    changes
        .map(|change| (change.interface, change.condition))
        .collect()
}

/// Conditions that were told; nobody asked for changes.
fn links(news: Vec<News>) -> Vec<nipart_monitor::Telling> {
    let telling = |news| match news {
        News::Link(telling) => telling,
        News::Changed { .. } => panic!("{news:?} although nobody asked"),
    };
    news.into_iter().map(telling).collect()
}

fn expected(list: &[(&str, LinkCondition)]) -> Told {
    list.iter()
        .map(|(name, condition)| (name.to_string(), *condition))
        .collect()
}

/// Waits until so many changes are told.
async fn told(monitor: &mut Monitor, count: usize) -> Told {
    let mut all = Vec::new();
    while all.len() < count {
        let next = timeout(LIMIT, monitor.next()).await;
        let next = next.unwrap_or_else(|_| panic!("only {all:?} was told"));
        all.extend(short(links(next.expect("a socket"))));
    }
    all
}

async fn silent(monitor: &mut Monitor) {
    if let Ok(told) = timeout(SILENCE, monitor.next()).await {
        panic!("nobody should be told {told:?}");
    }
}

#[test]
fn carrier_comes_and_goes_with_the_other_end() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link set v0 up");
            let mut monitor = Monitor::open().unwrap();
            let at_once = monitor.set_rules(vec![rule("v0")]).await.unwrap();
            assert_eq!(short(at_once), expected(&[("v0", Present), ("v0", Down)]));
            silent(&mut monitor).await;
            for _ in 0..3 {
                lines("link set p0 up");
                assert_eq!(told(&mut monitor, 1).await, expected(&[("v0", Up)]));
                silent(&mut monitor).await;
                lines("link set p0 down");
                assert_eq!(told(&mut monitor, 1).await, expected(&[("v0", Down)]));
                silent(&mut monitor).await;
            }
        });
    });
}

#[test]
fn flapping_ends_in_what_is_true() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link set v0 up; link set p0 up");
            let mut monitor = Monitor::open().unwrap();
            monitor.set_rules(vec![rule("v0")]).await.unwrap();
            // A runner of commands on a thread, so that the monitor sees each of them.
            let flapping = std::thread::spawn(|| {
                for _ in 0..100 {
                    lines("link set p0 down; link set p0 up");
                }
            });
            let started = Instant::now();
            let mut all = Vec::new();
            while !flapping.is_finished() {
                if let Ok(next) = timeout(Duration::from_millis(20), monitor.next()).await {
                    all.extend(short(links(next.unwrap())));
                }
            }
            flapping.join().unwrap();
            while let Ok(next) = timeout(SILENCE, monitor.next()).await {
                all.extend(short(links(next.unwrap())));
            }
            let most = 2 * (started.elapsed().as_millis() / 50 + 1);
            println!("{} of 200 changes were told, at most {most}", all.len());
            assert!(all.len() as u128 <= most);
            assert_eq!(all.last(), Some(&("v0".to_string(), Up)));
        });
    });
}

#[test]
fn link_that_appears_later_is_served_at_once() {
    run(|| {
        block_on(async {
            let mut monitor = Monitor::open().unwrap();
            let at_once = monitor.set_rules(vec![rule("v0")]).await.unwrap();
            assert_eq!(short(at_once), expected(&[("v0", Absent)]));
            let started = Instant::now();
            lines("link add v0 up type veth peer name p0; link set p0 up");
            let all = told(&mut monitor, 3).await;
            println!("all told after {:?}", started.elapsed());
            assert_eq!(all, expected(&[("v0", Present), ("v0", Down), ("v0", Up)]));
            lines("link del v0");
            let mut all = told(&mut monitor, 1).await;
            // It may have been seen going down first.
            if all == expected(&[("v0", Down)]) {
                all = told(&mut monitor, 1).await;
            }
            assert_eq!(all.last(), expected(&[("v0", Absent)]).last());
            silent(&mut monitor).await;
        });
    });
}

#[test]
fn rename_is_absent_and_present() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link property add dev v0 altname other");
            let mut monitor = Monitor::open().unwrap();
            let rules = vec![rule("lan0"), rule("other"), rule("v0")];
            let at_once = monitor.set_rules(rules).await.unwrap();
            assert_eq!(
                short(at_once),
                expected(&[
                    ("lan0", Absent),
                    ("other", Absent),
                    ("v0", Present),
                    ("v0", Down)
                ])
            );
            lines("link set v0 name lan0");
            assert_eq!(
                told(&mut monitor, 3).await,
                expected(&[("v0", Absent), ("lan0", Present), ("lan0", Down)])
            );
            silent(&mut monitor).await;
        });
    });
}

#[test]
fn ports_of_bridges_are_not_links_that_go() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link add br0 type bridge");
            let mut monitor = Monitor::open().unwrap();
            monitor.set_rules(vec![rule("v0")]).await.unwrap();
            lines("link set v0 master br0; link set v0 nomaster");
            silent(&mut monitor).await;
        });
    });
}

#[test]
fn nothing_is_missed_when_announcements_are_lost() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link add v1 type veth peer name p1");
            lines("link set v0 up; link set v1 up");
            let mut monitor = Monitor::open_with(1).unwrap();
            let rules: Vec<MonitorRule> = ["v0", "v1", "v2", "v3"].map(rule).into();
            monitor.set_rules(rules).await.unwrap();
            // Nobody reads meanwhile, and far more is announced than the buffer holds.
            lines("link set p0 up; link del v1; link add v2 type veth peer name p2");
            let batch: String = (0..1500)
                .map(|number| format!("link set p0 mtu {}\n", 1000 + number % 400))
                .collect();
            let file = std::env::temp_dir().join(format!("monitor-{}", std::process::id()));
            std::fs::write(&file, batch).unwrap();
            ip(&["-batch", file.to_str().unwrap()]);
            std::fs::remove_file(&file).unwrap();
            lines("link add v3 type veth peer name p3; link set v3 up");
            let mut all = told(&mut monitor, 6).await;
            all.sort_by(|one, other| one.0.cmp(&other.0));
            assert_eq!(
                all,
                expected(&[
                    ("v0", Up),
                    ("v1", Absent),
                    ("v2", Present),
                    ("v2", Down),
                    ("v3", Present),
                    ("v3", Down)
                ])
            );
            silent(&mut monitor).await;
            // And it goes on listening.
            lines("link set p3 up");
            assert_eq!(told(&mut monitor, 1).await, expected(&[("v3", Up)]));
        });
    });
}

#[test]
fn many_rules_are_looked_up_in_one_dump() {
    run(|| {
        block_on(async {
            lines("link add v7 type veth peer name p7");
            let mut monitor = Monitor::open().unwrap();
            let rules = (0..100).map(|number| rule(&format!("v{number}"))).collect();
            let at_once = short(monitor.set_rules(rules).await.unwrap());
            assert_eq!(at_once.len(), 101);
            assert!(at_once.contains(&("v7".to_string(), Down)));
            // Without rules there is nothing to follow.
            assert_eq!(monitor.set_rules(Vec::new()).await.unwrap(), []);
            lines("link del v7");
            silent(&mut monitor).await;
            let at_once = monitor.set_rules(vec![rule("v7")]).await.unwrap();
            assert_eq!(short(at_once), expected(&[("v7", Absent)]));
        });
    });
}

#[test]
fn the_plugin_answers_and_tells() {
    run(|| {
        block_on(async {
            lines("link add v0 type veth peer name p0; link set v0 up");
            let (plugin, mut daemon) = testing::pair(vec![Role::Monitor]).unwrap();
            let running = tokio::spawn(nipart_monitor::run(plugin));
            let mut wanted = rule("v0");
            wanted.followup = Role::Dhcp;
            wanted.interested = vec![Up];
            let data = EventData::SetMonitorRules(vec![wanted]);
            let question = daemon
                .ask(Role::Commander, Role::Monitor, data, LIMIT)
                .await
                .unwrap();
            let answer = daemon.answer_to(&question, LIMIT).await.unwrap();
            assert_eq!(answer.state, EventState::Done);
            lines("link set p0 up");
            let event = daemon.next(LIMIT).await.unwrap().unwrap();
            assert_eq!((event.sender, event.receiver), (Role::Monitor, Role::Dhcp));
            let EventData::LinkChanged(change) = event.data else {
                panic!("{:?}", event.data);
            };
            assert_eq!((change.interface.as_str(), change.condition), ("v0", Up));
            let question = daemon
                .ask(
                    Role::Commander,
                    Role::Monitor,
                    EventData::QueryLeases,
                    LIMIT,
                )
                .await
                .unwrap();
            let answer = daemon.answer_to(&question, LIMIT).await.unwrap();
            assert_eq!(answer.state, EventState::Failed);
            drop(daemon);
            timeout(LIMIT, running).await.unwrap().unwrap().unwrap();
        });
    });
}

/// What the thread of the monitor has used of a processor.
fn used() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split_whitespace()
        .next()
        .and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

#[test]
fn links_that_nobody_waits_for_are_passed_over() {
    run(|| {
        block_on(async {
            let mut monitor = Monitor::open().unwrap();
            monitor.set_rules(vec![rule("v499")]).await.unwrap();
            let batch: String = (0..1000)
                .map(|number| format!("link add v{number} up type veth peer name p{number}\n"))
                .collect();
            let file = std::env::temp_dir().join(format!("links-{}", std::process::id()));
            std::fs::write(&file, batch).unwrap();
            let path = file.clone();
            let before = used();
            let started = Instant::now();
            let creating = std::thread::spawn(move || ip(&["-batch", path.to_str().unwrap()]));
            let all = told(&mut monitor, 2).await;
            assert_eq!(all, expected(&[("v499", Present), ("v499", Down)]));
            while !creating.is_finished() {
                let _ = timeout(Duration::from_millis(20), monitor.next()).await;
            }
            creating.join().unwrap();
            std::fs::remove_file(&file).unwrap();
            println!(
                "{:?} of {:?} for 2000 links",
                used() - before,
                started.elapsed()
            );
        });
    });
}

/// The next telling of changes.
async fn changed(monitor: &mut Monitor) -> Vec<String> {
    loop {
        let news = timeout(LIMIT, monitor.next())
            .await
            .expect("in time")
            .expect("a socket");
        let found = news.into_iter().find_map(|news| match news {
            News::Changed { names, .. } => Some(names),
            News::Link(_) => None,
        });
        if let Some(names) = found {
            return names;
        }
    }
}

#[test]
fn changes_of_links_addresses_and_our_routes_are_told() {
    run(|| {
        // Without an IPv6 address of its own, which would be news too once it is known to be unique.
        lines(
            "link add va type veth peer name vb;link set va addrgenmode none;link set vb addrgenmode none",
        );
        lines("link set va up;link set vb up;link add vc type bridge");
        lines("address add 192.0.2.1/24 dev va");
        block_on(async {
            let mut monitor = Monitor::open().unwrap();
            let guarded = |name: &str| MonitorRule {
                interested: vec![LinkCondition::Changed, LinkCondition::Rerouted],
                ..rule(name)
            };
            monitor
                .set_rules(vec![guarded("va"), guarded("vc")])
                .await
                .unwrap();
            lines("address add 192.0.2.2/24 dev va");
            assert_eq!(changed(&mut monitor).await, ["va"]);
            lines("link set vc mtu 1400;link set vb mtu 1400;address delete 192.0.2.2/24 dev va");
            assert_eq!(changed(&mut monitor).await, ["va", "vc"]);
            // Routes of others are not ours; one with our mark that goes is.
            lines(
                "route add 198.51.100.0/24 via 192.0.2.9 proto 110;route add 198.51.101.0/24 via 192.0.2.9 proto 42",
            );
            lines("route delete 198.51.101.0/24;link set vc mtu 1500");
            assert_eq!(changed(&mut monitor).await, ["vc"]);
            lines("route delete 198.51.100.0/24");
            assert_eq!(changed(&mut monitor).await, ["va"]);
        });
    });
}
