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

/// Changes everything that is saved, once the daemon no longer takes changes for its own.
fn interfere(system: &System) {
    // A change of our own is not drift: announcements of some time are passed over.
    let mut mtu = 1300;
    eventually("the change is noticed", LIMIT, || {
        mtu += 1;
        ip(&["link", "set", "v1", "mtu", &mtu.to_string()]);
        std::thread::sleep(Duration::from_millis(300));
        let noticed = system.log().contains("v1") && system.log().contains("chain::drift");
        noticed.then_some(())
    });
}

#[test]
fn drift_is_reported() {
    run(|| {
        let system = System::start();
        let _ = system.apply(&state("report")).ok();
        let clean = system.ctl(&["status"]);
        assert_eq!(clean.code, 0, "{}{}", clean.out, clean.err);
        interfere(&system);
        ip(&["address", "delete", "192.0.2.1/24", "dev", "v1"]);
        assert!(
            system.log().contains("v1 is no longer as saved"),
            "{}",
            system.log()
        );
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
        interfere(&system);
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
        interfere(&system);
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
