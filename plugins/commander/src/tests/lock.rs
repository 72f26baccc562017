// SPDX-License-Identifier: Apache-2.0

//! Locks: who waits for whom, also when requests are given up.

use std::collections::BTreeSet;
use std::time::Duration;

use nipart_schemas::error::ErrorKind;
use nipart_schemas::yaml;
use tokio::task::JoinHandle;

use crate::lock::{LockGuard, LockSet, Locks, cover, set_for};

const LONG: Duration = Duration::from_secs(60);

fn names(names: &[&str]) -> LockSet {
    LockSet::Names(names.iter().map(ToString::to_string).collect())
}

async fn take(locks: &Locks, set: LockSet) -> LockGuard {
    locks.acquire(set, "a test", LONG).await.unwrap()
}

/// Asks in a task of its own, and returns once the request stands in the queue.
async fn ask(locks: &Locks, set: LockSet) -> JoinHandle<LockGuard> {
    let locks = locks.clone();
    let task = tokio::spawn(async move { take(&locks, set).await });
    settle().await;
    task
}

/// Lets every task run until it waits.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn disjoint_changes_run_side_by_side() {
    let locks = Locks::default();
    let _eth0 = take(&locks, names(&["eth0", "br0"])).await;
    let other = ask(&locks, names(&["eth1"])).await;
    assert!(other.is_finished());
}

#[tokio::test]
async fn overlapping_changes_run_one_after_the_other() {
    let locks = Locks::default();
    let first = take(&locks, names(&["eth0", "br0"])).await;
    let second = ask(&locks, names(&["br0", "eth1"])).await;
    assert!(!second.is_finished());
    drop(first);
    settle().await;
    assert!(second.is_finished());
}

#[tokio::test]
async fn who_asked_first_is_first() {
    let locks = Locks::default();
    let first = take(&locks, names(&["eth0"])).await;
    let second = ask(&locks, names(&["eth0", "eth1"])).await;
    // What it wants is free, but the second asked for it before.
    let third = ask(&locks, names(&["eth1"])).await;
    assert!(!second.is_finished() && !third.is_finished());
    drop(first);
    settle().await;
    assert!(second.is_finished() && !third.is_finished());
    drop(second.await.unwrap());
    settle().await;
    assert!(third.is_finished());
}

#[tokio::test]
async fn everything_waits_for_all_and_all_wait_for_it() {
    let locks = Locks::default();
    let first = take(&locks, names(&["eth0"])).await;
    let everything = ask(&locks, LockSet::All).await;
    let later = ask(&locks, names(&["eth1"])).await;
    assert!(!everything.is_finished() && !later.is_finished());
    drop(first);
    settle().await;
    assert!(everything.is_finished() && !later.is_finished());
    drop(everything.await.unwrap());
    settle().await;
    assert!(later.is_finished());
}

