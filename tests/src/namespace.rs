// SPDX-License-Identifier: Apache-2.0

//! Runs a test in a network namespace of its own, so that it may do to the network whatever it likes.
//!
//! ```no_run
//! #[test]
//! fn creates_a_bridge() {
//!     nipart_tests::namespace::run(|| {
//!         nipart_tests::namespace::ip(&["link", "add", "br0", "type", "bridge"]);
//!     });
//! }
//! ```
//!
//! A process cannot change its own namespaces without `unsafe` code, so the test binary is started again by
//! `unshare(1)` for just this one test: as root in new network, mount and UTS namespaces, otherwise in a new user
//! namespace as well. The second time round the closure runs, after a check that the namespace really is
//! another one than that of the first. `/sys` is mounted anew to show the new namespace's interfaces; the only
//! interface is `lo`, which is down.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test support: failing loudly is its way of reporting"
)]

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Holds the network namespace of the first process, as `readlink /proc/self/ns/net` shows it.
const OUTER_NAMESPACE: &str = "NIPART_TESTS_OUTER_NAMESPACE";
/// Path of a file that the second process creates, the proof that the name did select a test.
const STARTED_MARK: &str = "NIPART_TESTS_STARTED_MARK";
/// Longest time for one test; a hanging one is killed. Only that: a test's own waits have their own limits, and a matrix of
/// many cases takes minutes where eight of them share a processor.
const TEST_LIMIT: Duration = Duration::from_secs(600);

/// Runs `test` in a new network namespace, and fails if it does. Call it directly in the test function, with a
/// closure: the closure's type tells the name of the test.
pub fn run<F: FnOnce()>(test: F) {
    let name = test_name(std::any::type_name::<F>());
    if enter(name) {
        test();
    }
}

/// For tests that cannot use [`run`]: `true` inside the new namespace. Outside, the test called `name` (its
/// full path, without the crate) has been run to success in a new namespace, and there is nothing left to do.
#[must_use]
pub fn enter(name: &str) -> bool {
    let current = network_namespace();
    if let Some(outer) = std::env::var_os(OUTER_NAMESPACE) {
        assert_ne!(
            outer,
            OsStr::new(&current),
            "still in the outer network namespace"
        );
        if let Some(mark) = std::env::var_os(STARTED_MARK) {
            std::fs::write(mark, "").expect("leaving the mark");
        }
        // Fails in containers that protect /sys; only tests that read it mind.
        let _ = Command::new("mount")
            .args(["-t", "sysfs", "sysfs", "/sys"])
            .stderr(Stdio::null())
            .status();
        return true;
    }
    let binary = std::env::current_exe().expect("path of the test binary");
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args(["--net", "--mount", "--uts", "--"])
        .arg(binary)
        .args([
            "--exact",
            name,
            "--nocapture",
            "--include-ignored",
            "--test-threads=1",
        ])
        .env(OUTER_NAMESPACE, &current);
    let mark = std::env::temp_dir().join(format!(
        "nipart-test-{}-{}",
        std::process::id(),
        name.replace("::", "-")
    ));
    command.env(STARTED_MARK, &mark);
    let outcome = run_until(command);
    let started = std::fs::remove_file(&mark).is_ok();
    if let Err(failure) = outcome {
        panic!("{name} in its namespace: {failure}");
    }
    assert!(
        started,
        "{name}: no such test was found by the test harness"
    );
    false
}

/// Runs `ip` with these arguments; returns what it prints.
pub fn ip<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    iproute2("ip", arguments)
}

/// Runs `bridge` with these arguments; returns what it prints.
pub fn bridge<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    iproute2("bridge", arguments)
}

fn iproute2<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("iproute2 is installed");
    let shown: Vec<_> = arguments
        .iter()
        .map(|argument| argument.as_ref().to_string_lossy())
        .collect();
    assert!(
        output.status.success(),
        "{program} {}: {}",
        shown.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes `count` pairs of links, from `v0` and `w0` on.
pub fn veth_pairs(count: usize) {
    let lines =
        (0..count).map(|number| format!("link add v{number} type veth peer name w{number}\n"));
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let file = directory.path().join("batch");
    std::fs::write(&file, lines.collect::<String>()).expect("a file");
    ip(&[OsStr::new("-batch"), file.as_os_str()]);
}

/// `crate::module::test::{{closure}}` → `module::test`, as the test harness calls it.
fn test_name(closure: &'static str) -> &'static str {
    let inner = closure
        .split_once("::{{closure}}")
        .map_or(closure, |(function, _)| function);
    inner.split_once("::").map_or(inner, |(_, name)| name)
}

fn network_namespace() -> String {
    std::fs::read_link("/proc/self/ns/net")
        .expect("/proc is mounted")
        .to_string_lossy()
        .into_owned()
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    // Real, effective, saved and file system user id.
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|line| line.split_whitespace().nth(1))
        == Some("0")
}

fn run_until(mut command: Command) -> Result<(), String> {
    let mut child = command.spawn().expect("unshare (util-linux) is installed");
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("waiting for the test's process") {
            return if status.success() {
                Ok(())
            } else {
                Err(status.to_string())
            };
        }
        if started.elapsed() > TEST_LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("killed after {TEST_LIMIT:?}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests() {
        assert_eq!(test_name("crate_name::test::{{closure}}"), "test");
        assert_eq!(
            test_name("crate_name::module::test::{{closure}}::{{closure}}"),
            "module::test"
        );
    }

    #[test]
    fn namespace_is_empty_and_ours() {
        run(|| {
            let links = ip(&["-o", "link"]);
            assert_eq!(links.lines().count(), 1, "{links}");
            ip(&["link", "set", "lo", "up"]);
            let shown: Vec<_> = std::fs::read_dir("/sys/class/net").unwrap().collect();
            assert_eq!(shown.len(), 1);
        });
    }
}
