// SPDX-License-Identifier: Apache-2.0

//! Checks of the `mptcp` section.

use nipart_schemas::error::NipartError;
use nipart_schemas::interface::Interface;
use nipart_schemas::interface::mptcp::MptcpAddressFlag;

pub(super) fn check(interface: &Interface, path: &str) -> Result<(), NipartError> {
    let section = interface.mptcp.as_ref();
    let flags = section.and_then(|section| section.address_flags);
    let flags = flags.unwrap_or_default();
    // `mptcp_pm_nl_add_addr_doit`, net/mptcp/pm_kernel.c.
    if flags.contains(MptcpAddressFlag::Signal) && flags.contains(MptcpAddressFlag::Fullmesh) {
        return Err(NipartError::invalid(
            format!("{path}.mptcp.address-flags"),
            "signal and fullmesh exclude each other: an address is announced, or connected to every address of the other end",
        ));
    }
    Ok(())
}
