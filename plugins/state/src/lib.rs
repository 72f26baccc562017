// SPDX-License-Identifier: Apache-2.0

//! The state plugin: the one function that decides.
//!
//! [`decide`] takes what is wanted, what the kernel has, what was saved and what DHCP servers lent, and returns the
//! operations that lead from one to the other. It does no I/O and keeps nothing: the same input gives the same plan,
//! for a user's apply, a link that came up, a lease that changed, a boot or an undo. A state is verified by deciding
//! once more with what the kernel has afterwards: nothing may be left to do.
//!
//! The way of a request: [`context`] (look-ups) → [`validate`] (refuse whole) → [`goal`] (what each interface is to
//! become) → [`plan`] (operations in waves).

mod context;
mod explain;
mod goal;
mod identity;
mod kind;
mod lease;
mod plan;
mod plugin;
mod presumed;
mod undo;
mod validate;

use nipart_schemas::decision::{Decision, DecisionRequest};
use nipart_schemas::error::NipartError;

pub use self::identity::{has_identities, identify, names_functions, unlisted};
pub use self::kind::needs_recreation;
pub use self::lease::{client_id, duid, routes_of_lease};
pub use self::plugin::run;
pub use self::presumed::presumed;

/// Decides what to do.
///
/// # Errors
/// When the wanted state is refused; the error's path says where in `request.desired`.
pub fn decide(request: &DecisionRequest) -> Result<Decision, NipartError> {
    match &request.undo {
        Some(undone) => undo::decide(request, undone),
        None => {
            let context = context::Context::new(request)?;
            validate::check(&context)?;
            let goals = goal::resolve(&context);
            validate::check_slots(&context, &goals)?;
            Ok(plan::build(&context, &goals))
        }
    }
}
