// SPDX-License-Identifier: Apache-2.0

//! Somebody changes a saved interface by hand: that is reported, restored or adopted, as the interface says.

use std::time::Duration;

use nipart_tests::eyes;
use nipart_tests::namespace::{ip, run};
use nipart_tests::process::eventually;
use nipart_tests::system::System;

const LIMIT: Duration = Duration::from_secs(15);

fn state(policy: &str) -> String {
    format!(
        "interfaces:\n- name: v1\n  type: veth\n  drift: {policy}\n  veth:\n    peer: v2\n  mtu: 1400\n  ipv4:\n    enabled: true\n    \
         address:\n    - ip: 192.0.2.1\n      prefix-length: 24\nroutes:\n  config:\n  - destination: 198.51.100.0/24\n    \
         next-hop-interface: v1\n"
    )
}

/// Changes the MTU right after a change of our own.
fn interfere() {
    ip(&["link", "set", "v1", "mtu", "1300"]);
}

#[test]
fn drift_is_reported() {
    run(|| {
        let system = System::start();
        let _ = system.apply(&state("report")).ok();
        let clean = system.ctl(&["status"]);
        assert_eq!(clean.code, 0, "{}{}", clean.out, clean.err);
        interfere();
        eventually("it is told", LIMIT, || {
            let log = system.log();
            log.contains("v1 is no longer as saved").then_some(())
        });
        ip(&["address", "delete", "192.0.2.1/24", "dev", "v1"]);
        let status = system.ctl(&["status"]);
        assert_eq!(status.code, 1, "{}", status.out);
        assert!(status.out.contains("drifted"), "{}", status.out);
        assert!(
            status.out.contains("add address 192.0.2.1/24 to v1"),
            "{}",
            status.out
        );
        // Nothing is done about it.
        assert!(eyes::addresses("v1").is_empty());
    });
}

#[test]
fn drift_is_restored() {
    run(|| {
        let system = System::start();
        let _ = system.apply(&state("restore")).ok();
        interfere();
        eventually("the MTU is back", LIMIT, || {
            (eyes::link("v1")["mtu"] == 1400).then_some(())
        });
        ip(&["address", "delete", "192.0.2.1/24", "dev", "v1"]);
        eventually("the address is back", LIMIT, || {
            (eyes::addresses("v1") == ["192.0.2.1/24"]).then_some(())
        });
        ip(&["route", "delete", "198.51.100.0/24"]);
        eventually("the route is back", LIMIT, || {
            (eyes::routes() == ["198.51.100.0/24 dev v1"]).then_some(())
        });
        assert_eq!(system.ctl(&["status"]).code, 0);
    });
}

#[test]
fn drift_is_adopted() {
    run(|| {
        let system = System::start();
        let _ = system.apply(&state("adopt")).ok();
        interfere();
        ip(&["address", "delete", "192.0.2.1/24", "dev", "v1"]);
        ip(&["address", "add", "192.0.2.7/24", "dev", "v1"]);
        eventually("what is there is saved", LIMIT, || {
            let saved = system.ctl(&["show", "--saved", "v1"]).ok().out;
            (saved.contains("192.0.2.7") && !saved.contains("192.0.2.1")).then_some(())
        });
        eventually("everything is as saved", LIMIT, || {
            (system.ctl(&["status"]).code == 0).then_some(())
        });
        assert_eq!(eyes::addresses("v1"), ["192.0.2.7/24"]);
    });
}

#[test]
fn a_change_of_our_own_is_no_drift() {
    run(|| {
        let system = System::start();
        let state = |id: u32| {
            format!(
                "interfaces:
- name: br0
  type: linux-bridge
  ipv4: {{address: [{{ip: 192.0.2.1, prefix-length: 24}}]}}
  bridge: {{port: [{{name: vx0}}, {{name: v1}}]}}
- {{name: vx0, type: vxlan, vxlan: {{id: {id}, remote: 198.51.100.1}}}}
- {{name: v1, type: veth, mtu: {}, veth: {{peer: v2}}}}
routes: {{config: [{{destination: 203.0.113.0/24, next-hop-interface: br0}}]}}
",
                1400 + id
            )
        };
        for id in 1..20 {
            // Another identifier makes it anew.
            let _ = system.apply(&state(id)).ok();
        }
        // The same for all of them at once, and back.
        let held = ["apply", "-", "--no-commit", "-o", "json"];
        let _ = system.ctl_with(&held, &state(30)).ok();
        let _ = system.ctl(&["rollback"]).ok();
        eventually("the last announcement is looked after", LIMIT, || {
            let status = system.ctl(&["status"]);
            (status.code == 0).then_some(())
        });
        let log = system.log();
        assert!(!log.contains("no longer as saved"), "{log}");
        interfere();
        eventually("others are noticed", LIMIT, || {
            let log = system.log();
            log.contains("v1 is no longer as saved").then_some(())
        });
    });
}
