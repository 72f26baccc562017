// SPDX-License-Identifier: Apache-2.0

//! What the tests share; not every test file needs all of it.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary compiles this file for itself"
)]
#![allow(
    clippy::unwrap_used,
    reason = "test support: failing loudly is its way of reporting"
)]

use nipart_kernel::Kernel;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType, Veth};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{ExecutionReport, LinkChanges, Operation, Plan};
use nipart_schemas::request::QueryScope;
use serde_json::Value;

pub use nipart_tests::namespace::{ip, run};

/// The runtime of the plugins.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub async fn open() -> Kernel {
    Kernel::open(&std::env::temp_dir()).await.unwrap()
}

/// Everything, routes included.
pub fn everything() -> QueryScope {
    QueryScope {
        routes: true,
        rules: true,
        ..QueryScope::default()
    }
}

/// A scope of these interfaces, with routes.
pub fn only(names: &[&str]) -> QueryScope {
    QueryScope {
        interfaces: Some(names.iter().map(ToString::to_string).collect()),
        routes: true,
        rules: true,
        ..QueryScope::default()
    }
}

pub async fn query_all(kernel: &Kernel) -> NetworkState {
    kernel.query(&everything()).await.unwrap()
}

/// One interface of a full query.
pub async fn query_one(kernel: &Kernel, name: &str) -> Interface {
    let state = query_all(kernel).await;
    state.interface(name).cloned().unwrap()
}

pub async fn execute(kernel: &Kernel, waves: Vec<Vec<Operation>>) -> ExecutionReport {
    kernel.execute(&Plan { waves }).await
}

/// Executes, one wave each, and insists on success.
pub async fn apply(kernel: &Kernel, operations: Vec<Operation>) {
    let total = operations.len();
    let waves = operations.into_iter().map(|one| vec![one]).collect();
    let report = execute(kernel, waves).await;
    assert_eq!(report.failures, []);
    assert_eq!(report.succeeded, total);
}

/// Executes one operation that is to fail, and returns the message.
pub async fn refused(kernel: &Kernel, operation: Operation) -> String {
    let report = execute(kernel, vec![vec![operation]]).await;
    assert_eq!(report.succeeded, 0);
    assert_eq!(report.failures.len(), 1, "{report:?}");
    report.failures[0].message.clone()
}

pub fn interface(name: &str, interface_type: InterfaceType) -> Interface {
    Interface {
        interface_type: Some(interface_type),
        state: Some(InterfaceState::Up),
        ..Interface::named(name)
    }
}

pub fn create(interface: Interface) -> Operation {
    Operation::CreateLink {
        interface: Box::new(interface),
        peer: None,
    }
}

pub fn create_veth(name: &str, peer: &str) -> Operation {
    let mut first = interface(name, InterfaceType::Veth);
    first.veth = Some(Veth {
        peer: Some(peer.to_string()),
        ..Veth::default()
    });
    let second = interface(peer, InterfaceType::Veth);
    Operation::CreateLink {
        interface: Box::new(first),
        peer: Some(Box::new(second)),
    }
}

pub fn delete(name: &str) -> Operation {
    Operation::DeleteLink {
        interface: name.to_string(),
    }
}

pub fn changes(name: &str) -> LinkChanges {
    LinkChanges {
        interface: name.to_string(),
        ..LinkChanges::default()
    }
}

pub fn attach(name: &str, controller: &str) -> Operation {
    Operation::ChangeLink(LinkChanges {
        controller: Some(controller.to_string()),
        ..changes(name)
    })
}

pub fn add_address(name: &str, address: &str) -> Operation {
    Operation::AddAddress {
        interface: name.to_string(),
        address: parse_address(address),
    }
}

pub fn parse_address(text: &str) -> nipart_schemas::ip::Address {
    let (address, length) = text.split_once('/').unwrap();
    nipart_schemas::ip::Address::new(address.parse().unwrap(), length.parse().unwrap())
}

/// What `ip -j -d` prints for these arguments.
pub fn ip_json(arguments: &[&str]) -> Vec<Value> {
    json("ip", &[&["-j", "-d"], arguments].concat())
}

/// What `ip -j -d` prints about one link.
pub fn ip_link(name: &str) -> Value {
    ip_json(&["link", "show", "dev", name]).remove(0)
}

/// What another program prints as JSON.
pub fn json(program: &str, arguments: &[&str]) -> Vec<Value> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    if printed.trim().is_empty() {
        return Vec::new();
    }
    serde_json::from_str(&printed).unwrap()
}

/// Runs these lines, separated by `;`, each as a command of `ip`.
pub fn ip_lines(lines: &str) {
    for line in lines.split(';') {
        ip(&line.split_whitespace().collect::<Vec<_>>());
    }
}
