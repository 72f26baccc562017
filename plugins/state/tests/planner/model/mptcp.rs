// SPDX-License-Identifier: Apache-2.0

//! MPTCP endpoints: `net/mptcp/pm_netlink.c`.

use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::{LostEndpoints, MptcpEndpoint};

use super::Model;

/// Links that are gone were numbered from here on.
const FIRST_LOST: u32 = 1000;

impl Model {
    /// An address is an endpoint of one link at most.
    pub(super) fn change_mptcp(
        &mut self,
        name: &str,
        endpoints: &[MptcpEndpoint],
    ) -> Result<(), String> {
        let is_new = |other: &MptcpEndpoint| endpoints.iter().any(|new| new.ip == other.ip);
        let is_taken = |lost: &LostEndpoints| endpoints.iter().any(|new| lost.ip.contains(&new.ip));
        let mut others = self.links.values().filter(|link| link.name != name);
        if self.lost_endpoints.iter().any(is_taken)
            || others.any(|link| link.mptcp_endpoints().iter().any(is_new))
        {
            return Err("an endpoint is there already".to_string());
        }
        self.link_mut(name)?.observe_mptcp(endpoints.to_vec());
        Ok(())
    }

    /// The kernel keeps the endpoints of a link that goes.
    pub(super) fn lose_endpoints(&mut self, link: &Interface) {
        let ip: Vec<_> = link.mptcp_endpoints().iter().map(|lost| lost.ip).collect();
        if !ip.is_empty() {
            let link = FIRST_LOST + u32::try_from(self.lost_endpoints.len()).unwrap_or(0);
            self.lost_endpoints.push(LostEndpoints { link, ip });
        }
    }
}
