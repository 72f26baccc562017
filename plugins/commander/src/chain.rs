// SPDX-License-Identifier: Apache-2.0

//! The workflows, one file each.

pub mod apply;
pub mod drift;
pub mod lease;
pub mod link;
mod piecemeal;
pub mod plan;
pub mod revert;
pub mod show;
pub mod start;
pub mod status;
