// SPDX-License-Identifier: Apache-2.0

//! The shell around the rules: listens, looks up, waits.
//!
//! ```text
//!   kernel ── RTNLGRP_LINK ──▶ MonitorSocket ──▶ ┌───────┐
//!   kernel ◀─ look-up, dump ── DumpSocket ─────▶ │ Rules │ ──▶ tellings
//!                              timer ──────────▶ └───────┘
//! ```
//!
//! The socket joins before anything is looked up, so that nothing is missed in between. After an overrun everything
//! that is watched is looked up again, and the rules tell the difference.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use nipart_netlink::packet::RouteNetlinkMessage;
use nipart_netlink::packet::link::{LinkAttribute, LinkFlags, LinkMessage};
use nipart_netlink::{
    DumpOptions, DumpSocket, LinkFilter, MonitorEvent, MonitorGroup, MonitorOptions, MonitorSocket,
    NetlinkError,
};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::Role;
use nipart_schemas::monitor::{LinkCondition, MonitorRule};
use tokio::time::sleep_until;

use crate::changes::Changes;
use crate::message::{belonging_index, link_news};
use crate::rules::{Rules, Telling};

/// Announcements that are taken from the socket at once.
const BATCH: usize = 256;
/// Up to so many names are looked up one by one; more are cheaper in one dump.
const TARGETED_MAX: usize = 16;
/// Pause before links are looked up again when that failed because everything is changing.
const RETRY: Duration = Duration::from_millis(100);

/// What there is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A link came into a condition.
    Link(Telling),
    /// Something of these links may have changed.
    Changed {
        /// Whom to tell.
        followup: Role,
        /// Kernel names.
        names: Vec<String>,
    },
}

/// Follows links and tells what the rules ask for, in the network namespace of the thread that opened it.
///
/// Needs a tokio runtime with I/O and time enabled.
pub struct Monitor {
    rules: Rules,
    changes: Changes,
    options: MonitorOptions,
    /// None while there are no rules: then there is nothing to listen to.
    socket: Option<MonitorSocket>,
    dump: DumpSocket,
    /// When the watched links have to be looked up again, because announcements were lost.
    resync: Option<Instant>,
}

impl Monitor {
    /// Opens the socket for look-ups; nothing is followed before there are rules.
    pub fn open() -> Result<Self, NipartError> {
        Self::open_with(MonitorOptions::default().receive_buffer)
    }

    /// As [`Self::open`], with a receive buffer of so many bytes for announcements.
    pub fn open_with(receive_buffer: usize) -> Result<Self, NipartError> {
        Ok(Self {
            rules: Rules::default(),
            changes: Changes::default(),
            options: MonitorOptions {
                groups: vec![MonitorGroup::Link],
                receive_buffer,
            },
            socket: None,
            // An interrupted dump may lack links, which would be told as absent.
            dump: DumpSocket::open(DumpOptions::default()).map_err(failed)?,
            resync: None,
        })
    }

    /// These rules and no others. Returns what is true of them already.
    ///
    /// # Errors
    /// When links can't be looked up. The rules hold all the same, and what is missing is told by [`Self::next`].
    pub async fn set_rules(
        &mut self,
        rules: Vec<MonitorRule>,
    ) -> Result<Vec<Telling>, NipartError> {
        let (mut tellings, unknown) = self.rules.replace(rules, Instant::now());
        if self.rules.is_empty() {
            self.socket = None;
            self.resync = None;
            return Ok(tellings);
        }
        let groups = self.groups();
        if self.socket.is_none() || self.options.groups != groups {
            self.options.groups = groups;
            self.socket = Some(MonitorSocket::open(&self.options).map_err(failed)?);
        }
        // Should this be dropped half way, the next call finishes it.
        self.resync = Some(Instant::now());
        tellings.extend(self.look_up(unknown).await.map_err(failed)?);
        self.resync = None;
        Ok(tellings)
    }

    /// Waits until there is something to tell; for ever while there are no rules. Safe to drop while waiting.
    ///
    /// # Errors
    /// When the kernel can't be listened to any more.
    pub async fn next(&mut self) -> Result<Vec<News>, NipartError> {
        loop {
            let tellings = self.step().await.map_err(failed)?;
            let mut news: Vec<News> = tellings.into_iter().map(News::Link).collect();
            news.extend(self.take_changes());
            if !news.is_empty() {
                return Ok(news);
            }
        }
    }

    /// What has to be listened to for these rules. Routes only when somebody asks: a routing daemon has millions.
    fn groups(&self) -> Vec<MonitorGroup> {
        let mut groups = vec![MonitorGroup::Link];
        if self.rules.any_wants(LinkCondition::Changed) {
            groups.extend([MonitorGroup::Ipv4Address, MonitorGroup::Ipv6Address]);
        }
        if self.rules.any_wants(LinkCondition::Rerouted) {
            groups.extend([MonitorGroup::Ipv4Route, MonitorGroup::Ipv6Route]);
        }
        groups
    }