#[tokio::test]
async fn all_that_became_free_start_together() {
    let locks = Locks::default();
    let everything = take(&locks, LockSet::All).await;
    let waiting = [
        ask(&locks, names(&["eth0"])).await,
        ask(&locks, names(&["eth1"])).await,
        ask(&locks, names(&["eth0", "eth2"])).await,
    ];
    drop(everything);
    settle().await;
    assert_eq!(
        waiting.each_ref().map(JoinHandle::is_finished),
        [true, true, false]
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_lets_the_next_one_pass() {
    let locks = Locks::default();
    let _first = take(&locks, names(&["eth0"])).await;
    let second = ask(&locks, names(&["eth0", "eth1"])).await;
    let third = ask(&locks, names(&["eth1"])).await;
    assert!(!third.is_finished());
    second.abort();
    settle().await;
    assert!(third.is_finished());
}

#[tokio::test]
async fn a_request_that_is_given_up_when_granted_gives_back_what_it_got() {
    let locks = Locks::default();
    let first = take(&locks, names(&["eth0"])).await;
    let second = ask(&locks, names(&["eth0"])).await;
    // Granted and aborted before its task runs again.
    drop(first);
    second.abort();
    settle().await;
    assert!(ask(&locks, LockSet::All).await.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_who_holds_it_and_leaves_the_queue() {
    let locks = Locks::default();
    let first = locks
        .acquire(names(&["eth0"]), "the apply of client 7", LONG)
        .await
        .unwrap();
    let refused = locks
        .acquire(names(&["eth0", "eth1"]), "another", Duration::from_secs(3))
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
    assert!(error.message.contains("the apply of client 7"), "{error}");
    // Its request is gone: nobody waits for it.
    assert!(ask(&locks, names(&["eth1"])).await.is_finished());
    drop(first);
    assert!(ask(&locks, names(&["eth0"])).await.is_finished());
}

#[tokio::test]
async fn a_thousand_changes_of_one_link_keep_their_order() {
    let locks = Locks::default();
    let done = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let first = take(&locks, names(&["eth0"])).await;
    let tasks: Vec<_> = (0..1000)
        .map(|number| {
            let (locks, done) = (locks.clone(), done.clone());
            tokio::spawn(async move {
                let _guard = take(&locks, names(&["eth0"])).await;
                tokio::task::yield_now().await;
                done.lock().unwrap().push(number);
            })
        })
        .collect();
    settle().await;
    drop(first);
    for task in tasks {
        task.await.unwrap();
    }
    let done = done.lock().unwrap();
    assert!(done.iter().copied().eq(0..1000));
}

#[test]
fn a_change_locks_every_interface_that_it_names() {
    let state = yaml::parse(
        "
interfaces:
- {name: br0, bridge: {port: [{name: eth0}]}}
- {name: va, veth: {peer: vb}}
- {name: mv0, mac-vlan: {base-iface: eth1}}
- {name: eth2, controller: br1}
routes:
  config:
  - {destination: 192.0.2.0/24, next-hop-interface: eth3}
  - {state: absent, next-hop-interface: eth4}
",
    )
    .unwrap();
    let expected = [
        "br0", "br1", "eth0", "eth1", "eth2", "eth3", "eth4", "mv0", "va", "vb",
    ];
    let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(set_for(&state), LockSet::Names(expected));
}

#[tokio::test]
async fn what_is_held_is_not_asked_for_again() {
    let locks = Locks::default();
    let mut held = [take(&locks, names(&["eth0", "br0"])).await];
    let waiting = ask(&locks, names(&["br0"])).await;
    assert!(cover(&mut held, &names(&["br0"])).await.unwrap());
    settle().await;
    assert!(!waiting.is_finished());
}

/// Each lacks what the other has: one gives way.
#[tokio::test]
async fn who_needs_more_waits_for_it_with_empty_hands() {
    let locks = Locks::default();
    let mut first = [take(&locks, names(&["eth0"])).await];
    let mut second = [take(&locks, names(&["eth1"])).await];
    let more = names(&["eth1"]);
    let task = tokio::spawn(async move { cover(&mut first, &more).await.unwrap() });
    settle().await;
    assert!(!task.is_finished());
    let more = names(&["eth0"]);
    assert!(!cover(&mut second, &more).await.unwrap());
    assert!(!task.await.unwrap());
}

#[tokio::test]
async fn a_lock_that_was_given_back_is_asked_for_again() {
    let locks = Locks::default();
    let mut held = [take(&locks, names(&["eth0"])).await];
    let other = take(&locks, names(&["eth1"])).await;
    let more = names(&["eth1"]);
    let interrupted = tokio::time::timeout(Duration::ZERO, cover(&mut held, &more));
    assert!(interrupted.await.is_err());
    drop(other);
    assert!(!cover(&mut held, &names(&["eth0"])).await.unwrap());
    assert!(cover(&mut held, &names(&["eth0", "eth1"])).await.unwrap());
}

#[test]
fn routes_of_any_interface_lock_everything() {
    let state = yaml::parse("routes: {config: [{state: absent, destination: 192.0.2.0/24}]}");
    assert_eq!(set_for(&state.unwrap()), LockSet::All);
}

#[tokio::test]
async fn who_goes_on_with_work_comes_before_those_who_wait() {
    let locks = Locks::default();
    let first = take(&locks, names(&["eth0"])).await;
    let waiting = ask(&locks, names(&["eth0", "eth1"])).await;
    let second = locks.hold(names(&["eth0"]), "who goes on");
    drop(first);
    settle().await;
    assert!(!waiting.is_finished());
    let refused = locks.acquire(names(&["eth0"]), "a test", Duration::ZERO);
    assert_eq!(refused.await.unwrap_err().kind, ErrorKind::Busy);
    drop(second);
    settle().await;
    assert!(waiting.is_finished());
}
