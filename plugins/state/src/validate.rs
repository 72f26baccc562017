// SPDX-License-Identifier: Apache-2.0

//! Refuses a wanted state whole, before anything is planned. Each error carries the field path in the document.

mod hardware;
mod infiniband;
mod interface;
mod ip;
mod ipvlan;
mod mptcp;
mod name;
mod port;
mod reference;
mod resolver;
mod route;
mod route_rule;
mod sr_iov;
mod stack;
mod wait_ip;

use std::collections::HashMap;

use nipart_schemas::error::NipartError;

use crate::context::Context;

pub(crate) use self::interface::check_link_name;
pub(crate) use self::route::check_slots;

/// Checks everything that can be known before the kernel is asked to change.
pub(crate) fn check(context: &Context<'_>) -> Result<(), NipartError> {
    let mut first_places = HashMap::new();
    for (index, interface) in context.desired.interfaces.iter().enumerate() {
        let path = format!("interfaces[{index}]");
        if let Some(first) = first_places.insert(interface.name.as_str(), index) {
            return Err(NipartError::invalid(
                format!("{path}.name"),
                format!(
                    "interface {} is listed twice, first as interfaces[{first}]",
                    interface.name
                ),
            ));
        }
        interface::check(context, interface, &path)?;
        ip::check(context, interface, &path)?;
        wait_ip::check(context, interface, &path)?;
        mptcp::check(interface, &path)?;
    }
    name::check(context)?;
    reference::check(context)?;
    ipvlan::check(context)?;
    infiniband::check(context)?;
    stack::check(context)?;
    route::check(context)?;
    route_rule::check(context)?;
    resolver::check(context)
}
