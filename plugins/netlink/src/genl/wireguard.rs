// SPDX-License-Identifier: Apache-2.0

//! Keys and peers of WireGuard links: family `wireguard` (`linux/wireguard.h`).

mod message;

use netlink_packet_core::NLM_F_ACK;

use self::message::{pieces, read_devices};
use super::attribute::Attributes;
use super::{Command, GenericSocket};
use crate::error::NetlinkError;

pub use self::message::{AllowedIp, Device, Key, Peer};

const FAMILY: &str = "wireguard";
const VERSION: u8 = 1;
const WG_CMD_GET_DEVICE: u8 = 0;
const WG_CMD_SET_DEVICE: u8 = 1;

impl GenericSocket {
    /// What the kernel keeps of the link. Fails with `ENODEV` when there is no such link, `EOPNOTSUPP` when it is of
    /// another kind, `ENOENT` when the kernel has no WireGuard. Needs `CAP_NET_ADMIN`.
    pub async fn wireguard(&self, interface: &str) -> Result<Device, NetlinkError> {
        let mut attributes = Attributes::default();
        attributes.text(message::WGDEVICE_A_IFNAME, interface);
        let answers = self
            .dump(Command {
                family: self.family(FAMILY).await?,
                command: WG_CMD_GET_DEVICE,
                version: VERSION,
                flags: 0,
                attributes: attributes.bytes(),
            })
            .await?;
        Ok(read_devices(&answers))
    }

    /// Changes what `device` has; the rest, also peers that it doesn't list, stays. Peers beyond what fits into a
    /// message follow in further ones.
    pub async fn set_wireguard(
        &self,
        interface: &str,
        device: &Device,
    ) -> Result<(), NetlinkError> {
        let family = self.family(FAMILY).await?;
        for attributes in pieces(interface, device) {
            self.request(Command {
                family,
                command: WG_CMD_SET_DEVICE,
                version: VERSION,
                flags: NLM_F_ACK,
                attributes,
            })
            .await?;
        }
        Ok(())
    }
}
