// SPDX-License-Identifier: Apache-2.0

//! Reading and changing everything that this plugin is for.

use nipart_config::durable;
use nipart_schemas::dns::{DnsBackend, DnsOrigin, DnsResolver, DnsSource, changed, effective};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::operation::{ExecutionReport, Operation, Plan};

use crate::paths::Paths;
use crate::resolved::Resolved;
use crate::{host_name, original, resolv_conf, sources};

/// Name resolution and the machine's name.
#[derive(Debug)]
pub struct Names {
    paths: Paths,
}

impl Names {
    /// Everything under these paths. What a boot before this one has left in the place of resolv.conf is taken away.
    pub fn open(paths: Paths) -> Self {
        let names = Self { paths };
        if let Err(error) = names.tidy_up() {
            // Whoever asks hears of it.
            tracing::error!("{error}");
        }
        names
    }

    fn tidy_up(&self) -> Result<(), NipartError> {
        if sources::read(&self.paths.sources)?.is_empty() && original::is_replaced(&self.paths)? {
            original::restore(&self.paths)?;
            tracing::info!("{} is again what it was", self.paths.resolv_conf.display());
        }
        Ok(())
    }

    /// What there is, as a state with nothing else.
    ///
    /// # Errors
    /// Kind `storage`, or what the tools of systemd-resolved say.
    pub async fn query(&self) -> Result<NetworkState, NipartError> {
        let sources = sources::read(&self.paths.sources)?;
        let (backend, text, overwritten) = match Resolved::find(&self.paths) {
            Some(resolved) => {
                let is_so = resolved.follows(&sources).await?;
                (DnsBackend::Resolved, resolved.servers()?, !is_so)
            }
            None => {
                let text = original::text(&self.paths)?.unwrap_or_default();
                let is_so = if sources.is_empty() {
                    !original::is_replaced(&self.paths)?
                } else {
                    text == self.wanted(&sources)?
                };
                (DnsBackend::ResolvConf, text, !is_so)
            }
        };
        let of_machine =
            |source: &&DnsSource| source.interface.is_none() && source.origin == DnsOrigin::Static;
        Ok(NetworkState {
            hostname: Some(host_name::read(&self.paths.hostname_file)?),
            dns_resolver: Some(DnsResolver {
                running: Some(resolv_conf::shown(&text)),
                config: sources.iter().find(of_machine).and_then(DnsSource::config),
                sources,
                backend: Some(backend),
                overwritten,
            }),
            ..NetworkState::default()
        })
    }

    /// Executes the plan, wave after wave, up to the first failure.
    pub async fn execute(&self, plan: &Plan) -> ExecutionReport {
        let mut report = ExecutionReport::default();
        for wave in &plan.waves {
            let (changes, others): (Vec<_>, Vec<_>) = wave
                .iter()
                .partition(|operation| matches!(operation, Operation::ChangeDns(_)));
            if let Some(first) = changes.first() {
                match self.change_sources(&changes).await {
                    Ok(()) => report.succeeded += changes.len(),
                    Err(error) => report.failures.push(error.while_doing(first)),
                }
            }
            for operation in others {
                match self.execute_one(operation) {
                    Ok(()) => report.succeeded += 1,
                    Err(error) => report.failures.push(error.while_doing(operation)),
                }
            }
            if !report.failures.is_empty() {
                break;
            }
        }
        report
    }

    fn execute_one(&self, operation: &Operation) -> Result<(), NipartError> {
        match operation {
            Operation::ChangeHostName(names) => host_name::change(&self.paths.hostname_file, names),
            _ => Err(NipartError::new(
                ErrorKind::NotSupported,
                "this version doesn't know the operation",
            )),
        }
    }

    /// All sources of a wave in one step.
    async fn change_sources(&self, operations: &[&Operation]) -> Result<(), NipartError> {
        let before = sources::read(&self.paths.sources)?;
        let changes = operations.iter().filter_map(|operation| match operation {
            Operation::ChangeDns(source) => Some(source),
            _ => None,
        });
        let after = changed(&before, changes);
        // Written first: what is found half done then differs from what it follows from, and is seen to be so.
        sources::write(&self.paths.sources, &after)?;
        let result = match Resolved::find(&self.paths) {
            Some(resolved) => resolved.follow(&before, &after).await,
            None if after.is_empty() => original::restore(&self.paths),
            None => self.replace(&after),
        };
        if result.is_err() {
            sources::write(&self.paths.sources, &before)?;
        }
        result
    }

    fn replace(&self, sources: &[DnsSource]) -> Result<(), NipartError> {
        let text = self.wanted(sources)?;
        original::keep(&self.paths)?;
        durable::publish(
            &self.paths.resolv_conf,
            text.as_bytes(),
            original::FILE_MODE,
        )
    }

    /// The text that resolv.conf is to have.
    fn wanted(&self, sources: &[DnsSource]) -> Result<String, NipartError> {
        let original = original::lists(&self.paths)?;
        let lists = resolv_conf::filled(effective(sources), original);
        Ok(resolv_conf::write(&lists, &self.paths.original))
    }
}
