// SPDX-License-Identifier: Apache-2.0

//! A query of a few interfaces shows the same about them as one of all, and is cheaper.

#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nipart_schemas::interface::Interface;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::Operation;
use nipart_schemas::request::QueryScope;
use nipart_schemas::route::Route;
use tools::*;

fn names(state: &NetworkState) -> Vec<&str> {
    let interfaces = state.interfaces.iter();
    interfaces
        .map(|interface| interface.name.as_str())
        .collect()
}

/// Timers run between two queries.
fn without_timers(interface: &Interface) -> Interface {
    let mut interface = interface.clone();
    let options = interface
        .bridge
        .as_mut()
        .and_then(|bridge| bridge.options.as_mut());
    if let Some(options) = options {
        options.gc_timer = None;
        options.hello_timer = None;
    }
    interface
}

fn sorted(routes: &[Route]) -> BTreeSet<String> {
    routes.iter().map(|route| format!("{route:?}")).collect()
}

fn build_network() {
    ip_lines(
        "link add br0 type bridge; link set br0 up; link add br1 type bridge; \
         link add v0 type veth peer name p0; link add v1 type veth peer name p1; \
         link add v2 type veth peer name p2; link add alone type bridge; \
         link set v0 master br0; link set v1 master br0; link set p1 master br1; \
         link add x0 type vxlan id 7 dev v2 dstport 4789; \
         link add m0 link br0 type macvlan mode bridge; \
         link set v0 up; link set v2 up; link set p2 up; link set p0 up; link set m0 up; \
         address add 192.0.2.1/24 dev br0; address add 198.51.100.1/24 dev v2; \
         address add 2001:db8::1/64 dev v2 nodad; address add 203.0.113.1/24 dev p0; \
         link property add dev br0 altname bridge-of-many; \
         route add 10.0.0.0/8 via 198.51.100.2; route add 10.1.0.0/16 via 203.0.113.2; \
         route add 10.2.0.0/16 nexthop via 198.51.100.2 nexthop via 203.0.113.2",
    );
}

#[test]
fn scoped_query_equals_the_full_one_filtered() {
    run(|| {
        block_on(async {
            build_network();
            let kernel = open().await;
            let cases: [(&[&str], &[&str]); 10] = [
                (&["alone"], &["alone"]),
                // Named bridge: its ports, but not their other ends.
                (&["br0"], &["br0", "v0", "v1"]),
                // Controller and peer.
                (&["v1"], &["br0", "p1", "v1"]),
                // Base interfaces.
                (&["x0"], &["v2", "x0"]),
                (&["m0"], &["br0", "m0"]),
                (&["p0", "alone"], &["alone", "p0", "v0"]),
                (&["gone"], &[]),
                // Alternative names are no names.
                (&["bridge-of-many"], &[]),
                (&[], &[]),
                (&["v2", "v2", "gone"], &["p2", "v2"]),
            ];
            for (asked, expected) in cases {
                let scoped = kernel.query(&only(asked)).await.unwrap();
                let all = query_all(&kernel).await;
                assert_eq!(names(&scoped), expected, "{asked:?}");
                for interface in &scoped.interfaces {
                    let same = all.interface(&interface.name).unwrap();
                    assert_eq!(without_timers(interface), without_timers(same));
                }
                let is_through = |route: &Route| {
                    let interface = route.next_hop_interface.as_deref();
                    interface.is_some_and(|name| expected.contains(&name))
                };
                // Of a route with several next hops all are shown.
                let is_shown = |route: &&Route| {
                    let mut hops = all.running_routes().iter();
                    is_through(route)
                        || (route.is_hop()
                            && hops.any(|hop| is_through(hop) && hop.slot() == route.slot()))
                };
                let through: Vec<Route> = all
                    .running_routes()
                    .iter()
                    .filter(is_shown)
                    .cloned()
                    .collect();
                assert_eq!(
                    sorted(scoped.running_routes()),
                    sorted(&through),
                    "{asked:?}"
                );

                // The same with so many names that everything is read.
                let mut many: Vec<&str> = asked.to_vec();
                let others: Vec<String> = (0..20).map(|number| format!("none{number}")).collect();
                many.extend(others.iter().map(String::as_str));
                let large = kernel.query(&only(&many)).await.unwrap();
                assert_eq!(names(&large), expected, "{asked:?}");
                assert_eq!(sorted(large.running_routes()), sorted(&through));
            }
        });
    });
}

#[test]
fn routes_are_read_when_asked_for() {
    run(|| {
        block_on(async {
            build_network();
            let kernel = open().await;
            let mut scope = only(&["alone"]);
            scope.routes = false;
            assert_eq!(kernel.query(&scope).await.unwrap().routes, None);
            let all = query_all(&kernel).await;
            scope.all_routes = true;
            let state = kernel.query(&scope).await.unwrap();
            assert_eq!(names(&state), ["alone"]);
            assert_eq!(sorted(state.running_routes()), sorted(all.running_routes()));
            assert!(state.running_routes().len() > 6);
            let state = kernel.query(&QueryScope::default()).await.unwrap();
            assert_eq!(state.routes, None);
            assert_eq!(state.interfaces.len(), all.interfaces.len());
        });
    });
}

#[test]
fn a_thousand_links() {
    run(|| {
        block_on(async {
            let kernel = open().await;
            let pairs: Vec<Operation> = (0..500)
                .map(|number| create_veth(&format!("v{number}"), &format!("p{number}")))
                .collect();
            let addresses: Vec<Operation> = (0..500)
                .flat_map(|number| {
                    let name = format!("v{number}");
                    let (high, low) = (number / 250, number % 250);
                    [
                        add_address(&name, &format!("10.{high}.{low}.1/24")),
                        add_address(&name, &format!("2001:db8:{number:x}::1/64")),
                    ]
                })
                .collect();
            let started = Instant::now();
            let report = execute(&kernel, vec![pairs, addresses]).await;
            println!("1000 links and addresses: {:?}", started.elapsed());
            assert_eq!((report.succeeded, report.failures), (1500, vec![]));

            let state = query_all(&kernel).await;
            assert_eq!(state.interfaces.len(), 1001);
            let names = names(&state);
            assert!(names.is_sorted());
            let v7 = state.interface("v7").unwrap();
            assert_eq!(v7.veth_peer(), Some("p7"));
            assert_eq!(v7.ipv4.as_ref().unwrap().address.as_ref().unwrap().len(), 1);
            let connected = state
                .running_routes()
                .iter()
                .filter(|route| !route.is_ipv6());
            assert_eq!(connected.count(), 500);

            let mut fastest = Duration::MAX;
            for _ in 0..20 {
                let started = Instant::now();
                let state = kernel.query(&only(&["v7"])).await.unwrap();
                fastest = fastest.min(started.elapsed());
                assert_eq!(state.interfaces.len(), 2);
                assert_eq!(state.interfaces[1], *v7);
            }
            println!("one of them: {fastest:?}");
            let all: Vec<Operation> = (0..500)
                .map(|number| delete(&format!("v{number}")))
                .collect();
            let started = Instant::now();
            let report = execute(&kernel, vec![all]).await;
            println!("deleted: {:?}", started.elapsed());
            assert_eq!((report.succeeded, report.failures), (500, vec![]));
            assert_eq!(query_all(&kernel).await.interfaces.len(), 1);
        });
    });
}
