// SPDX-License-Identifier: Apache-2.0

//! `nipart-plugin ROLE`: runs one built-in plugin. One executable for all, so that they share their text in memory.

use std::process::ExitCode;

use nipart_plugin_sdk::process;
use nipart_schemas::event::Role;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), None) = (arguments.next(), arguments.next()) else {
        return usage("exactly one role is needed");
    };
    if name == "--version" {
        println!("nipart-plugin {VERSION}");
        return ExitCode::SUCCESS;
    }
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

fn usage(problem: &str) -> ExitCode {
    let roles: Vec<&str> = Role::BUILT_IN.iter().map(Role::as_str).collect();
    eprintln!(
        "nipart-plugin: {problem}\nusage: nipart-plugin {}\nIt is started by nipartd, which gives it its environment.",
        roles.join("|")
    );
    ExitCode::from(2)
}
