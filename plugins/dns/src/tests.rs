// SPDX-License-Identifier: Apache-2.0

//! The files, as each crash could leave them.

use std::fs;
use std::path::Path;

use nipart_schemas::dns::{DnsConfig, DnsOrigin, DnsSource};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{Operation, Plan};
use tempfile::TempDir;

use crate::{Names, Paths, resolv_conf, sources};

fn paths(directory: &Path) -> Paths {
    Paths {
        resolv_conf: directory.join("resolv.conf"),
        hostname_file: directory.join("hostname"),
        resolved_dir: directory.join("resolved"),
        drop_in: directory.join("resolved.conf.d/90-nipart.conf"),
        sources: directory.join("dns.json"),
        original: directory.join("resolv.conf.original"),
    }
}

fn source(interface: Option<&str>, server: &str) -> DnsSource {
    DnsSource {
        server: server
            .split_whitespace()
            .map(|server| server.parse().unwrap())
            .collect(),
        ..DnsSource::new(interface, DnsOrigin::Static)
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

fn execute(names: &Names, changes: &[DnsSource]) {
    let wave = changes.iter().cloned().map(Operation::ChangeDns).collect();
    let report = block_on(names.execute(&Plan { waves: vec![wave] }));
    assert_eq!(
        (report.succeeded, report.failures),
        (changes.len(), Vec::new())
    );
}

fn query(names: &Names) -> NetworkState {
    block_on(names.query()).unwrap()
}

fn is_overwritten(names: &Names) -> bool {
    query(names).dns_resolver.unwrap().overwritten
}

#[test]
fn texts() {
    let text = "# comment\nnameserver 192.0.2.1\ndomain old.org\nsearch a.org b.org # not here\n; other\n\
                nameserver not-an-address\noptions rotate ndots:2 unknown\nsortlist 130.155.160.0\n";
    let read = resolv_conf::read(text);
    assert_eq!(
        read.to_string(),
        "set DNS: server 192.0.2.1, search a.org b.org not here, options rotate ndots:2"
    );
    let original = Path::new("/var/lib/nipart/resolv.conf.original");
    let written = resolv_conf::write(&read, original);
    assert_eq!(read, resolv_conf::read(&written));
    assert!(resolv_conf::is_ours(&written, original));
    assert!(!resolv_conf::is_ours(text, original));
    assert_eq!(resolv_conf::shown(""), DnsConfig::default());
}

#[test]
fn several_of_one_wave_and_nothing_at_the_end() {
    let directory = TempDir::new().unwrap();
    let names = Names::open(paths(directory.path()));
    execute(
        &names,
        &[
            source(Some("b"), "192.0.2.2"),
            source(None, "192.0.2.1"),
            source(Some("a"), "192.0.2.3"),
        ],
    );
    let file = directory.path().join("resolv.conf");
    let servers = resolv_conf::read(&fs::read_to_string(&file).unwrap());
    assert_eq!(
        servers.to_string(),
        "set DNS: server 192.0.2.1 192.0.2.3 192.0.2.2"
    );
    assert!(!is_overwritten(&names));
    execute(
        &names,
        &[
            source(None, ""),
            source(Some("a"), ""),
            source(Some("b"), ""),
        ],
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

/// After each step of a change that didn't get further, the state says that something is to be done, and the way back
/// leads to what was.
#[test]
fn half_done() {
    let original = "nameserver 203.0.113.1\n";
    let new = source(None, "192.0.2.1");
    let remembered =
        |paths: &Paths| sources::write(&paths.sources, &[source(None, "192.0.2.1")]).unwrap();
    let kept = |paths: &Paths| fs::write(&paths.original, original).unwrap();
    let steps: [&dyn Fn(&Paths); 3] = [
        &|paths| remembered(paths),
        &|paths| {
            remembered(paths);
            kept(paths);
        },
        &|paths| {
            remembered(paths);
            kept(paths);
            fs::write(paths.resolv_conf.with_extension("new"), "half").unwrap();
        },
    ];
    for step in steps {
        for forward in [true, false] {
            let directory = TempDir::new().unwrap();
            let paths = paths(directory.path());
            fs::write(&paths.resolv_conf, original).unwrap();
            step(&paths);
            let names = Names::open(paths.clone());
            assert_eq!(fs::read_to_string(&paths.resolv_conf).unwrap(), original);
            assert!(is_overwritten(&names));
            if forward {
                execute(&names, std::slice::from_ref(&new));
                assert!(!is_overwritten(&names));
            }
            execute(&names, &[source(None, "")]);
            assert!(!is_overwritten(&names));
            assert_eq!(fs::read_to_string(&paths.resolv_conf).unwrap(), original);
            assert!(!paths.original.exists() && !paths.sources.exists());
        }
    }
}

#[test]
fn the_file_of_another_daemon_is_not_ours() {
    let (directory, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let paths_of_other = Paths {
        resolv_conf: directory.path().join("resolv.conf"),
        ..paths(other.path())
    };
    let names = Names::open(paths(directory.path()));
    execute(&names, &[source(None, "192.0.2.1")]);
    let text = fs::read_to_string(directory.path().join("resolv.conf")).unwrap();
    let names_of_other = Names::open(paths_of_other.clone());
    assert_eq!(
        fs::read_to_string(&paths_of_other.resolv_conf).unwrap(),
        text
    );
    execute(&names_of_other, &[source(None, "192.0.2.2")]);
    execute(&names_of_other, &[source(None, "")]);
    assert_eq!(
        fs::read_to_string(&paths_of_other.resolv_conf).unwrap(),
        text
    );
    assert!(!is_overwritten(&names));
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let mut paths = paths(directory.path());
    paths.resolv_conf = directory.path().join("missing/resolv.conf");
    let names = Names::open(paths.clone());
    let wave = vec![Operation::ChangeDns(source(None, "192.0.2.1"))];
    let report = block_on(names.execute(&Plan { waves: vec![wave] }));
    assert_eq!(report.succeeded, 0);
    let said = report.failures[0].to_string();
    assert!(said.contains("set DNS: server 192.0.2.1: write"), "{said}");
    assert!(!is_overwritten(&names) && !paths.sources.exists());
}

#[test]
fn damage_is_said_and_is_no_end() {
    let directory = TempDir::new().unwrap();
    let paths = paths(directory.path());
    fs::write(&paths.sources, "[{").unwrap();
    let names = Names::open(paths);
    let error = block_on(names.query()).unwrap_err();
    assert!(error.message.contains("dns.json is damaged"), "{error}");
}
