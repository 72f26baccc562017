// SPDX-License-Identifier: Apache-2.0

//! Settings of the hardware, which are asked for and changed by generic netlink.

mod fec;
mod numbers;

use std::collections::{BTreeSet, HashMap};

use nipart_netlink::genl::ethtool::{Ethtool as Family, Features, Number, Numbers};
use nipart_netlink::{GenericSocket, NetlinkError};
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::interface::ethtool::{EthtoolFeatures, EthtoolFec};
use nipart_schemas::interface::{Ethtool, Interface, InterfaceType};
use nipart_schemas::request::QueryScope;

use self::numbers::NumberGroup;
use crate::error::from_netlink;
use crate::query::TARGETED_MAX;

/// Adds the settings of those of the interfaces that the scope asks for. What a driver doesn't support stays out.
pub(crate) async fn observe(
    generic: &GenericSocket,
    scope: &QueryScope,
    interfaces: &mut [Interface],
) -> Result<(), NetlinkError> {
    let mut meant: HashMap<String, &mut Interface> = meant(scope, interfaces)
        .map(|interface| (interface.name.clone(), interface))
        .collect();
    if meant.is_empty() {
        return Ok(());
    }
    let Some(family) = generic.ethtool().await? else {
        return Ok(());
    };
    let names: Vec<String> = meant.keys().cloned().collect();
    // Many are cheaper in one dump.
    let questions: Vec<Option<&str>> = if names.len() > TARGETED_MAX {
        vec![None]
    } else {
        names.iter().map(|name| Some(name.as_str())).collect()
    };
    for question in questions {
        for (name, features) in family.features(question).await? {
            if let Some(interface) = meant.get_mut(&name) {
                let features = EthtoolFeatures(features);
                ethtool(interface).feature = (!features.0.is_empty()).then_some(features);
            }
        }
        for (name, fec) in family.fec(question).await? {
            if let Some(interface) = meant.get_mut(&name) {
                ethtool(interface).fec = fec::shown(&fec);
            }
        }
        observe_group(&family, question, &mut meant, |interface, pause| {
            ethtool(interface).pause = pause;
        })
        .await?;
        observe_group(&family, question, &mut meant, |interface, ring| {
            ethtool(interface).ring = ring;
        })
        .await?;
        observe_group(&family, question, &mut meant, |interface, coalesce| {
            ethtool(interface).coalesce = coalesce;
        })
        .await?;
        observe_group(&family, question, &mut meant, |interface, ethernet| {
            interface.ethernet = ethernet;
        })
        .await?;
    }
    Ok(())
}

/// The interfaces of which the scope asks for settings of the hardware.
pub(crate) fn meant<'i>(
    scope: &QueryScope,
    interfaces: &'i mut [Interface],
) -> impl Iterator<Item = &'i mut Interface> {
    let named: BTreeSet<&str> = scope.hardware.iter().map(String::as_str).collect();
    interfaces.iter_mut().filter(move |interface| {
        let is_card = interface.interface_type == Some(InterfaceType::Ethernet);
        (scope.cards && is_card) || named.contains(interface.name.as_str())
    })
}

fn ethtool(interface: &mut Interface) -> &mut Ethtool {
    interface.ethtool.get_or_insert_default()
}

async fn observe_group<T: NumberGroup>(
    family: &Family<'_>,
    question: Option<&str>,
    meant: &mut HashMap<String, &mut Interface>,
    put: impl Fn(&mut Interface, Option<T>),
) -> Result<(), NetlinkError> {
    for (name, numbers) in family.numbers(T::GROUP, question).await? {
        if let Some(interface) = meant.get_mut(&name) {
            let group = T::read(&numbers);
            put(interface, (group != T::default()).then_some(group));
        }
    }
    Ok(())
}

/// Changes what isn't so yet of what is wanted: of a link that was just created everything may be.
pub(crate) async fn configure(
    generic: &GenericSocket,
    wanted: &Interface,
) -> Result<(), NipartError> {
    let family = generic
        .ethtool()
        .await
        .map_err(|error| from_netlink(&error))?;
    let family = family.ok_or_else(|| {
        NipartError::new(
            ErrorKind::NotSupported,
            "the kernel has no ethtool support (generic netlink family \"ethtool\")",
        )
    })?;
    let settings = Settings {
        family: &family,
        interface: &wanted.name,
    };
    let ethtool = wanted.ethtool.clone().unwrap_or_default();
    settings.features(ethtool.feature).await?;
    settings.group("rings", ethtool.ring).await?;
    settings.group("coalescing", ethtool.coalesce).await?;
    settings.group("pause frames", ethtool.pause).await?;
    settings.fec(ethtool.fec).await?;
    settings.group("link modes", wanted.ethernet.clone()).await
}

/// The settings of one interface.
struct Settings<'s> {
    family: &'s Family<'s>,
    interface: &'s str,
}

impl Settings<'_> {
    async fn features(&self, wanted: Option<EthtoolFeatures>) -> Result<(), NipartError> {
        let Some(EthtoolFeatures(wanted)) = wanted else {
            return Ok(());
        };
        let present = self.family.features(Some(self.interface)).await;
        let present = only(present, "features")?;
        let is_so = |name: &String, is_on: &bool| present.get(name) == Some(is_on);
        let changes: Features = wanted
            .into_iter()
            .filter(|(name, is_on)| !is_so(name, is_on))
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let result = self.family.set_features(self.interface, &changes).await;
        result.map_err(|error| refused(&error, "features"))
    }

    async fn group<T: NumberGroup>(
        &self,
        what: &str,
        wanted: Option<T>,
    ) -> Result<(), NipartError> {
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let present = self.family.numbers(T::GROUP, Some(self.interface)).await;
        let present = only(present, what)?;
        let wanted: Numbers = wanted.write();
        let is_so = |(kind, number): (&u16, &Number)| present.get(kind) == Some(number);
        if wanted.iter().all(is_so) {
            return Ok(());
        }
        let result = self.family.set_numbers(T::GROUP, self.interface, &wanted);
        result.await.map_err(|error| refused(&error, what))
    }

    async fn fec(&self, wanted: Option<EthtoolFec>) -> Result<(), NipartError> {
        let Some(wanted) = wanted else {
            return Ok(());
        };
        let what = "forward error correction";
        let present = only(self.family.fec(Some(self.interface)).await, what)?;
        let Some(changes) = fec::changes(&wanted, &present) else {
            return Ok(());
        };
        let result = self.family.set_fec(self.interface, &changes).await;
        result.map_err(|error| refused(&error, what))
    }
}

/// The answer about one interface; empty where the driver doesn't support what was asked for.
fn only<T: Default>(
    answers: Result<Vec<(String, T)>, NetlinkError>,
    what: &str,
) -> Result<T, NipartError> {
    let answers = answers.map_err(|error| refused(&error, what))?;
    let mut answers = answers.into_iter().map(|(_, answer)| answer);
    Ok(answers.next().unwrap_or_default())
}

fn refused(error: &NetlinkError, what: &str) -> NipartError {
    from_netlink(error).while_doing(what)
}
