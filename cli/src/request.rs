// SPDX-License-Identifier: Apache-2.0

//! Arguments, checked: every file is read and parsed before the daemon is asked anything.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use nipart_api::call::ShowParameters;
use nipart_policy::Captured;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::StateSource;

use crate::arguments::{
    ApplyArguments, ChangeArguments, CheckpointCommand, Command, HistoryArguments, HistoryCommand,
    PersistArguments, PluginCommand, PolicyArguments, ReportFormat, StateFormat,
    StatisticArguments, TraceCommand,
};
use crate::captured;
use crate::failure::Failure;
use crate::input::{self, Input, PolicyInput, Wanted};
use crate::output::note;

/// How long an apply may take, in seconds.
const APPLY_TIMEOUT: u32 = 120;

/// How long a change without `--confirm` waits to be committed, in seconds.
const CONFIRM_TIMEOUT: u32 = 60;

/// What a command needs.
#[derive(Debug)]
pub(crate) enum Request {
    Show {
        parameters: ShowParameters,
        /// Without what nobody has set.
        only_config: bool,
        format: StateFormat,
    },
    Edit(Vec<String>, Change),
    Service(PathBuf, Change),
    Persist(PersistRequest),
    Statistic {
        state: Box<NetworkState>,
        current: Option<Box<NetworkState>>,
        is_json: bool,
    },
    Apply(ApplyRequest),
    Plan {
        inputs: Vec<Wanted>,
        verbose: bool,
        format: ReportFormat,
    },
    Validate(Box<Wanted>, Against, StateFormat),
    Format(Box<Input>, StateFormat),
    Diff(Wanted, ReportFormat),
    Policy(Box<PolicyRequest>),
    Commit(Option<String>),
    Rollback(Option<String>),
    ListCheckpoints(ReportFormat),
    /// Give up what can't be taken back.
    Forget(String),
    Status(ReportFormat),
    GenerateRevert(Wanted, StateFormat),
    History(HistoryRequest),
    ListPlugins(ReportFormat),
    ListTraces(usize, ReportFormat),
    ShowTrace(String, ReportFormat),
    Monitor(ReportFormat),
    Ping,
    Version,
}

/// What `validate` checks a file against.
#[derive(Debug)]
pub(crate) enum Against {
    /// What the daemon sees, if there is a daemon.
    Running,
    /// What a file shows.
    Shown(Box<NetworkState>),
    /// What the file itself takes for granted.
    Nothing,
}

/// What `apply` needs.
#[derive(Debug)]
pub(crate) struct ApplyRequest {
    pub(crate) inputs: Vec<Wanted>,
    pub(crate) change: Change,
    /// Do it in this process, with these directories.
    pub(crate) without_daemon: Option<Directories>,
}

/// What `policy` needs.
#[derive(Debug)]
pub(crate) struct PolicyRequest {
    pub(crate) input: PolicyInput,
    /// The network as a file shows it; the daemon's when none.
    pub(crate) current: Option<NetworkState>,
    /// What was captured before.
    pub(crate) captured: Captured,
    /// Where to write what is captured.
    pub(crate) captured_file: Option<PathBuf>,
    pub(crate) format: StateFormat,
}

/// How a change is made.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) verify: bool,
    pub(crate) memory_only: bool,
    pub(crate) confirm: Confirm,
    pub(crate) no_wait: bool,
    pub(crate) note: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) format: ReportFormat,
}

impl Change {
    /// What `apply` does where nothing else is said.
    fn usual() -> Self {
        Self {
            verify: true,
            memory_only: false,
            confirm: Confirm::No,
            no_wait: false,
            note: None,
            timeout: Duration::from_secs(APPLY_TIMEOUT.into()),
            format: ReportFormat::Text,
        }
    }
}

/// What `persist-nic-names` needs.
#[derive(Debug)]
pub(crate) struct PersistRequest {
    pub(crate) work: PersistWork,
    pub(crate) is_dry_run: bool,
    pub(crate) root: PathBuf,
    /// The file for arguments of the kernel.
    pub(crate) kernel_arguments: Option<PathBuf>,
}

