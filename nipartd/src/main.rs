// SPDX-License-Identifier: Apache-2.0

//! `nipartd`: the daemon, and under the name `nipart-plugin` each of its built-in plugins.
//!
//! One executable for all processes: they share its text in memory, and a daemon that is still running when it is updated
//! goes on with plugins of its own version.

use std::ffi::CString;
use std::path::Path;
use std::process::ExitCode;

use nipart_daemon::PLUGIN_NAME;
use nipart_plugin_sdk::process;
use nipart_schemas::event::Role;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some(PLUGIN_NAME.as_ref()) {
        plugin(arguments)
    } else {
        nipart_daemon::main()
    }
}

/// Runs one built-in plugin.
fn plugin(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let (Some(name), None) = (arguments.next(), arguments.next()) else {
        return usage("exactly one role is needed");
    };
    name_process(&name);
    let role = Role::from(name);
    let roles = vec![role.clone()];
    match role {
        Role::Commander => process::main(roles, VERSION, nipart_commander::run),
        Role::State => process::main(roles, VERSION, nipart_state::run),
        Role::Kernel => process::main(roles, VERSION, nipart_kernel::run),
        Role::Monitor => process::main(roles, VERSION, nipart_monitor::run),
        Role::Dhcp => process::main(roles, VERSION, nipart_dhcp::run),
        Role::Dns => process::main(roles, VERSION, nipart_dns::run),
        Role::Config => process::main(roles, VERSION, nipart_config::run),
        other => usage(&format!("`{other}` is no built-in role")),
    }
}

/// What `top` and logs of the kernel call the process, as far as the kernel keeps it (15 bytes): else all plugins have the
/// name under which they were started, which is that of a link below `/proc`.
fn name_process(role: &str) {
    if let Ok(name) = CString::new(format!("nipart-{role}")) {
        // It is for people only.
        let _ = rustix::thread::set_name(&name);
    }
}

fn usage(problem: &str) -> ExitCode {
    let roles: Vec<&str> = Role::BUILT_IN.iter().map(Role::as_str).collect();
    eprintln!(
        "{PLUGIN_NAME}: {problem}\nusage: {PLUGIN_NAME} {}\nIt is started by nipartd, which gives it its environment.",
        roles.join("|")
    );
    ExitCode::from(2)
}
