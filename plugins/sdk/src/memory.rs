// SPDX-License-Identifier: Apache-2.0

//! The memory of a process that is large for moments only: what a big state took is given back soon after.

use nipart_sys::memory::release_freed;

/// Growth that is worth the work, in pages.
const WORTH: u64 = 64;

/// What the process had when it was last looked at.
#[derive(Debug, Default)]
pub struct Memory {
    /// Resident pages.
    resident: u64,
}

impl Memory {
    /// To be called now and then, such as at each heartbeat: gives freed memory back if the process has grown.
    ///
    /// What has grown because it is in use isn't tried again, until it grows further.
    pub fn tend(&mut self) {
        let Some(resident) = resident() else {
            return;
        };
        if resident > self.resident + WORTH {
            release_freed();
            self.resident = self::resident().unwrap_or(resident);
        } else {
            self.resident = self.resident.min(resident);
        }
    }
}

/// Resident pages of this process (`proc_pid_statm(5)`).
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_freed_is_given_back() {
        let mut memory = Memory::default();
        memory.tend();
        let before = memory.resident;
        // Small pieces, and the last one stays: the allocator cannot give the rest back by itself.
        let mut pieces: Vec<Vec<u8>> = (0..100_000).map(|_| vec![1; 200]).collect();
        let last = pieces.pop();
        drop(pieces);
        memory.tend();
        assert!(
            memory.resident < before + 1000,
            "{before} {} pages",
            memory.resident
        );
        drop(last);
    }
}
