// SPDX-License-Identifier: Apache-2.0

//! Checks of name resolution and of the machine's names.

use std::collections::HashSet;
use std::hash::Hash;

use nipart_schemas::dns::{DnsBackend, DnsConfig, ResolverOption};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::hostname::{self, HostNames};

use crate::context::Context;

pub(super) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    if let Some(config) = context.desired.dns_config() {
        let path = "dns-resolver.config";
        check_lists(config, path)?;
        let backend = context.observed.dns_resolver.as_ref();
        let is_resolved =
            backend.is_some_and(|section| section.backend == Some(DnsBackend::Resolved));
        if is_resolved && config.options.iter().flatten().next().is_some() {
            return Err(NipartError::new(
                ErrorKind::NotSupported,
                "systemd-resolved answers the programs of this machine, and takes no options",
            )
            .at(format!("{path}.options")));
        }
    }
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let Some(config) = &interface.dns else {
            continue;
        };
        let path = format!("interfaces[{index}].dns");
        check_lists(config, &path)?;
        if config.options.is_some() {
            return Err(NipartError::invalid(
                format!("{path}.options"),
                "options are the whole machine's: write them under dns-resolver.config",
            ));
        }
    }
    match &context.desired.hostname {
        Some(names) => check_names(names, context.observed.hostname.as_ref()),
        None => Ok(()),
    }
}

fn check_lists(config: &DnsConfig, path: &str) -> Result<(), NipartError> {
    let options = config.options.as_deref().unwrap_or_default();
    let names: Vec<&str> = options.iter().map(ResolverOption::name).collect();
    check_repeated(config.server.as_deref().unwrap_or_default(), path, "server")?;
    check_repeated(config.search.as_deref().unwrap_or_default(), path, "search")?;
    check_repeated(&names, path, "options")
}

fn check_repeated<T: Eq + Hash + std::fmt::Display>(
    list: &[T],
    path: &str,
    kind: &str,
) -> Result<(), NipartError> {
    let mut seen = HashSet::new();
    match list
        .iter()
        .enumerate()
        .find(|(_, item)| !seen.insert(*item))
    {
        None => Ok(()),
        Some((index, item)) => Err(NipartError::invalid(
            format!("{path}.{kind}[{index}]"),
            format!("{item} is listed twice"),
        )),
    }
}

/// What is so already may be as it likes; an empty `config` is no file.
fn check_names(names: &HostNames, present: Option<&HostNames>) -> Result<(), NipartError> {
    let present = present.cloned().unwrap_or_default();
    let wanted = [
        ("running", &names.running, &present.running),
        ("config", &names.config, &present.config),
    ];
    for (key, name, present) in wanted {
        let is_removal = key == "config" && name.as_deref() == Some("");
        if let Some(name) = name.as_ref().filter(|_| name != present && !is_removal)
            && !hostname::is_valid(name)
        {
            return Err(NipartError::invalid(
                format!("hostname.{key}"),
                format!(
                    "{name:?} can't be a host name: up to {} letters, digits and dashes, with dots between labels, are accepted",
                    hostname::LONGEST
                ),
            ));
        }
    }
    Ok(())
}
