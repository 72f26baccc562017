// SPDX-License-Identifier: Apache-2.0

//! Addresses that an apply waits for (`wait-ip`): which are lacking, why, and how one hears that they may have come.

use std::net::IpAddr;
use std::time::Duration;

use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::{Interface, InterfaceState};
use nipart_schemas::ip::{Address, IpFamily};
use nipart_schemas::lease::LeaseProtocol;
use nipart_schemas::network_state::NetworkState;
use nipart_schemas::request::QueryScope;
use tokio::sync::watch;

use crate::ask;
use crate::peers::Peers;

/// Tells that addresses may have changed. Which ones is looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressNews(watch::Sender<()>);

impl AddressNews {
    /// Some may have changed just now.
    pub(crate) fn tell(&self) {
        self.0.send_replace(());
    }

    /// Hears of all that is told from now on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// An interface without the addresses that are waited for.
#[derive(Debug)]
pub(crate) struct Lack<'a> {
    interface: &'a Interface,
    what: &'static str,
}

/// Of the interfaces that `wish` has up, those of which `merged` says that their addresses are waited for.
pub(crate) fn awaited(wish: &NetworkState, merged: &NetworkState) -> Vec<Interface> {
    let merged = merged.by_name();
    let named = wish.interfaces.iter();
    let up = named.filter(|interface| interface.wanted_state() == InterfaceState::Up);
    up.filter_map(|interface| merged.get(interface.name.as_str()).copied())
        .filter(|interface| interface.awaited_addresses().is_some())
        .cloned()
        .collect()
}

/// Those of `awaited` that lack addresses now. Nothing is asked where nothing is awaited.
///
/// # Errors
/// When the kernel can't be read.
pub(crate) async fn lacking<'a>(
    peers: &impl Peers,
    awaited: &'a [Interface],
) -> Result<Vec<Lack<'a>>, NipartError> {
    if awaited.is_empty() {
        return Ok(Vec::new());
    }
    let usable = ask::query(peers, scope(awaited, true)).await?;
    let lack = |interface: &'a Interface| {
        let found = usable.interface(&interface.name);
        let has = |is_meant: fn(&IpAddr) -> bool| {
            found.is_some_and(|found| found.addresses().any(|address| is_meant(&address.ip)))
        };
        let wait = interface.awaited_addresses()?;
        let what = wait.lack(has(IpAddr::is_ipv4), has(IpAddr::is_ipv6))?;
        Some(Lack { interface, what })
    };
    Ok(awaited.iter().filter_map(lack).collect())
}

/// What is lacking, in words.
pub(crate) fn in_words(lacks: &[Lack<'_>]) -> String {
    let words = lacks
        .iter()
        .map(|lack| format!("{} has {}", lack.interface.name, lack.what));
    words.collect::<Vec<_>>().join(", ")
}

/// The addresses have not come within so much time; or, without any, there is nobody who could wait for them.
pub(crate) async fn error(
    peers: &impl Peers,
    lacks: &[Lack<'_>],
    time: Option<Duration>,
) -> NipartError {
    let what = in_words(lacks);
    let error = match time {
        Some(time) => NipartError::new(
            ErrorKind::Timeout,
            format!("wait-ip: {what} after {} s", time.as_secs()),
        ),
        None => NipartError::new(
            ErrorKind::VerificationFailed,
            format!("wait-ip: {what}, and without nipartd nobody can wait for what is to come"),
        ),
    };
    // Why is worth a question, but no further error.
    let reasons = reasons(peers, lacks).await.unwrap_or_default();
    reasons.into_iter().fold(error, NipartError::note)
}

/// Why they lack them, as far as that is known.
async fn reasons(peers: &impl Peers, lacks: &[Lack<'_>]) -> Result<Vec<String>, NipartError> {
    let interfaces: Vec<Interface> = lacks.iter().map(|lack| lack.interface.clone()).collect();
    let (present, usable, leases) = futures::try_join!(
        ask::query(peers, scope(&interfaces, false)),
        ask::query(peers, scope(&interfaces, true)),
        ask::query_leases(peers)
    )?;
    let mut reasons = Vec::new();
    for interface in &interfaces {
        let name = &interface.name;
        let of = |state: &NetworkState| -> Vec<Address> {
            state
                .interface(name)
                .into_iter()
                .flat_map(Interface::addresses)
                .collect()
        };
        let settled = of(&usable);
        let of_link = |ip: &IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        for wanted in interface.wanted_leases() {
            let protocol = wanted.protocol;
            let has_lease = leases
                .iter()
                .any(|lease| lease.key() == wanted && lease.address().is_some());
            let is_there = |address: &Address| match protocol.family() {
                IpFamily::Ipv4 => address.ip.is_ipv4(),
                IpFamily::Ipv6 => address.ip.is_ipv6() && !of_link(&address.ip),
            };
            // Routers lend nothing: addresses are made by the kernel.
            let lends = protocol != LeaseProtocol::RouterAdvertisement;
            if lends && !has_lease && !settled.iter().any(is_there) {
                reasons.push(format!("no {protocol} server has lent {name} an address"));
            }
        }
        let unsettled = of(&present).into_iter().filter(|address| {
            address.ip.is_ipv6()
                && !of_link(&address.ip)
                && !settled.iter().any(|one| one.ip == address.ip)
        });
        reasons.extend(unsettled.map(|address| {
            format!(
                "{name}: whether another host has {} too isn't known yet, or one has",
                address.ip
            )
        }));
    }
    Ok(reasons)
}

fn scope(interfaces: &[Interface], usable_addresses: bool) -> QueryScope {
    let names = interfaces.iter().map(|interface| interface.name.clone());
    QueryScope {
        interfaces: Some(names.collect()),
        usable_addresses,
        ..QueryScope::default()
    }
}