/// What to do with names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PersistWork {
    Save,
    CleanUp,
    Inspect,
}

/// Who says that a change is kept; times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirm {
    /// Nobody has to.
    No,
    /// Whoever is at the terminal.
    Ask(u32),
    /// Whoever runs `commit`.
    Later(u32),
}

/// What `history` needs.
#[derive(Debug)]
pub(crate) enum HistoryRequest {
    List(usize, ReportFormat),
    Show(u64, ReportFormat),
    Diff(u64, u64, ReportFormat),
    Revert(u64, Change),
    Rollback(u64, Change),
}

/// Where the daemon would keep things.
#[derive(Debug)]
pub(crate) struct Directories {
    pub(crate) state: PathBuf,
    pub(crate) run: PathBuf,
    pub(crate) states: PathBuf,
}

/// Checks what was typed, and reads the files that it names.
pub(crate) fn check(command: Command, is_verbose: bool) -> Result<Request, Failure> {
    Ok(match command {
        Command::Show(arguments) => {
            let source = match (arguments.kernel, arguments.saved) {
                (true, _) => StateSource::Kernel,
                (_, true) => StateSource::Saved,
                _ => StateSource::Running,
            };
            let parameters = ShowParameters {
                interfaces: (!arguments.interfaces.is_empty()).then_some(arguments.interfaces),
                source: Some(source),
                show_secrets: arguments.show_secrets.then_some(true),
            };
            Request::Show {
                parameters,
                only_config: arguments.running_config,
                format: arguments.output.format(),
            }
        }
        Command::Apply(arguments) => Request::Apply(check_apply(arguments)?),
        Command::Set(arguments) => {
            note("set is the old name of apply: please use that");
            Request::Apply(check_apply(arguments)?)
        }
        Command::Plan(arguments) => Request::Plan {
            inputs: input::read_all(&arguments.files)?,
            verbose: is_verbose,
            format: arguments.output,
        },
        Command::Edit(arguments) => {
            Request::Edit(arguments.interfaces, check_change(arguments.change))
        }
        Command::Service(arguments) => Request::Service(arguments.config, Change::usual()),
        Command::PersistNicNames(arguments) => Request::Persist(check_persist(arguments)),
        Command::Statistic(arguments) => check_statistic(&arguments)?,
        Command::Validate(arguments) => {
            let against = match (arguments.current, arguments.offline) {
                (Some(file), _) => Against::Shown(input::read(&file)?.state.into()),
                (None, true) => Against::Nothing,
                (None, false) => Against::Running,
            };
            let wanted = input::read_wanted(&arguments.file)?;
            Request::Validate(wanted.into(), against, arguments.output.format())
        }
        Command::Format(arguments) => {
            let format = arguments.output.format();
            Request::Format(input::read(&arguments.file)?.into(), format)
        }
        Command::Diff(arguments) => {
            Request::Diff(input::read_wanted(&arguments.file)?, arguments.output)
        }
        Command::Policy(arguments) => Request::Policy(check_policy(arguments)?.into()),
        Command::Commit(arguments) => Request::Commit(arguments.checkpoint),
        Command::Rollback(arguments) => Request::Rollback(arguments.checkpoint),
        Command::Checkpoint(CheckpointCommand::List { output }) => Request::ListCheckpoints(output),
        Command::Checkpoint(CheckpointCommand::Forget { checkpoint }) => {
            Request::Forget(checkpoint)
        }
        Command::Status(arguments) => Request::Status(arguments.output),
        Command::GenerateRevert(arguments) => Request::GenerateRevert(
            input::read_wanted(&arguments.file)?,
            arguments.output.format(),
        ),
        Command::History(arguments) => Request::History(check_history(arguments)),
        Command::Plugin(PluginCommand::List { output }) => Request::ListPlugins(output),
        Command::Trace(TraceCommand::List { limit, output }) => Request::ListTraces(limit, output),
        Command::Trace(TraceCommand::Show { id, output }) => Request::ShowTrace(id, output),
        Command::Monitor(arguments) => Request::Monitor(arguments.output),
        Command::Ping => Request::Ping,
        Command::Version => Request::Version,
    })
}

