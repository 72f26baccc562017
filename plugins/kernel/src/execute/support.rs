// SPDX-License-Identifier: Apache-2.0

//! What a plan needs that not every kernel has: asked for before anything is changed.
//!
//! The kernel has no list of what it can do. It is asked for what can't be, and how it refuses tells.

use std::collections::BTreeMap;

use nipart_netlink::packet::AddressFamily;
use nipart_netlink::packet::link::{LinkAttribute, LinkMessage};
use nipart_netlink::{
    ApplySocket, DumpSocket, GenericSocket, NetlinkError, NetlinkRequest, OnFailure,
};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, PortVlan};
use nipart_schemas::ip::AddrGenMode;
use nipart_schemas::operation::{Operation, Plan};

use super::ip_stack::missing_secret;
use crate::kind::{self, LinkKind};
use crate::{key_agreement, mptcp, sr_iov};

/// What the kernel says of a kind that it doesn't have, and has no module for (`rtnl_newlink`, net/core/rtnetlink.c).
const UNKNOWN_KIND: &str = "Unknown device type";
/// `RTM_NEWVLAN`, `linux/rtnetlink.h`: known where bridges can filter VLANs, since Linux 5.6.
const RTM_NEWVLAN: u16 = 112;
/// `struct br_vlan_msg`, `linux/if_bridge.h`.
const VLAN_MESSAGE_LENGTH: usize = 8;

/// One thing that the kernel may lack.
struct Need<'p> {
    /// The first operation that needs it.
    operation: &'p Operation,
    request: NetlinkRequest,
    is_lacking: fn(&NetlinkError) -> bool,
    /// `bonding support (module "bonding")`
    what: String,
}

/// The first thing that the kernel lacks.
///
/// # Errors
/// `not-supported`, and which operation needs it.
pub(super) async fn check(
    dump: &DumpSocket,
    apply: &ApplySocket,
    generic: &GenericSocket,
    plan: &Plan,
) -> Result<(), NipartError> {
    check_secrets(plan)?;
    key_agreement::check(plan)?;
    check_mptcp(generic, plan).await?;
    check_functions(dump, plan).await?;
    // A kind is asked for before what its module brings along.
    let needs: Vec<Need<'_>> = kinds(plan).chain(vlan_filtering(plan)).collect();
    let requests = needs.iter().map(|need| need.request.clone()).collect();
    let answers = apply.execute(requests, OnFailure::Continue).await;
    for (need, answer) in needs.into_iter().zip(answers) {
        if answer.is_err_and(|error| (need.is_lacking)(&error)) {
            let text = format!("the kernel has no {}", need.what);
            let error = NipartError::new(ErrorKind::NotSupported, text);
            return Err(error.while_doing(need.operation));
        }
    }
    Ok(())
}

/// Stable addresses need a secret.
fn check_secrets(plan: &Plan) -> Result<(), NipartError> {
    let mode_of = |interface: &Interface| interface.ipv6.as_ref()?.addr_gen_mode;
    for operation in plan.operations() {
        let modes = match operation {
            Operation::CreateLink { interface, peer } => {
                [mode_of(interface), peer.as_deref().and_then(mode_of)]
            }
            Operation::AwaitLink { interface } => [mode_of(interface), None],
            Operation::ChangeIpv6(changes) => [changes.addr_gen_mode, None],
            _ => continue,
        };
        if modes.contains(&Some(AddrGenMode::StablePrivacy)) {
            let interface = operation.interface().unwrap_or_default();
            missing_secret(interface).map_err(|error| error.while_doing(operation))?;
        }
    }
    Ok(())
}

async fn check_mptcp(generic: &GenericSocket, plan: &Plan) -> Result<(), NipartError> {
    let is_about = |operation: &&Operation| matches!(operation, Operation::ChangeMptcp { .. });
    match plan.operations().find(is_about) {
        Some(operation) => mptcp::check(generic)
            .await
            .map_err(|error| error.while_doing(operation)),
        None => Ok(()),
    }
}

async fn check_functions(dump: &DumpSocket, plan: &Plan) -> Result<(), NipartError> {
    for operation in plan.operations() {
        if let Operation::ChangeVirtualFunctions { interface, sr_iov } = operation {
            sr_iov::check(dump, interface, sr_iov)
                .await
                .map_err(|error| error.while_doing(operation))?;
        }
    }
    Ok(())
}

fn kinds(plan: &Plan) -> impl Iterator<Item = Need<'_>> {
    let mut needed: BTreeMap<String, (&'static dyn LinkKind, &Operation)> = BTreeMap::new();
    for operation in plan.operations() {
        if let Operation::CreateLink { interface, .. } = operation
            && let Some(kind) = kind::of_interface(interface)
        {
            let name = kind.info_kind().to_string();
            needed.entry(name).or_insert((kind, operation));
        }
    }
    needed.into_values().map(|(kind, operation)| Need {
        operation,
        request: NetlinkRequest::create_link(without_queues(kind)),
        is_lacking: |error| matches!(error, NetlinkError::Kernel(error) if error.text.as_deref() == Some(UNKNOWN_KIND)),
        what: format!("{} support (module \"{}\")", kind.feature(), kind.module()),
    })
}

/// A link that can't be: the kernel looks for its kind, then at the number of its queues (`rtnl_create_link`).
fn without_queues(kind: &dyn LinkKind) -> LinkMessage {
    let mut message = LinkMessage::default();
    let info = kind::link_info(kind.info_kind(), None);
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message.attributes.push(LinkAttribute::NumTxQueues(0));
    message
}

fn vlan_filtering(plan: &Plan) -> Option<Need<'_>> {
    let operation = plan.operations().find(|operation| match operation {
        Operation::ChangeBridgePort { port } => port.vlan.is_some(),
        Operation::CreateLink { interface, .. } | Operation::ChangeSection { interface } => {
            looks_at_vlans(interface)
        }
        _ => false,
    })?;
    let mut payload = vec![0; VLAN_MESSAGE_LENGTH];
    payload[0] = u8::from(AddressFamily::Bridge);
    Some(Need {
        operation,
        // No link has the number 0.
        request: NetlinkRequest::raw(RTM_NEWVLAN, 0, payload),
        is_lacking: |error| matches!(error, NetlinkError::Kernel(error) if error.is_unsupported()),
        what: "VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING)".to_string(),
    })
}

fn looks_at_vlans(interface: &Interface) -> bool {
    let bridge = interface.bridge.as_ref();
    let says_something = |vlan: &PortVlan| !vlan.is_reset();
    let options = bridge.and_then(|bridge| bridge.options.as_ref());
    bridge.is_some_and(|bridge| bridge.vlans().any(says_something))
        || options.is_some_and(|options| {
            options.vlan_filtering == Some(true)
                || options.vlan_protocol.is_some()
                || options.vlan_default_pvid.is_some()
        })
}
