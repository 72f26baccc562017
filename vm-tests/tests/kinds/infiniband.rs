// SPDX-License-Identifier: Apache-2.0

//! Partitions of InfiniBand, as far as they can be tried without a card: the driver reads our message, and refuses a
//! base that is none as it refuses it to `ip(8)`.

#[path = "../../../plugins/kernel/tests/support/tools.rs"]
mod tools;

use std::process::Command;

use nipart_schemas::interface::infiniband::{InfinibandMode, PartitionKey};
use nipart_schemas::interface::{Infiniband, Interface, InterfaceType};
use nipart_vm_tests::needs_kinds;
use tools::*;

/// What `ip(8)` is told of the kernel's answer.
fn answer_to_ip() -> String {
    let arguments = "link add link v0 name ib7 type ipoib pkey 0x8001 mode connected";
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn refused_over_ethernet_as_ip_is() {
    run(|| {
        if !needs_kinds(&["ipoib"]) {
            return;
        }
        block_on(async {
            ip_lines("link add v0 type veth peer name v1");
            let kernel = open().await;
            let partition = Interface {
                infiniband: Some(Box::new(Infiniband {
                    base_iface: Some("v0".to_string()),
                    mode: Some(InfinibandMode::Connected),
                    pkey: Some(PartitionKey::new(1)),
                })),
                ..interface("ib7", InterfaceType::Infiniband)
            };
            // What can't be read is refused before the base is looked at.
            assert_eq!(answer_to_ip(), "RTNETLINK answers: No such device\n");
            let said = refused(&kernel, create(partition)).await;
            assert_eq!(said, "create infiniband ib7: No such device (ENODEV)");
        });
    });
}
