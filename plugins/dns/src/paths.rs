// SPDX-License-Identifier: Apache-2.0

//! Where everything is. Environment variables of the plugin change what belongs to others, so that several daemons run
//! side by side.

use std::path::{Path, PathBuf};

/// Names of the environment variables.
pub mod variables {
    /// The file that programs read; default `/etc/resolv.conf`.
    pub const RESOLV_CONF: &str = "NIPART_RESOLV_CONF";
    /// The file that the host name is read from at boot; default `/etc/hostname`.
    pub const HOSTNAME_FILE: &str = "NIPART_HOSTNAME_FILE";
    /// Where systemd-resolved has its socket and its files; default `/run/systemd/resolve`.
    pub const RESOLVED_DIR: &str = "NIPART_RESOLVED_DIR";
    /// Where systemd-resolved reads settings; default `/run/systemd/resolved.conf.d`.
    pub const RESOLVED_CONF_DIR: &str = "NIPART_RESOLVED_CONF_DIR";
}

/// All files of the plugin.
#[derive(Debug, Clone)]
pub struct Paths {
    /// What programs read.
    pub resolv_conf: PathBuf,
    /// What the host name is read from at boot.
    pub hostname_file: PathBuf,
    /// systemd-resolved's directory.
    pub resolved_dir: PathBuf,
    /// Our settings of systemd-resolved.
    pub drop_in: PathBuf,
    /// What each source says; gone at a reboot.
    pub sources: PathBuf,
    /// What was in the place of `resolv_conf`: a copy of the file or link.
    pub original: PathBuf,
}

impl Paths {
    /// The paths for these directories and the process's environment.
    pub fn from_process(run_dir: &Path, state_dir: &Path) -> Self {
        let of = |name: &str, default: &str| {
            std::env::var_os(name).map_or_else(|| PathBuf::from(default), PathBuf::from)
        };
        Self {
            resolv_conf: of(variables::RESOLV_CONF, "/etc/resolv.conf"),
            hostname_file: of(variables::HOSTNAME_FILE, "/etc/hostname"),
            resolved_dir: of(variables::RESOLVED_DIR, "/run/systemd/resolve"),
            drop_in: of(variables::RESOLVED_CONF_DIR, "/run/systemd/resolved.conf.d")
                .join("90-nipart.conf"),
            sources: run_dir.join("dns.json"),
            original: state_dir.join("resolv.conf.original"),
        }
    }
}
