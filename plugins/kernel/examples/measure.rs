// SPDX-License-Identifier: Apache-2.0

//! Times of queries and plans for N veth pairs with two addresses each, beside `ip -batch`. Run it in a network
//! namespace of its own:
//!
//! ```sh
//! cargo build --release -p nipart-kernel --example measure
//! unshare --net target/release/examples/measure 1000 kernel
//! unshare --net target/release/examples/measure 1000 ip
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for developers: failing loudly is its way of reporting"
)]

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use nipart_kernel::Kernel;
use nipart_schemas::interface::{Interface, InterfaceState, InterfaceType, Veth};
use nipart_schemas::ip::Address;
use nipart_schemas::operation::{Operation, Plan};
use nipart_schemas::request::QueryScope;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let pairs: u32 = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .expect("number of pairs");
    let links = std::fs::read_to_string("/proc/net/dev").expect("/proc/net/dev");
    assert_eq!(
        links.lines().count(),
        3,
        "run it in a fresh network namespace"
    );
    match arguments.next().as_deref() {
        Some("kernel") => with_kernel(pairs).await,
        Some("ip") => {
            with_ip(pairs);
            // A namespace that is torn down with links in it slows down whatever is measured next.
            delete(
                &Kernel::open(&std::env::temp_dir()).await.expect("sockets"),
                pairs,
            )
            .await;
        }
        _ => panic!("kernel or ip?"),
    }
}

async fn with_kernel(pairs: u32) {
    let kernel = Kernel::open(&std::env::temp_dir()).await.expect("sockets");
    let plan = Plan {
        waves: vec![
            (0..pairs).map(pair).collect(),
            (0..pairs).flat_map(addresses).collect(),
        ],
    };
    let started = Instant::now();
    let report = kernel.execute(&plan).await;
    println!(
        "create {pairs} pairs, {} operations: {:?}, {}",
        report.succeeded,
        started.elapsed(),
        processor_time()
    );
    assert!(report.failures.is_empty(), "{:?}", report.failures.first());

    let scope = |names: Option<&str>, routes| QueryScope {
        interfaces: names.map(|name| vec![name.to_string()]),
        routes,
        ..QueryScope::default()
    };
    measure(&kernel, "query all without routes", &scope(None, false)).await;
    measure(&kernel, "query all with routes", &scope(None, true)).await;
    measure(
        &kernel,
        "query one without routes",
        &scope(Some("v7"), false),
    )
    .await;
    measure(&kernel, "query one with routes", &scope(Some("v7"), true)).await;
    println!("memory: {}", memory());

    delete(&kernel, pairs).await;
}

async fn delete(kernel: &Kernel, pairs: u32) {
    let wave = (0..pairs).map(|number| Operation::DeleteLink {
        interface: format!("v{number}"),
    });
    let plan = Plan {
        waves: vec![wave.collect()],
    };
    let started = Instant::now();
    let report = kernel.execute(&plan).await;
    println!("delete {} pairs: {:?}", report.succeeded, started.elapsed());
}

async fn measure(kernel: &Kernel, what: &str, scope: &QueryScope) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..15 {
        let started = Instant::now();
        let state = kernel.query(scope).await.expect("query");
        times.push(started.elapsed());
        found = state.interfaces.len();
    }
    times.sort();
    let median: Duration = times[times.len() / 2];
    println!(
        "{what}: median {median:?}, least {:?}, {found} interfaces",
        times[0]
    );
}

/// Of this process and of those that it has started and that have ended, in hundredths of a second (`proc(5)`).
fn processor_time() -> String {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u32> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    let total: u32 = fields.iter().sum();
    format!("{}0 ms of processor time", total)
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

fn pair(number: u32) -> Operation {
    let end = |name: String| Interface {
        interface_type: Some(InterfaceType::Veth),
        state: Some(InterfaceState::Up),
        mtu: Some(1400),
        ..Interface::named(name)
    };
    let mut interface = end(format!("v{number}"));
    let peer = end(format!("p{number}"));
    interface.veth = Some(Veth {
        peer: Some(peer.name.clone()),
        ..Veth::default()
    });
    Operation::CreateLink {
        interface: Box::new(interface),
        peer: Some(Box::new(peer)),
    }
}

fn address_texts(number: u32) -> [String; 2] {
    let (high, low) = (number / 250, number % 250);
    [
        format!("10.{high}.{low}.1/24"),
        format!("2001:db8:{number:x}::1/64"),
    ]
}

fn addresses(number: u32) -> [Operation; 2] {
    address_texts(number).map(|text| {
        let (address, length) = text.split_once('/').expect("a prefix length");
        let address = address.parse().expect("an address");
        let length = length.parse().expect("a prefix length");
        Operation::AddAddress {
            interface: format!("v{number}"),
            address: Address::new(address, length),
        }
    })
}

fn with_ip(pairs: u32) {
    let mut lines = String::new();
    for number in 0..pairs {
        let _ = writeln!(
            lines,
            "link add v{number} mtu 1400 up type veth peer name p{number} mtu 1400"
        );
        let _ = writeln!(lines, "link set p{number} up");
    }
    for number in 0..pairs {
        for address in address_texts(number) {
            let _ = writeln!(lines, "address add {address} dev v{number}");
        }
    }
    let file = std::env::temp_dir().join(format!("measure-{}", std::process::id()));
    std::fs::write(&file, lines).expect("a file for ip");
    let started = Instant::now();
    let status = Command::new("ip").arg("-batch").arg(&file).status();
    println!(
        "ip -batch for {pairs} pairs: {:?}, {}",
        started.elapsed(),
        processor_time()
    );
    let _ = std::fs::remove_file(&file);
    assert!(status.is_ok_and(|status| status.success()));
    for arguments in [["-d", "-j", "link"], ["-d", "-j", "address"]] {
        let started = Instant::now();
        let output = Command::new("ip").args(arguments).output().expect("ip");
        let bytes = output.stdout.len();
        println!(
            "ip {}: {:?}, {bytes} bytes",
            arguments.join(" "),
            started.elapsed()
        );
    }
}
