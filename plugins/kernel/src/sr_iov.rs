// SPDX-License-Identifier: Apache-2.0

//! Virtual functions: their number is in files of the card's device, what each may do in messages about its link.

mod device;
mod function;

use std::time::Duration;

use nipart_netlink::packet::link::{LinkAttribute, LinkFlags, LinkMessage, LinkVfInfo};
use nipart_netlink::{
    ApplySocket, DumpSocket, LinkFilter, NetlinkError, NetlinkRequest, OnFailure,
};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::sr_iov::{VirtualFunction, VirtualFunctions};
use nipart_schemas::interface::{Interface, SrIov};
use nipart_schemas::overlay::Overlay;
use nipart_schemas::request::QueryScope;

use self::device::Device;
use crate::error::{from_netlink, no_such_link};
use crate::query::Link;
use crate::{awaited, hardware};

/// Functions are asked for by themselves: each adds hundreds of bytes to what the kernel tells of a link, and a question
/// to the card's firmware.
const WITH_FUNCTIONS: LinkFilter = LinkFilter {
    kind: None,
    controller: None,
    ipv6_statistics: false,
    virtual_functions: true,
};
/// How long a card may take to agree upon its speed with the other end.
const CARRIER_LIMIT: Duration = Duration::from_secs(10);

/// Adds virtual functions to those of the interfaces that the scope asks for, and whose cards can have some.
pub(crate) async fn observe(
    dump: &DumpSocket,
    scope: &QueryScope,
    interfaces: &mut [Interface],
) -> Result<(), NetlinkError> {
    for interface in hardware::meant(scope, interfaces) {
        let Some((device, max_vfs)) = Device::with_functions(interface) else {
            continue;
        };
        let Some(message) = dump.link(&interface.name, WITH_FUNCTIONS).await? else {
            continue;
        };
        let told = Told::from(&message);
        let mut functions = told.functions;
        for function in &mut functions.0 {
            function.iface_name = device.interface_of(function.id);
        }
        let section = SrIov {
            drivers_autoprobe: device.drivers_autoprobe(),
            total_vfs: Some(told.number),
            max_vfs: Some(max_vfs),
            vfs: (!functions.0.is_empty()).then_some(functions),
        };
        let ethernet = interface.ethernet.get_or_insert_default();
        ethernet.sr_iov = Some(Box::new(section));
    }
    Ok(())
}

/// Whether the files can be written that such a change needs: nothing is changed yet.
pub(crate) async fn check(
    dump: &DumpSocket,
    name: &str,
    wanted: &SrIov,
) -> Result<(), NipartError> {
    let (device, _) = find(dump, name).await?;
    device.check(wanted)
}

/// Changes what isn't so yet of what is wanted.
pub(crate) async fn configure(
    dump: &DumpSocket,
    apply: &ApplySocket,
    name: String,
    wanted: Box<SrIov>,
) -> Result<(), NipartError> {
    let (device, message) = find(dump, &name).await?;
    let number = Told::from(&message).number;
    device.set_drivers_autoprobe(wanted.drivers_autoprobe)?;
    if let Some(total) = wanted.total_vfs.filter(|total| *total != number) {
        device.set_number(number, total).await?;
    }
    let Some(functions) = wanted.vfs else {
        return Ok(());
    };
    let (_, message) = find(dump, &name).await?;
    let result = set_functions(apply, &message, &functions).await;
    let flags = message.header.flags;
    let may_get_carrier = flags.contains(LinkFlags::Up) && !flags.contains(LinkFlags::LowerUp);
    if result.is_err() && may_get_carrier && functions.0.iter().any(function::has_rate) {
        // Some drivers judge rates by the card's speed, which takes a moment after the card was set up, or has reset
        // itself for another number of functions. Without a carrier the driver has the last word.
        let has_carrier = |card: &LinkMessage| card.header.flags.contains(LinkFlags::LowerUp);
        awaited::link(dump, &name, CARRIER_LIMIT, has_carrier)
            .await
            .map_err(|error| from_netlink(&error))?;
        let (_, message) = find(dump, &name).await?;
        return set_functions(apply, &message, &functions).await;
    }
    result
}

async fn set_functions(
    apply: &ApplySocket,
    card: &LinkMessage,
    wanted: &VirtualFunctions,
) -> Result<(), NipartError> {
    let present = Told::from(card).functions;
    let mut changes = wanted.clone();
    changes.keep_differences(&present);
    let (ids, requests): (Vec<u32>, Vec<NetlinkRequest>) = changes
        .0
        .iter()
        .map(|changes| {
            let mut complete = changes.clone();
            complete.fill_from(&present.find(changes.id).cloned().unwrap_or_default());
            let request = request(card.header.index, changes, &complete);
            (changes.id, request)
        })
        .unzip();
    let results = apply.execute(requests, OnFailure::Continue).await;
    for (id, result) in ids.into_iter().zip(results) {
        result.map_err(|error| from_netlink(&error).while_doing(format_args!("function {id}")))?;
    }
    Ok(())
}

fn request(link: u32, changes: &VirtualFunction, complete: &VirtualFunction) -> NetlinkRequest {
    let mut message = LinkMessage::default();
    message.header.index = link;
    let list = vec![LinkVfInfo(function::compose(changes, complete))];
    message.attributes.push(LinkAttribute::VfInfoList(list));
    NetlinkRequest::change_link(message)
}

/// What the kernel tells of a card's functions.
struct Told {
    number: u32,
    functions: VirtualFunctions,
}

impl From<&LinkMessage> for Told {
    fn from(message: &LinkMessage) -> Self {
        let mut told = Self {
            number: 0,
            functions: VirtualFunctions::default(),
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::NumVf(number) => told.number = *number,
                LinkAttribute::VfInfoList(list) => {
                    let functions = list.iter().filter_map(|info| function::read(&info.0));
                    told.functions.0 = functions.collect();
                }
                _ => {}
            }
        }
        told
    }
}

async fn find(dump: &DumpSocket, name: &str) -> Result<(Device, LinkMessage), NipartError> {
    let found = dump.link(name, WITH_FUNCTIONS).await;
    let message = found.map_err(|error| from_netlink(&error))?;
    let message = message.ok_or_else(|| no_such_link(name))?;
    let device = Link::from_message(message.clone())
        .and_then(|link| Some(Device::with_functions(&link.interface)?.0));
    let device = device.ok_or_else(|| {
        let text = format!("{name} is no network card with SR-IOV");
        NipartError::new(ErrorKind::NotSupported, text)
    })?;
    Ok((device, message))
}
