// SPDX-License-Identifier: Apache-2.0

//! Executing plans.
//!
//! ```text
//!  for each wave:   operations ──build──▶ tasks ──▶ runs of one way ──▶ messages, 64 a system call
//!                        ▲                                         ├──▶ links to delete, in groups
//!                      names                                       └──▶ files under /proc/sys
//! ```
//!
//! A wave is built as a whole before anything of it is sent: an operation that can't be put into a message, say
//! because a link that it names doesn't exist, keeps the whole wave from being started. Tasks are done in the given
//! order; neighbours that go the same way go together.

mod address;
mod build;
mod deletion;
mod in_order;
mod ip_stack;
mod link;
mod names;
mod route;
mod route_rule;
mod support;
mod tun;

use std::collections::BTreeMap;
use std::time::Duration;

use nipart_netlink::{
    ApplySocket, DumpSocket, GenericSocket, KernelError, NetlinkError, NetlinkRequest, OnFailure,
};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, SrIov};
use nipart_schemas::operation::{ExecutionReport, Operation, Plan};

use self::in_order::in_order;
use self::ip_stack::Switch;
pub(crate) use self::link::{common, queue_attributes};
pub(crate) use self::names::Names;
pub(crate) use self::tun::TunDevice;
use crate::error::from_netlink;
use crate::key_agreement::KeyAgreements;
use crate::mptcp::{self, Endpoints};
use crate::{awaited, hardware, sr_iov, wireguard};

/// Messages that are sent before it is looked whether one failed: what fits into one system call.
const BATCH: usize = 64;

/// How long drivers may take to make a link of a virtual function.
const APPEARANCE_LIMIT: Duration = Duration::from_secs(60);

/// One step of an operation.
#[derive(Debug)]
pub(crate) enum Step {
    /// A message. Refusals for which `forgives` holds mean that all is as wanted already.
    Send {
        request: Box<NetlinkRequest>,
        forgives: fn(&KernelError) -> bool,
    },
    /// Wait until there is a link of this name.
    Await(String),
    /// Delete the link with this number.
    Delete(u32),
    /// Write switches, one after the other.
    Write(Vec<Switch>),
    /// Make a device, or change it.
    Settle(TunDevice),
    /// Change what no message about links can: keys and peers, settings of the hardware.
    Configure(Box<Interface>),
    /// Change endpoints of multipath TCP.
    ChangeEndpoints(Endpoints),
    /// Change virtual functions of the card with this name.
    ChangeFunctions(String, Box<SrIov>),
}

impl Step {
    fn send(request: NetlinkRequest) -> Self {
        Self::Send {
            request: Box::new(request),
            forgives: |_| false,
        }
    }

    fn send_forgiving(request: NetlinkRequest, forgives: fn(&KernelError) -> bool) -> Self {
        Self::Send {
            request: Box::new(request),
            forgives,
        }
    }

