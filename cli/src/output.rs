// SPDX-License-Identifier: Apache-2.0

//! Writing to standard output: plain text, structured reports, tables, times and sizes.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use nipart_schemas::yaml;
use serde::Serialize;

use crate::arguments::ReportFormat;
use crate::failure::{Failure, defect};

/// Writes what has no colours as it is.
pub(crate) fn plain(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes what may have colours; they are taken off unless wanted.
pub(crate) fn styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Whether notes are wanted.
static NOTES: AtomicBool = AtomicBool::new(true);

/// Turns notes on or off for the whole process, as colours are.
pub(crate) fn write_notes(are_wanted: bool) {
    NOTES.store(are_wanted, Ordering::Relaxed);
}

/// Writes on standard error what is good to know, unless nobody wants to.
pub(crate) fn note(text: &str) {
    if NOTES.load(Ordering::Relaxed) {
        // Nobody to tell when standard error is closed.
        let _ = writeln!(anstream::stderr(), "{}: {text}", bold("note"));
    }
}

/// Writes `value` as asked: `text` makes it readable for people.
pub(crate) fn report<T: Serialize>(
    value: &T,
    format: ReportFormat,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    match format {
        ReportFormat::Text => styled(&text(value)),
        ReportFormat::Yaml => plain(&yaml::to_string(value).map_err(|error| defect(&error))?),
        ReportFormat::Json => plain(&format!(
            "{}\n",
            serde_json::to_string_pretty(value).map_err(|error| defect(&error))?
        )),
    }
}

/// Columns of text, as wide as needed.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(titles: &[&str]) -> Self {
        Self {
            rows: vec![titles.iter().map(ToString::to_string).collect()],
        }
    }

    /// Adds a row; what is empty is shown as `-`.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count().max(1))
                .max()
                .unwrap_or(1)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = if cell.is_empty() { "-" } else { cell };
                line.push_str(&format!("{cell:width$}  "));
            }
            let line = line.trim_end();
            match index {
                0 => text.push_str(&bold(line)),
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

pub(crate) fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

pub(crate) fn green(text: &str) -> String {
    format!("\x1b[32m{text}\x1b[0m")
}

pub(crate) fn red(text: &str) -> String {
    format!("\x1b[31m{text}\x1b[0m")
}

pub(crate) fn dim(text: &str) -> String {
    format!("\x1b[2m{text}\x1b[0m")
}

/// The state of an event, plugin or interface, in its colour.
pub(crate) fn state_word(state: &str) -> String {
    match state {
        "done" | "running" | "in-sync" => green(state),
        "failed" | "cancelled" | "stopped" | "drifted" => red(state),
        _ => state.to_string(),
    }
}

/// A number of bytes.
pub(crate) fn bytes(count: usize) -> String {
    match count {
        0..=9_999 => format!("{count} B"),
        10_000..=9_999_999 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", count / 1_000_000),
    }
}

/// A span of time.
pub(crate) fn duration_us(microseconds: u64) -> String {
    let (whole, rest) = (microseconds / 1_000, microseconds % 1_000);
    match microseconds {
        0..=9_999_999 => format!("{whole}.{rest:03} ms"),
        10_000_000..=119_999_999 => format!("{}.{:01} s", whole / 1_000, whole % 1_000 / 100),
        _ => {
            let minutes = whole / 60_000;
            match minutes {
                0..=119 => format!("{minutes} min"),
                120..=2_879 => format!("{} h", minutes / 60),
                _ => format!("{} days", minutes / 1_440),
            }
        }
    }
}

/// How long something has been running.
pub(crate) fn uptime_ms(milliseconds: u64) -> String {
    match milliseconds {
        0..=119_999 => format!("{} s", milliseconds / 1_000),
        _ => duration_us(milliseconds.saturating_mul(1_000)),
    }
}

/// A time of day in UTC, with microseconds.
pub(crate) fn time_of_day(since_epoch_us: u64) -> String {
    let seconds = since_epoch_us / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        since_epoch_us % 1_000_000
    )
}

/// A date and time in UTC.
pub(crate) fn date_and_time(since_epoch_us: u64) -> String {
    let days = since_epoch_us / 86_400_000_000;
    // Howard Hinnant's civil_from_days: eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let time = time_of_day(since_epoch_us);
    let seconds = time.split('.').next().unwrap_or_default();
    format!("{year:04}-{month:02}-{day:02}T{seconds}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_readable() {
        assert_eq!(date_and_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(date_and_time(951_827_696_000_000), "2000-02-29T12:34:56Z");
        assert_eq!(date_and_time(1_795_257_304_000_000), "2026-11-21T10:35:04Z");
        assert_eq!(time_of_day(951_827_696_000_042), "12:34:56.000042");
        for (time, expected) in [
            (1, "0.001 ms"),
            (1_234_567, "1234.567 ms"),
            (12_340_000, "12.3 s"),
            (600_000_000, "10 min"),
            (36_000_000_000, "10 h"),
            (864_000_000_000, "10 days"),
        ] {
            assert_eq!(duration_us(time), expected);
        }
        assert_eq!(
            (bytes(300), bytes(12_345)),
            ("300 B".into(), "12 kB".into())
        );
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(vec!["a".into(), String::new()]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "NAME  STATE\na     -\n");
    }
}
