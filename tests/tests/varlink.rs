// SPDX-License-Identifier: Apache-2.0

//! The public API, called by a client that isn't ours: PyPI's `varlink`, in a virtual environment that
//! `scripts/check` makes.

use std::path::PathBuf;
use std::process::Command;

use nipart_tests::namespace;
use nipart_tests::system::System;

#[test]
fn the_stock_python_client_calls_every_method() {
    namespace::run(|| {
        let project = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = project.join(".cache/venv/bin/python");
        assert!(
            python.exists(),
            "{} is missing: run scripts/check test once",
            python.display()
        );
        let system = System::start();
        let output = Command::new("timeout")
            .arg("60")
            .arg(python)
            .arg(project.join("tests/support/varlink_client.py"))
            .arg(system.path("run").join("io.nipart"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    });
}
