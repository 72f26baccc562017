// SPDX-License-Identifier: Apache-2.0

//! What several kinds of tunnels share.

use std::net::IpAddr;

/// As iproute2's (`IPV6_DEFAULT_TNL_ENCAP_LIMIT`); the kernel has none of its own.
pub(super) const DEFAULT_ENCAP_LIMIT: u8 = 4;

/// Traffic class and flow label, as one number (`IPV6_FLOWINFO_MASK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FlowInfo {
    pub(super) class: u8,
    pub(super) label: u32,
}

impl FlowInfo {
    pub(super) fn new(class: Option<u8>, label: Option<u32>) -> Self {
        Self {
            class: class.unwrap_or(0),
            label: label.unwrap_or(0),
        }
    }
}

impl From<u32> for FlowInfo {
    fn from(value: u32) -> Self {
        Self {
            class: value.to_be_bytes()[0] << 4 | value.to_be_bytes()[1] >> 4,
            label: value & 0xf_ffff,
        }
    }
}

impl From<FlowInfo> for u32 {
    fn from(info: FlowInfo) -> Self {
        Self::from(info.class) << 20 | (info.label & 0xf_ffff)
    }
}

/// The address, unless it is all zeros: that means any.
pub(super) fn given(address: IpAddr) -> Option<IpAddr> {
    Some(address).filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_info_there_and_back() {
        let info = FlowInfo::new(Some(0xab), Some(0x12345));
        assert_eq!(u32::from(info), 0x0ab1_2345);
        assert_eq!(FlowInfo::from(0x0ab1_2345), info);
    }
}