    /// Changed links, by whom to tell.
    fn take_changes(&mut self) -> Vec<News> {
        let mut told: BTreeMap<Role, Vec<String>> = BTreeMap::new();
        for name in self.changes.take(Instant::now()) {
            for follower in self.rules.followers_of(&name) {
                told.entry(follower.clone()).or_default().push(name.clone());
            }
        }
        told.into_iter()
            .map(|(followup, names)| News::Changed { followup, names })
            .collect()
    }

    async fn step(&mut self) -> Result<Vec<Telling>, NetlinkError> {
        let now = Instant::now();
        if self.resync.is_some_and(|due| due <= now) {
            return self.look_up_all().await;
        }
        let due = [self.rules.next_due(), self.resync, self.changes.due()]
            .into_iter()
            .flatten()
            .min();
        let Some(socket) = &mut self.socket else {
            return std::future::pending().await;
        };
        let rules = &self.rules;
        let changes = &mut self.changes;
        // What only marks a change needs no parsing; the first of a window wakes us, to watch the clock.
        let matches = |message_type, payload: &[u8]| match link_news(message_type, payload) {
            Some(news) => {
                if let Some(name) = rules.wants_changes(news.index) {
                    changes.mark(name, Instant::now());
                }
                rules.cares_about(news.index, news.name)
            }
            None => belonging_index(message_type, payload)
                .and_then(|index| rules.wants_changes(index))
                .is_some_and(|name| changes.mark(name, Instant::now())),
        };
        tokio::select! {
            events = socket.receive_matching(BATCH, matches) => self.take(events),
            () = sleep_until(due.unwrap_or(now).into()), if due.is_some() => {
                Ok(self.rules.look_again(Instant::now()))
            }
        }
    }

    fn take(
        &mut self,
        events: Result<Vec<MonitorEvent>, NetlinkError>,
    ) -> Result<Vec<Telling>, NetlinkError> {
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(%error, "the socket for announcements is opened anew");
                self.socket = Some(MonitorSocket::open(&self.options)?);
                vec![MonitorEvent::Overrun]
            }
        };
        let now = Instant::now();
        let mut tellings = Vec::new();
        for event in events {
            match event {
                MonitorEvent::Overrun => self.resync = Some(now),
                MonitorEvent::Message(message) => match *message {
                    RouteNetlinkMessage::NewLink(link) => {
                        tellings.extend(self.present(&link, now));
                    }
                    RouteNetlinkMessage::DelLink(link) => {
                        tellings.extend(self.rules.gone(link.header.index, now));
                    }
                    _ => {}
                },
            }
        }
        Ok(tellings)
    }

    fn present(&mut self, link: &LinkMessage, now: Instant) -> Vec<Telling> {
        let is_up = link
            .header
            .flags
            .contains(LinkFlags::Up | LinkFlags::LowerUp);
        match name(link) {
            Some(name) => self.rules.link(link.header.index, name, is_up, now),
            None => Vec::new(),
        }
    }

    /// After an overrun: whatever is watched is looked up again.
    async fn look_up_all(&mut self) -> Result<Vec<Telling>, NetlinkError> {
        let names = self.rules.names().map(str::to_string).collect();
        match self.look_up(names).await {
            Ok(tellings) => {
                self.resync = None;
                Ok(tellings)
            }
            Err(error @ (NetlinkError::Interrupted { .. } | NetlinkError::Timeout { .. })) => {
                tracing::debug!(%error, "links are looked up again later");
                self.resync = Some(Instant::now() + RETRY);
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    async fn look_up(&mut self, names: Vec<String>) -> Result<Vec<Telling>, NetlinkError> {
        let mut found = HashMap::new();
        if names.len() > TARGETED_MAX {
            let named = |link: LinkMessage| {
                let name = name(&link)?.to_string();
                Some((name, reduced(link)))
            };
            found.extend(self.dump.links_map(LinkFilter::default(), named).await?);
        } else {
            for wanted in &names {
                let link = self.dump.link(wanted, LinkFilter::default()).await?;
                // The kernel looks among alternative names as well.
                if let Some(link) = link.filter(|link| name(link) == Some(wanted)) {
                    found.insert(wanted.clone(), link);
                }
            }
        }
        let now = Instant::now();
        let mut tellings = Vec::new();
        for name in names {
            tellings.extend(match found.get(&name) {
                Some(link) => self.present(link, now),
                None => self.rules.absent(&name, now),
            });
        }
        Ok(tellings)
    }
}

/// Header and name only.
fn reduced(mut link: LinkMessage) -> LinkMessage {
    link.attributes
        .retain(|attribute| matches!(attribute, LinkAttribute::IfName(_)));
    link.attributes.shrink_to_fit();
    link
}

fn name(link: &LinkMessage) -> Option<&str> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str()),
            _ => None,
        })
}

fn failed(error: NetlinkError) -> NipartError {
    NipartError::new(ErrorKind::PluginFailure, error.to_string()).while_doing("follow links")
}
