// SPDX-License-Identifier: Apache-2.0

//! `org.varlink.service`: what every Varlink service says of itself.

use serde::{Deserialize, Serialize};

use crate::INTERFACE_DESCRIPTION;
use crate::reply::CallError;

/// Name of the interface.
pub const INTERFACE: &str = "org.varlink.service";

/// Text of the interface.
const DESCRIPTION: &str = "\
# What every Varlink service says of itself.
interface org.varlink.service

# Who made the service, and its interfaces.
method GetInfo() -> (vendor: string, product: string, version: string, url: string, interfaces: []string)

# The text of an interface.
method GetInterfaceDescription(interface: string) -> (description: string)

# There is no such interface.
error InterfaceNotFound (interface: string)

# There is no such method.
error MethodNotFound (method: string)

# The method is described but not there.
error MethodNotImplemented (method: string)

# A parameter is unknown, missing or wrong.
error InvalidParameter (parameter: string)

# The caller may not do this.
error PermissionDenied ()

# The method replies more than once: call it with `more`.
error ExpectedMore ()
";

/// Parameters of the reply to `GetInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Information {
    /// Who made it.
    pub vendor: String,
    /// What it is.
    pub product: String,
    /// Its version.
    pub version: String,
    /// Where to read more.
    pub url: String,
    /// What it offers.
    pub interfaces: Vec<String>,
}

/// Parameters of `GetInterfaceDescription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceDescriptionParameters {
    /// Its name.
    pub interface: String,
}

/// Parameters of the reply to `GetInterfaceDescription`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceDescription {
    /// Its text.
    pub description: String,
}

/// What we say of ourselves.
pub fn information() -> Information {
    Information {
        vendor: "Nipart".to_string(),
        product: "Nipart".to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        url: env!("CARGO_PKG_REPOSITORY").to_string(),
        interfaces: vec![INTERFACE.to_string(), crate::INTERFACE.to_string()],
    }
}

/// The text of the interface of that name.
///
/// # Errors
/// When there is none.
pub fn description(interface: &str) -> Result<InterfaceDescription, CallError> {
    let description = match interface {
        crate::INTERFACE => INTERFACE_DESCRIPTION,
        INTERFACE => DESCRIPTION,
        _ => return Err(CallError::InterfaceNotFound(interface.to_string())),
    };
    Ok(InterfaceDescription {
        description: description.to_string(),
    })
}
