// SPDX-License-Identifier: Apache-2.0

//! What a small commit costs when much is saved.

use std::time::{Duration, Instant};

use super::{Place, state, transact};

const INTERFACES: usize = 2000;
/// Far above what it takes: only what grows faster than the number of interfaces is caught here.
const LIMIT: Duration = Duration::from_secs(2);

#[test]
fn a_commit_of_one_interface_among_two_thousand() {
    let place = Place::new();
    let mut store = place.open();
    let entries = (0..INTERFACES).map(|number| {
        let (high, low) = (number / 250, number % 250 + 1);
        format!("- {{name: v{number}, type: veth, mtu: 1400, veth: {{peer: p{number}}}, ipv4: {{address: [{{ip: 10.0.{high}.{low}, prefix-length: 32}}]}}}}\n")
    });
    let everything = format!("interfaces:\n{}", entries.collect::<String>());
    transact(&mut store, 1, &everything, false);
    let mut spent: Vec<Duration> = (0..9)
        .map(|round| {
            let text = format!("interfaces: [{{name: v7, mtu: {}}}]", 1401 + round);
            let start = Instant::now();
            transact(&mut store, 2 + round, &text, false);
            start.elapsed()
        })
        .collect();
    spent.sort();
    let start = Instant::now();
    let merged = state("interfaces: [{name: v7, mtu: 1500}]").laid_over(&super::load(&store));
    let laying = start.elapsed();
    assert_eq!(merged.interfaces.len(), INTERFACES);
    let start = Instant::now();
    let text = nipart_schemas::yaml::to_string(&merged).unwrap();
    let writing = start.elapsed();
    println!(
        "one commit among {INTERFACES} interfaces: {} µs; one copy laid over: {} µs; as {} bytes of YAML: {} µs",
        spent[4].as_micros(),
        laying.as_micros(),
        text.len(),
        writing.as_micros()
    );
    assert!(spent[4] < LIMIT, "{:?}", spent[4]);
}
