// SPDX-License-Identifier: Apache-2.0

//! What the client tells the daemon about the lease of one link, and how unheard news are merged.

pub use nipart_schemas::lease::LeaseEvent;

/// Merges `unheard`, which nobody has taken yet, with the `newer` event: a slow listener needs to hear one thing only.
///
/// The newer event stands, but a listener that has not heard of the lease must be told that it was acquired, and one
/// that has not heard of a change must be told that there was one.
#[must_use]
pub fn merged(unheard: LeaseEvent, newer: LeaseEvent) -> LeaseEvent {
    use LeaseEvent::{Acquired, Changed, Renewed};
    match (unheard, newer) {
        (Acquired(_), Changed(lease) | Renewed(lease)) => Acquired(lease),
        (Changed(_), Renewed(lease)) => Changed(lease),
        (_, newer) => newer,
    }
}

#[cfg(test)]
mod tests;
