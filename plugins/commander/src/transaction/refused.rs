// SPDX-License-Identifier: Apache-2.0

//! What somebody else was quicker to make: the kernel says that it is there, so it is not ours to take away.

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::operation::{Operation, Plan};

/// How the kernel's refusal to make what there is already ends.
const EXISTS: &str = "(EEXIST)";

/// The plan without what was refused because it is there: that is what there may be to undo. None when it is all.
pub(super) fn without_refused(plan: &Plan, failures: &[NipartError]) -> Option<Plan> {
    let is_refused = |operation: &Operation| {
        let makes_something = matches!(
            operation,
            Operation::CreateLink { .. } | Operation::AddAddress { .. } | Operation::AddRoute(_)
        );
        let doing = format!("{operation}: ");
        makes_something
            && failures.iter().any(|failure| {
                failure.kind == ErrorKind::KernelRefused
                    && failure.message.starts_with(&doing)
                    && failure.message.ends_with(EXISTS)
            })
    };
    if !plan.operations().any(is_refused) {
        return None;
    }
    let rest = |wave: &Vec<Operation>| -> Vec<Operation> {
        let others = wave.iter().filter(|operation| !is_refused(operation));
        others.cloned().collect()
    };
    Some(Plan {
        waves: plan
            .waves
            .iter()
            .map(rest)
            .filter(|wave| !wave.is_empty())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use nipart_schemas::interface::{Interface, InterfaceType};

    use super::*;

    fn create(name: &str) -> Operation {
        let interface = Interface {
            interface_type: Some(InterfaceType::LinuxBridge),
            ..Interface::named(name)
        };
        Operation::CreateLink {
            interface: Box::new(interface),
            peer: None,
        }
    }

    fn refused(text: &str) -> NipartError {
        NipartError::new(ErrorKind::KernelRefused, text)
    }

    #[test]
    fn only_what_is_there_is_left_out() {
        let plan = Plan {
            waves: vec![vec![create("br1"), create("br10")], vec![create("br2")]],
        };
        let because = |why: &str| {
            without_refused(
                &plan,
                &[refused(&format!("create linux-bridge br1: {why}"))],
            )
        };
        let left = because("File exists (EEXIST)").map(|plan| plan.waves);
        assert_eq!(left, Some(vec![vec![create("br10")], vec![create("br2")]]));
        assert_eq!(because("Invalid argument (EINVAL)"), None);
        assert_eq!(
            without_refused(&plan, &[refused("query: File exists (EEXIST)")]),
            None
        );
    }
}