    fn goes_with(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A step, and the position of its operation in the wave.
struct Task {
    position: usize,
    step: Step,
}

/// How a step went; none when it wasn't tried because an earlier one failed.
type Outcome = Option<Result<(), NipartError>>;

/// Executes the plan; see [`crate::Kernel::execute`].
pub(crate) async fn execute(
    dump: &DumpSocket,
    apply: &ApplySocket,
    generic: &GenericSocket,
    agreements: &KeyAgreements,
    plan: &Plan,
) -> ExecutionReport {
    let mut report = ExecutionReport::default();
    let mut names = Names::default();
    if let Err(error) = support::check(dump, apply, generic, plan).await {
        report.failures.push(error);
        return report;
    }
    for wave in &plan.waves {
        execute_wave(
            dump,
            apply,
            generic,
            agreements,
            wave,
            &mut names,
            &mut report,
        )
        .await;
        if !report.failures.is_empty() {
            break;
        }
    }
    report.created = numbers_of_created(dump, plan, &mut names).await;
    report
}

/// Most are known: something else was to be done with them.
async fn numbers_of_created(
    dump: &DumpSocket,
    plan: &Plan,
    names: &mut Names,
) -> BTreeMap<String, u32> {
    let created = || plan.operations().flat_map(names::created);
    if let Err(error) = names.learn(dump, created()).await {
        tracing::warn!("read the links that were created: {error}");
    }
    created()
        .filter_map(|name| Some((name.to_string(), names.find(name)?)))
        .collect()
}

async fn execute_wave(
    dump: &DumpSocket,
    apply: &ApplySocket,
    generic: &GenericSocket,
    agreements: &KeyAgreements,
    wave: &[Operation],
    names: &mut Names,
    report: &mut ExecutionReport,
) {
    let needed = wave.iter().flat_map(build::needed_names);
    if let Err(error) = names.learn(dump, needed).await {
        let first = wave.iter().take(1);
        report.failures.extend(first.map(|operation| {
            from_netlink(&error).while_doing(format_args!("{operation}: read links"))
        }));
        return;
    }
    let mut tasks = Vec::with_capacity(wave.len());
    for (position, operation) in wave.iter().enumerate() {
        match build::steps(operation, names) {
            Ok(steps) => tasks.extend(steps.into_iter().map(|step| Task { position, step })),
            Err(error) => report.failures.push(error.while_doing(operation)),
        }
    }
    if !report.failures.is_empty() {
        return;
    }

    for operation in wave {
        if let Operation::DeleteLink { interface } = operation
            && let Err(error) = agreements.stop(interface).await
        {
            report.failures.push(error.while_doing(operation));
            return;
        }
    }
    let mut progress = Progress::new(wave, &tasks);
    let mut rest = tasks.into_iter().peekable();
    while let Some(first) = rest.next()
        && progress.failures.is_empty()
    {
        let mut run = vec![first];
        while let Some(task) = rest.next_if(|task| task.step.goes_with(&run[0].step)) {
            run.push(task);
        }
        let positions: Vec<usize> = run.iter().map(|task| task.position).collect();
        let outcomes = execute_run(dump, apply, generic, agreements, run).await;
        for (position, outcome) in positions.into_iter().zip(outcomes) {
            progress.note(position, outcome);
        }
    }
    // What was created has a new number, also when a link of that name was known before.
    wave.iter().for_each(|operation| names.outdate(operation));
    report.succeeded += progress.succeeded();
    report.failures = progress.failures;
}

/// Counts what is done of a wave.
struct Progress<'a> {
    wave: &'a [Operation],
    /// Steps to be done of each operation.
    open: Vec<usize>,
    failures: Vec<NipartError>,
    last_failed: Option<usize>,
}

impl<'a> Progress<'a> {
    fn new(wave: &'a [Operation], tasks: &[Task]) -> Self {
        let mut open = vec![0; wave.len()];
        tasks.iter().for_each(|task| open[task.position] += 1);
        Self {
            wave,
            open,
            failures: Vec::new(),
            last_failed: None,
        }
    }

    fn note(&mut self, position: usize, outcome: Outcome) {
        match outcome {
            Some(Ok(())) => self.open[position] -= 1,
            // What follows from the first failure of an operation says nothing new.
            Some(Err(error)) if self.last_failed != Some(position) => {
                self.last_failed = Some(position);
                let operation = &self.wave[position];
                self.failures.push(error.while_doing(operation));
            }
            Some(Err(_)) | None => {}
        }
    }

