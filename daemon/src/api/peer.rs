// SPDX-License-Identifier: Apache-2.0

//! Who a client is: `SO_PEERCRED`, and the group that may change the network.
//!
//! Members are looked up in `/etc/group` and `/etc/passwd`. Groups of other sources (LDAP, SSSD) count by a user's
//! primary group only.

use std::fmt;
use std::fs;

use nipart_schemas::request::Requester;
use tokio::net::unix::UCred;

/// A client as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    user: u32,
    process: Option<i32>,
    /// Whether it may change the network.
    pub(super) may_apply: bool,
}

impl Peer {
    /// Root, and members of `group`, may change the network.
    pub(super) fn new(credentials: &UCred, group: Option<&str>) -> Self {
        let user = credentials.uid();
        let is_member = || {
            // Read anew for each: membership may have changed, and the files are small.
            let groups = fs::read_to_string("/etc/group").unwrap_or_default();
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            group.is_some_and(|group| is_member(user, credentials.gid(), group, &groups, &users))
        };
        Self {
            user,
            process: credentials.pid(),
            may_apply: user == 0 || is_member(),
        }
    }

    /// The same for the history. The program's name is for people only: it may be gone, or have changed it.
    pub(super) fn requester(&self) -> Requester {
        let pid = self.process.and_then(|pid| u32::try_from(pid).ok());
        let command = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
        Requester {
            uid: self.user,
            pid,
            command: command.map(|name| name.trim_end().to_string()),
        }
    }

    /// Somebody who may only read.
    #[cfg(test)]
    pub(super) fn reader(credentials: &UCred) -> Self {
        Self {
            may_apply: false,
            ..Self::new(credentials, None)
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "user {}", self.user)?;
        match self.process {
            Some(process) => write!(formatter, ", process {process}"),
            None => Ok(()),
        }
    }
}

/// Whether the user is in `group`: by the primary group, or by name in the list of members. See group(5), passwd(5).
fn is_member(user: u32, primary: u32, group: &str, groups: &str, users: &str) -> bool {
    let Some((number, members)) = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (name == group).then_some((number, fields.next().unwrap_or_default()))
    }) else {
        return false;
    };
    number == primary
        || users.lines().any(|line| {
            let mut fields = line.split(':');
            let name = fields.next().unwrap_or_default();
            let is_user = fields.nth(1).and_then(|text| text.parse().ok()) == Some(user);
            is_user && !name.is_empty() && members.split(',').any(|member| member == name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: &str =
        "root:x:0:\nnipart:x:990:anna,otto\nbroken\nwheel:x:10:berta\nempty:x:11\n";
    const USERS: &str =
        "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/:\nberta:x:1001:990::/:\n:x:1002:1:::\n";

    #[test]
    fn members_are_known_by_name_or_primary_group() {
        for (user, primary, group, expected) in [
            (1000, 1000, "nipart", true),
            (1001, 990, "nipart", true),
            (1001, 1001, "nipart", false),
            (1002, 1, "empty", false),
            (1000, 1000, "wheel", false),
            (1000, 1000, "nobody", false),
            (7, 10, "wheel", true),
            (7, 10, "", false),
        ] {
            let found = is_member(user, primary, group, GROUPS, USERS);
            assert_eq!(found, expected, "{user} {primary} {group}");
        }
    }
}
