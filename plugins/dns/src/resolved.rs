// SPDX-License-Identifier: Apache-2.0

//! systemd-resolved, through its own tools.
//!
//! Servers of an interface are given to the link (`resolvectl dns`, `resolvectl domain`). What belongs to the whole
//! machine can't be given over any interface of it: it goes into a drop-in for resolved.conf(5), which is read again.
//! D-Bus would be the other way; a library for two calls costs more than a process now and then.

mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nipart_config::durable;
use nipart_schemas::dns::{DnsSource, parts};
use nipart_schemas::error::{ErrorKind, NipartError};

use self::tool::run;
use crate::original::FILE_MODE;
use crate::paths::Paths;

/// The socket on which a running systemd-resolved answers.
const SOCKET: &str = "io.systemd.Resolve";
/// The file in which it lists all servers that it knows.
const SERVERS: &str = "resolv.conf";
const DROP_IN_HEAD: &str =
    "# Written by Nipart. Changes of this file get lost: use `nipartctl apply`.\n[Resolve]\n";

/// A systemd-resolved that answers the programs of this machine.
#[derive(Debug)]
pub(crate) struct Resolved<'p> {
    paths: &'p Paths,
}

/// Servers and domains of one link, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lists {
    servers: Vec<String>,
    domains: Vec<String>,
}

impl<'p> Resolved<'p> {
    /// Whether programs are led to it, and it runs.
    pub(crate) fn find(paths: &'p Paths) -> Option<Self> {
        let target = fs::canonicalize(&paths.resolv_conf).ok()?;
        let directory = fs::canonicalize(&paths.resolved_dir).ok()?;
        let is_led = target.parent() == Some(&directory);
        (is_led && UnixStream::connect(directory.join(SOCKET)).is_ok()).then_some(Self { paths })
    }

    /// The servers that it knows, as text of resolv.conf.
    pub(crate) fn servers(&self) -> Result<String, NipartError> {
        let text = durable::read(&self.paths.resolved_dir.join(SERVERS))?;
        Ok(text.unwrap_or_default())
    }

    /// Whether it has what follows from the sources.
    pub(crate) async fn follows(&self, sources: &[DnsSource]) -> Result<bool, NipartError> {
        let wanted = by_link(sources);
        let drop_in = durable::read(&self.paths.drop_in)?;
        if drop_in != drop_in_of(sources) {
            return Ok(false);
        }
        if wanted.is_empty() {
            return Ok(true);
        }
        let present = self.links().await?;
        let is_so = |(link, lists): (&String, &Lists)| {
            present.get(link).unwrap_or(&Lists::default()) == lists
        };
        Ok(wanted.iter().all(is_so))
    }

    /// Gives it what follows from the sources.
    pub(crate) async fn follow(
        &self,
        before: &[DnsSource],
        after: &[DnsSource],
    ) -> Result<(), NipartError> {
        self.put_drop_in(drop_in_of(after)).await?;
        let (old, new) = (by_link(before), by_link(after));
        let links: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        if links.is_empty() {
            return Ok(());
        }
        let present = self.links().await?;
        for link in links {
            let wanted = new.get(link).cloned().unwrap_or_default();
            let has = present.get(link).cloned().unwrap_or_default();
            if wanted == has {
                continue;
            }
            if !new.contains_key(link) && !is_there(link) {
                // It was forgotten with its link.
                continue;
            }
            set("dns", link, &wanted.servers).await?;
            set("domain", link, &wanted.domains).await?;
        }
        Ok(())
    }

