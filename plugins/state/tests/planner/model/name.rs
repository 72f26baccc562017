// SPDX-License-Identifier: Apache-2.0

//! Name resolution and the machine's names.

use nipart_schemas::dns::{DnsSource, changed};
use nipart_schemas::hostname::HostNames;

use super::Model;

impl Model {
    pub(super) fn change_dns(&mut self, source: &DnsSource) -> Result<(), String> {
        let resolver = self.resolver.as_mut().ok_or("nobody has looked")?;
        resolver.sources = changed(&resolver.sources, std::iter::once(source));
        resolver.overwritten = false;
        Ok(())
    }

    pub(super) fn change_host_name(&mut self, names: &HostNames) -> Result<(), String> {
        let present = self.host_name.as_mut().ok_or("nobody has looked")?;
        if names.running.is_some() {
            present.running.clone_from(&names.running);
        }
        if names.config.is_some() {
            present.config = names.config.clone().filter(|name| !name.is_empty());
        }
        Ok(())
    }
}
