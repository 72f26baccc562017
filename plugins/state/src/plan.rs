// SPDX-License-Identifier: Apache-2.0

//! Puts the changes that lead to the goals in order.
//!
//! Each operation has a phase and, where links are stacked, a depth within it. A wave is what has the same of both.

mod address;
mod depth;
mod inherited;
mod ip_stack;
mod link;
mod mptcp;
mod name;
mod port;
mod route;
mod route_rule;
mod sr_iov;

pub(crate) use self::port::PortOptions;
use std::collections::{BTreeMap, HashMap, HashSet};

use nipart_schemas::decision::Decision;
use nipart_schemas::operation::{Operation, Plan};

use crate::context::Context;
use crate::goal::{Fate, Goal, Goals};
use crate::{explain, kind};

/// What comes before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Rules go, those with more selectors first, before the routes that they lead to.
    RemoveRules,
    /// Routes go while what they lead through is still there.
    RemoveRoutes,
    /// MPTCP endpoints go before their addresses.
    RemoveEndpoints,
    /// Addresses and alternative names go before others get them.
    RemoveAddresses,
    /// Links go, upper ones first.
    DeleteLinks,
    /// Links go down that must be down to be attached.
    LowerPorts,
    /// Switches of IP change before links come up: what comes then depends on them.
    ChangeIp,
    /// Living links change, lower ones first: an MTU may be what a new link over them needs.
    ChangeLinks,
    /// Links come up again that a controller has let go.
    RaisePorts,
    /// Cards that are up get virtual functions: some drivers want it so.
    ChangeVirtualFunctions,
    /// Links come, lower ones and controllers first; those of virtual functions are awaited.
    CreateLinks,
    /// What needs the new links: attachments, descriptions, names, IPv6 switches.
    SettleLinks,
    /// Options that only an attached port has; then what their controller can do only with them.
    SettlePorts,
    /// Addresses come in the order in which they are written.
    AddAddresses,
    /// MPTCP endpoints come when their addresses are there.
    AddEndpoints,
    /// Routes to what is on the link, which gateways need.
    AddLinkRoutes,
    /// Routes over gateways.
    AddGatewayRoutes,
    /// Routes of the kernel's in whose place ours are there.
    RemoveDisplacedRoutes,
    /// Name resolution, over links and routes that are there.
    ChangeNames,
    /// Rules come when what they lead to is there.
    AddRules,
}

/// Collects operations by phase and depth.
#[derive(Default)]
pub(crate) struct Waves(BTreeMap<(Phase, usize), Vec<Operation>>);

impl Waves {
    pub(crate) fn push(&mut self, phase: Phase, operation: Operation) {
        self.push_at(phase, 0, operation);
    }

    pub(crate) fn push_at(&mut self, phase: Phase, depth: usize, operation: Operation) {
        self.0.entry((phase, depth)).or_default().push(operation);
    }

    fn into_plan(self) -> Plan {
        Plan {
            waves: self.0.into_values().collect(),
        }
    }
}

/// What planning one link needs to know of the others.
pub(crate) struct Surroundings<'p> {
    /// How deep links are stacked that come or stay.
    pub(crate) coming: HashMap<String, usize>,
    /// How deep links are stacked that go.
    pub(crate) going: HashMap<String, usize>,
    /// Second ends of new veth pairs, with the end that each comes with.
    pub(crate) creators: HashMap<String, String>,
    pub(crate) goals: HashMap<&'p str, &'p Goal<'p>>,
    /// Controllers that set their ports up themselves.
    setting_ports_up: HashSet<&'p str>,
    /// Controllers whose ports become others.
    with_other_ports: HashSet<&'p str>,
}

impl<'p> Surroundings<'p> {
    fn of(context: &Context<'p>, goals: &'p Goals<'p>) -> Self {
        let by_name: HashMap<&str, &Goal<'_>> =
            goals.links.iter().map(|goal| (goal.name(), goal)).collect();
        let wanted = goals.links.iter().map(|goal| &goal.wanted);
        let setting_ports_up = wanted
            .chain(&context.observed.interfaces)
            .filter(|interface| kind::sets_ports_up(interface.interface_type.as_ref()))
            .map(|interface| interface.name.as_str())
            .collect();
        let creators = link::creators(&by_name);
        Self {
            coming: depth::coming(&by_name, &creators),
            going: depth::going(&by_name),
            creators,
            goals: by_name,
            setting_ports_up,
            with_other_ports: inherited::with_other_ports(&goals.links),
        }
    }

    pub(crate) fn depth(&self, name: &str) -> usize {
        self.coming.get(name).copied().unwrap_or(0)
    }

    /// Whether the controller takes links that are down, and sets them up.
    pub(crate) fn sets_ports_up(&self, controller: &str) -> bool {
        self.setting_ports_up.contains(controller)
    }

    /// Whether the present link goes, be it to be created anew.
    pub(crate) fn is_gone(&self, name: &str) -> bool {
        let goal = self.goals.get(name);
        goal.is_some_and(|goal| goal.present.is_some() && goal.surviving().is_none())
    }

    pub(crate) fn is_created(&self, name: &str) -> bool {
        self.goals.get(name).is_some_and(|goal| goal.is_created())
    }
}

/// The plan that leads to `goals`.
pub(crate) fn build(context: &Context<'_>, goals: &Goals<'_>) -> Decision {
    let mut waves = Waves::default();
    let surroundings = Surroundings::of(context, goals);
    for goal in &goals.links {
        if goal.fate == Fate::Recreate || goal.fate == Fate::Delete {
            link::delete(goal, &surroundings, &mut waves);
        }
        match goal.fate {
            Fate::Delete => {}
            Fate::Create | Fate::Recreate => link::create(goal, &surroundings, &mut waves),
            Fate::Change => link::change(goal, &surroundings, &mut waves),
        }
        if goal.fate != Fate::Delete {
            address::plan(goal, &mut waves);
        }
    }
    mptcp::plan(goals, &mut waves);
    port::plan(context, goals, &surroundings, &mut waves);
    route::plan(context, goals, &mut waves);
    name::plan(goals, &mut waves);
    route_rule::plan(context, goals, &mut waves);
    let plan = waves.into_plan();
    Decision {
        differences: if context.explain {
            explain::differences(goals, &plan)
        } else {
            Vec::new()
        },
        plan,
        pending: goals.pending.clone(),
    }
}
