// SPDX-License-Identifier: Apache-2.0

//! Operations on virtual functions of cards.

use nipart_schemas::interface::{Interface, SrIov};
use nipart_schemas::operation::Operation;
use nipart_schemas::overlay::Overlay;

use super::{Phase, Waves};

/// What of a card's virtual functions isn't so.
pub(super) fn plan(wanted: &Interface, present: &Interface, waves: &mut Waves) {
    let (Some(wanted_section), Some(present)) = (wanted.sr_iov(), present.sr_iov()) else {
        return;
    };
    let Some(sr_iov) = changes(wanted_section, present) else {
        return;
    };
    let operation = Operation::ChangeVirtualFunctions {
        interface: wanted.name.clone(),
        sr_iov: Box::new(sr_iov),
    };
    waves.push(Phase::ChangeVirtualFunctions, operation);
}

fn changes(wanted: &SrIov, present: &SrIov) -> Option<SrIov> {
    let mut changes = Some(wanted.clone());
    changes.keep_differences(&Some(present.clone()));
    let mut changes = changes?;
    changes.forget_shown_only();
    if changes.total_vfs.is_some() {
        // The kernel makes all of them anew: what they had is lost.
        let mut all = wanted.clone();
        all.fill_from(present);
        all.forget_shown_only();
        changes.vfs = all.vfs;
    }
    Some(changes)
}
