// SPDX-License-Identifier: Apache-2.0

//! Operations on name resolution and on the machine's names.

use nipart_schemas::operation::Operation;

use super::{Phase, Waves};
use crate::goal::Goals;

pub(super) fn plan(goals: &Goals<'_>, waves: &mut Waves) {
    for source in &goals.sources {
        let operation = Operation::ChangeDns(source.wanted.clone());
        waves.push(Phase::ChangeNames, operation);
    }
    if let Some(names) = &goals.host_name {
        let operation = Operation::ChangeHostName(names.wanted.clone());
        waves.push(Phase::ChangeNames, operation);
    }
}