    fn succeeded(&self) -> usize {
        self.open.iter().filter(|open| **open == 0).count()
    }
}

/// Executes steps that all go the same way.
async fn execute_run(
    dump: &DumpSocket,
    apply: &ApplySocket,
    generic: &GenericSocket,
    agreements: &KeyAgreements,
    run: Vec<Task>,
) -> Vec<Outcome> {
    let mut messages = Vec::new();
    let mut links = Vec::new();
    let mut switches = Vec::new();
    let mut sections = Vec::new();
    let mut devices = Vec::new();
    let mut endpoints = Vec::new();
    let mut cards = Vec::new();
    let mut names = Vec::new();
    for task in run {
        match task.step {
            Step::Send { request, forgives } => messages.push((*request, forgives)),
            Step::Await(name) => names.push(name),
            Step::Delete(link) => links.push(link),
            Step::Write(list) => switches.push(list),
            Step::Configure(interface) => sections.push(interface),
            Step::Settle(device) => devices.push(device),
            Step::ChangeEndpoints(wanted) => endpoints.push(wanted),
            Step::ChangeFunctions(card, wanted) => cards.push((card, wanted)),
        }
    }
    if !messages.is_empty() {
        send(apply, messages).await
    } else if !links.is_empty() {
        deletion::delete(dump, apply, &links).await
    } else if !sections.is_empty() {
        one_by_one(sections, |interface| {
            configure(generic, agreements, interface)
        })
        .await
    } else if !endpoints.is_empty() {
        one_by_one(endpoints, |wanted| mptcp::configure(generic, wanted)).await
    } else if !names.is_empty() {
        one_by_one(names, |name| appearance(dump, name)).await
    } else if !cards.is_empty() {
        one_by_one(cards, |(card, wanted)| {
            sr_iov::configure(dump, apply, card, wanted)
        })
        .await
    } else if !devices.is_empty() {
        in_order("/dev/net/tun", devices, tun::settle).await
    } else {
        in_order("writing to /proc/sys", switches, |list| {
            ip_stack::write(list)
        })
        .await
    }
}

async fn appearance(dump: &DumpSocket, name: String) -> Result<(), NipartError> {
    let appeared = awaited::link(dump, &name, APPEARANCE_LIMIT, |_| true).await;
    match appeared.map_err(|error| from_netlink(&error))? {
        true => Ok(()),
        false => Err(NipartError::new(
            ErrorKind::Timeout,
            format!(
                "it has not appeared within {APPEARANCE_LIMIT:?}: is its name right, and the driver of virtual functions there?"
            ),
        )),
    }
}

async fn configure(
    generic: &GenericSocket,
    agreements: &KeyAgreements,
    interface: Box<Interface>,
) -> Result<(), NipartError> {
    if let Some(section) = &interface.macsec {
        return agreements.start(&interface.name, section).await;
    }
    match &interface.wireguard {
        Some(section) => wireguard::configure(generic, &interface.name, section).await,
        None if interface.has_hardware() => hardware::configure(generic, &interface).await,
        None => Ok(()),
    }
}

/// Does the work for each in order, up to the first that fails.
async fn one_by_one<T, F>(items: Vec<T>, work: impl Fn(T) -> F) -> Vec<Outcome>
where
    F: Future<Output = Result<(), NipartError>>,
{
    let total = items.len();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(total);
    for item in items {
        let outcome = work(item).await;
        let failed = outcome.is_err();
        outcomes.push(Some(outcome));
        if failed {
            break;
        }
    }
    outcomes.resize(total, None);
    outcomes
}

type Message = (NetlinkRequest, fn(&KernelError) -> bool);

async fn send(apply: &ApplySocket, messages: Vec<Message>) -> Vec<Outcome> {
    let total = messages.len();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(total);
    let mut messages = messages.into_iter();
    while messages.len() > 0 {
        let (requests, forgives): (Vec<_>, Vec<_>) = messages.by_ref().take(BATCH).unzip();
        let results = apply.execute(requests, OnFailure::Continue).await;
        let mut failed = false;
        for (result, forgives) in results.into_iter().zip(forgives) {
            let outcome = forgive(result, forgives);
            failed |= outcome.is_err();
            outcomes.push(Some(outcome));
        }
        if failed {
            break;
        }
    }
    outcomes.resize(total, None);
    outcomes
}

/// The outcome of a message, with refusals turned into success that say that all is as wanted already.
fn forgive(
    result: Result<(), NetlinkError>,
    forgives: fn(&KernelError) -> bool,
) -> Result<(), NipartError> {
    match result {
        Err(NetlinkError::Kernel(error)) if forgives(&error) => Ok(()),
        other => other.map_err(|error| from_netlink(&error)),
    }
}

fn unsupported(text: &str) -> NipartError {
    NipartError::new(ErrorKind::NotSupported, text)
}
