// SPDX-License-Identifier: Apache-2.0

//! Tests of the types against the interface's text, and of the transport against peers that misbehave.

mod description;
mod messages;