fn check_apply(arguments: ApplyArguments) -> Result<ApplyRequest, Failure> {
    let change = check_change(arguments.change);
    if change.confirm != Confirm::No && arguments.files.len() > 1 {
        let error = NipartError::new(
            ErrorKind::InvalidArgument,
            "a change that waits to be committed is made of one file",
        );
        return Err(error.into());
    }
    Ok(ApplyRequest {
        inputs: input::read_all(&arguments.files)?,
        change,
        without_daemon: arguments.no_daemon.then_some(Directories {
            state: arguments.state_dir,
            run: arguments.run_dir,
            states: arguments.states_dir,
        }),
    })
}

fn check_persist(arguments: PersistArguments) -> PersistRequest {
    PersistRequest {
        work: match (arguments.inspect, arguments.cleanup) {
            (true, _) => PersistWork::Inspect,
            (false, true) => PersistWork::CleanUp,
            (false, false) => PersistWork::Save,
        },
        is_dry_run: arguments.dry_run,
        root: arguments.root,
        kernel_arguments: arguments.kargs_out,
    }
}

fn check_statistic(arguments: &StatisticArguments) -> Result<Request, Failure> {
    let mut state = NetworkState::default();
    for file in &arguments.files {
        state = input::read(file)?.state.laid_over(&state);
    }
    let current = arguments.current.as_deref().map(input::read).transpose()?;
    Ok(Request::Statistic {
        state: state.into(),
        current: current.map(|input| input.state.into()),
        is_json: arguments.json,
    })
}

fn check_change(arguments: ChangeArguments) -> Change {
    let confirm = match (arguments.confirm, arguments.no_commit) {
        (Some(seconds), _) if can_ask() => Confirm::Ask(seconds),
        (Some(seconds), _) => Confirm::Later(seconds),
        (None, true) => Confirm::Later(arguments.timeout.unwrap_or(CONFIRM_TIMEOUT)),
        (None, false) => Confirm::No,
    };
    let timeout = arguments.timeout.filter(|_| !arguments.no_commit);
    Change {
        verify: !arguments.no_verify,
        memory_only: arguments.memory_only,
        confirm,
        no_wait: arguments.no_wait,
        note: arguments.note,
        timeout: Duration::from_secs(timeout.unwrap_or(APPLY_TIMEOUT).into()),
        format: arguments.output,
    }
}

fn check_policy(arguments: PolicyArguments) -> Result<PolicyRequest, Failure> {
    let current = arguments.current.map(|file| input::read(&file));
    let captured = arguments.captured.map(|file| captured::read(&file));
    Ok(PolicyRequest {
        input: input::read_policy(&arguments.file)?,
        current: current.transpose()?.map(|input| input.state),
        captured: captured.transpose()?.unwrap_or_default(),
        captured_file: arguments.output_captured,
        format: match arguments.json {
            true => StateFormat::Json,
            false => StateFormat::Yaml,
        },
    })
}

fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn check_history(arguments: HistoryArguments) -> HistoryRequest {
    let command = arguments
        .command
        .unwrap_or(HistoryCommand::List(arguments.list));
    match command {
        HistoryCommand::List(list) => HistoryRequest::List(list.limit, list.output),
        HistoryCommand::Show { id, output } => HistoryRequest::Show(id, output),
        HistoryCommand::Diff { from, to, output } => HistoryRequest::Diff(from, to, output),
        HistoryCommand::Revert { id, change } => HistoryRequest::Revert(id, check_change(change)),
        HistoryCommand::Rollback { id, change } => {
            HistoryRequest::Rollback(id, check_change(change))
        }
    }
}
