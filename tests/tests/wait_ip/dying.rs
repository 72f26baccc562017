// SPDX-License-Identifier: Apache-2.0

//! Who dies while an apply waits for addresses.

use nipart_tests::eyes;
use nipart_tests::namespace::run;
use nipart_tests::process::eventually;
use nipart_tests::system::System;

use crate::{
    LEASED, SOON, WAITS, answer, begin, is_waiting, nothing_is_open, serve, waiting, wired,
};

#[test]
fn a_client_that_goes_takes_it_back() {
    run(|| {
        let _peer = wired();
        let system = System::start();
        let before = eyes::settled();
        let mut apply = begin(&system, WAITS, &[]);
        is_waiting(&system);
        apply.kill().expect("it runs");
        apply.wait().expect("it ends");
        eventually("it is taken back", SOON, || {
            waiting(&system).is_empty().then_some(())
        });
        eyes::assert_same(&before, &eyes::settled(), "after");
        nothing_is_open(&system);
        assert_eq!(system.ctl(&["status"]).ok().code, 0);
    });
}

#[test]
fn without_the_commander_it_is_an_unconfirmed_change() {
    run(|| {
        let peer = wired();
        let system = System::start();
        let before = eyes::settled();
        let apply = begin(&system, WAITS, &[]);
        let id = is_waiting(&system);
        system.kill_plugin("commander");
        let failed = answer(apply);
        assert_eq!(failed.code, 10, "{}", failed.err);
        assert_eq!(is_waiting(&system), id);
        // The address comes, and doesn't make up for the one who waited.
        let _server = serve(&peer);
        eventually("the lease", SOON, || {
            (eyes::addresses("eth1") == [LEASED]).then_some(())
        });
        assert_eq!(waiting(&system), std::slice::from_ref(&id));
        assert!(!system.saved().contains("eth1"));
        system.ctl(&["rollback", &id]).ok();
        eyes::assert_same(&before, &eyes::settled(), "after");
        nothing_is_open(&system);
    });
}

#[test]
fn without_the_daemon_it_is_an_unconfirmed_change() {
    run(|| {
        let _peer = wired();
        let mut system = System::start();
        let before = eyes::settled();
        let apply = begin(&system, WAITS, &[]);
        let id = is_waiting(&system);
        system.kill_daemon();
        assert_ne!(answer(apply).code, 0);
        system.start_daemon();
        assert_eq!(is_waiting(&system), id);
        system.ctl(&["rollback", &id]).ok();
        eyes::assert_same(&before, &eyes::settled(), "after");
        nothing_is_open(&system);
    });
}

#[test]
fn other_plugins_come_back_and_it_goes_on() {
    run(|| {
        let peer = wired();
        let system = System::start();
        let apply = begin(&system, WAITS, &[]);
        let id = is_waiting(&system);
        for plugin in ["kernel", "monitor", "config", "state", "dhcp"] {
            system.kill_plugin(plugin);
            eventually(&format!("{plugin} is back"), SOON, || {
                (system.plugin(plugin)["state"] == "running").then_some(())
            });
            assert_eq!(is_waiting(&system), id, "after {plugin}");
        }
        let _server = serve(&peer);
        answer(apply).ok();
        assert_eq!(eyes::addresses("eth1"), [LEASED]);
        nothing_is_open(&system);
    });
}
