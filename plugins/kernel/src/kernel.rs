// SPDX-License-Identifier: Apache-2.0

//! The library's face: three sockets, one question and one command.

use std::path::Path;

use nipart_netlink::{ApplyOptions, ApplySocket, DumpOptions, DumpSocket, GenericSocket};
use nipart_schemas::error::NipartError;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{ExecutionReport, Plan};
use nipart_schemas::request::QueryScope;

use crate::error::from_netlink;
use crate::key_agreement::KeyAgreements;
use crate::{execute, hardware, query, sr_iov, wireguard};

/// The kernel's network, in the network namespace of the thread that opened it.
///
/// Its methods may be called at the same time: what meets on a socket waits for its turn. They need a tokio runtime
/// with time enabled, and never block its thread: the kernel's work is done on threads of their own.
pub struct Kernel {
    dump: DumpSocket,
    apply: ApplySocket,
    generic: GenericSocket,
    agreements: KeyAgreements,
}

impl Kernel {
    /// Opens the sockets. Fails when the system refuses; rights are asked for only by what needs them. Under `run_dir` is
    /// written down what goes on for links until they go or the system is booted.
    pub async fn open(run_dir: &Path) -> Result<Self, NipartError> {
        let options = DumpOptions {
            // On a host where links come and go all the time a slightly blurred picture is better than none.
            accept_interrupted: true,
            ..DumpOptions::default()
        };
        let cannot_open = |error| from_netlink(&error).while_doing("open a netlink socket");
        Ok(Self {
            dump: DumpSocket::open(options).map_err(cannot_open)?,
            apply: ApplySocket::open(ApplyOptions::default()).map_err(cannot_open)?,
            generic: GenericSocket::open().map_err(cannot_open)?,
            agreements: KeyAgreements::new(run_dir),
        })
    }

    /// Reads the present state: `interfaces` sorted by name and complete with all that Nipart knows of, and
    /// `routes.running` if the scope asks for routes. Names that don't exist are missing from the result.
    ///
    /// # Errors
    /// `kernel-refused`, `timeout` (10 s for each dump) or `plugin-failure`, saying what was being read.
    pub async fn query(&self, scope: &QueryScope) -> Result<NetworkState, NipartError> {
        let mut state = query::query(&self.dump, &self.generic, scope).await?;
        wireguard::observe(&self.generic, &mut state.interfaces)
            .await
            .map_err(|error| from_netlink(&error).while_doing("read WireGuard links"))?;
        self.agreements.observe(&mut state.interfaces).await;
        hardware::observe(&self.generic, scope, &mut state.interfaces)
            .await
            .map_err(|error| from_netlink(&error).while_doing("read settings of the hardware"))?;
        sr_iov::observe(&self.dump, scope, &mut state.interfaces)
            .await
            .map_err(|error| from_netlink(&error).while_doing("read virtual functions"))?;
        Ok(state)
    }

    /// Executes the waves in order and stops after the first batch of operations in which one failed. At most 30 s
    /// pass for each batch of 64. Nothing is tried of a plan that needs what the kernel lacks.
    ///
    /// A failure reads `<operation>: <the kernel's text>`. Of an operation that failed with kind `timeout` or
    /// `plugin-failure` it is unknown whether it was done: query to know.
    pub async fn execute(&self, plan: &Plan) -> ExecutionReport {
        let Self {
            dump,
            apply,
            generic,
            agreements,
        } = self;
        execute::execute(dump, apply, generic, agreements, plan).await
    }

    /// What goes on for links beside the kernel.
    pub(crate) fn agreements(&self) -> &KeyAgreements {
        &self.agreements
    }
}