    async fn put_drop_in(&self, wanted: Option<String>) -> Result<(), NipartError> {
        let path = &self.paths.drop_in;
        if durable::read(path)? == wanted {
            return Ok(());
        }
        match wanted {
            None => durable::remove(path)?,
            Some(text) => {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory).map_err(|error| {
                        NipartError::new(
                            ErrorKind::Storage,
                            format!("create directory {}: {error}", directory.display()),
                        )
                    })?;
                }
                durable::publish(path, text.as_bytes(), FILE_MODE)?;
            }
        }
        let service = "systemd-resolved.service";
        run("systemctl", &["try-reload-or-restart", service]).await?;
        Ok(())
    }

    async fn links(&self) -> Result<BTreeMap<String, Lists>, NipartError> {
        let servers = of_links(&run("resolvectl", &["dns"]).await?);
        let domains = of_links(&run("resolvectl", &["domain"]).await?);
        let mut links: BTreeMap<String, Lists> = BTreeMap::new();
        for (link, servers) in servers {
            let servers = servers.iter().map(|server| without_zone(server));
            links.entry(link).or_default().servers = servers.collect();
        }
        for (link, domains) in domains {
            let domains = domains.iter().map(|domain| without_dot(domain));
            links.entry(link).or_default().domains = domains.collect();
        }
        Ok(links)
    }
}

fn is_there(link: &str) -> bool {
    Path::new("/proc/sys/net/ipv4/conf").join(link).exists()
}

/// An empty word is how the tool is told that there is none.
async fn set(what: &str, link: &str, items: &[String]) -> Result<(), NipartError> {
    let mut arguments = vec![what, link];
    match items {
        [] => arguments.push(""),
        items => arguments.extend(items.iter().map(String::as_str)),
    }
    run("resolvectl", &arguments).await.map(|_| ())
}

/// What each link is to have.
fn by_link(sources: &[DnsSource]) -> BTreeMap<String, Lists> {
    let mut links: BTreeMap<String, Lists> = BTreeMap::new();
    for part in parts(sources) {
        let Some(link) = part.interface else { continue };
        let lists = links.entry(link).or_default();
        let servers = part
            .server
            .iter()
            .map(|server| without_zone(&server.to_string()));
        extend(&mut lists.servers, servers);
        let domains = part
            .search
            .iter()
            .map(|domain| without_dot(&domain.to_string()));
        extend(&mut lists.domains, domains);
    }
    links
}

fn extend(list: &mut Vec<String>, more: impl Iterator<Item = String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// A link's own servers need no zone, and the tool shows it in another way than it is written.
fn without_zone(server: &str) -> String {
    server.split('%').next().unwrap_or(server).to_string()
}

fn without_dot(domain: &str) -> String {
    domain.strip_suffix('.').unwrap_or(domain).to_string()
}

/// Settings of the whole machine; none when there are none.
fn drop_in_of(sources: &[DnsSource]) -> Option<String> {
    let of_machine = sources.iter().find(|source| source.interface.is_none())?;
    let mut text = DROP_IN_HEAD.to_string();
    let mut line = |key: &str, items: Vec<String>| {
        if !items.is_empty() {
            text.push_str(&format!("{key}={}\n", items.join(" ")));
        }
    };
    line(
        "DNS",
        of_machine.server.iter().map(ToString::to_string).collect(),
    );
    line(
        "Domains",
        of_machine.search.iter().map(ToString::to_string).collect(),
    );
    Some(text)
}

/// `Link 2 (eth0): 192.0.2.1 192.0.2.2`, by link. Long lists go on in lines that begin with a space.
fn of_links(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut links: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        let rest = if line.starts_with(' ') {
            line
        } else {
            current = None;
            let named = line
                .strip_prefix("Link ")
                .and_then(|line| line.split_once('(')?.1.split_once("):"));
            let Some((link, rest)) = named else { continue };
            current = Some(link.to_string());
            rest
        };
        if let Some(link) = &current {
            let words = rest.split_whitespace().map(str::to_string);
            links.entry(link.clone()).or_default().extend(words);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tool_prints() {
        let text = "Global: 9.9.9.9\nLink 2 (eth0): 192.0.2.1 fe80::1%2\n        192.0.2.3\nLink 3 (wg0):\n";
        let links = of_links(text);
        assert_eq!(links["eth0"], ["192.0.2.1", "fe80::1%2", "192.0.2.3"]);
        assert_eq!(links["wg0"], Vec::<String>::new());
        assert_eq!(links.len(), 2);
        assert_eq!(without_zone("fe80::1%2"), "fe80::1");
    }
}
