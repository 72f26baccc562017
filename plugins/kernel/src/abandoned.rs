// SPDX-License-Identifier: Apache-2.0

//! Plans that are being executed, and whether somebody still waits for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nipart_plugin_sdk::Cancellation;
use tokio::sync::Notify;

/// Plans under way.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    running: Mutex<Running>,
    ended: Notify,
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    cancellations: BTreeMap<u64, Cancellation>,
}

/// A plan under way, as long as this lives.
#[derive(Debug)]
pub(crate) struct Begun<'p> {
    plans: &'p Plans,
    number: u64,
}

impl Plans {
    /// A plan is begun; `cancellation` tells when its asker has gone.
    pub(crate) fn begin(&self, cancellation: Cancellation) -> Begun<'_> {
        let mut running = self.running();
        let number = running.next;
        running.next += 1;
        running.cancellations.insert(number, cancellation);
        Begun {
            plans: self,
            number,
        }
    }

    /// Waits until every plan under way has somebody who waits for its answer.
    pub(crate) async fn no_abandoned(&self) {
        loop {
            let ended = self.ended.notified();
            if !self.is_any_abandoned() {
                return;
            }
            ended.await;
        }
    }

    fn is_any_abandoned(&self) -> bool {
        let running = self.running();
        running
            .cancellations
            .values()
            .any(Cancellation::is_cancelled)
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        // Nothing panics while it is held; a poisoned map is whole.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.plans.running().cancellations.remove(&self.number);
        self.plans.ended.notify_waiters();
    }
}
