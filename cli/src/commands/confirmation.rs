// SPDX-License-Identifier: Apache-2.0

//! "Keep this change?": asked on the terminal, while the time runs down and the connection is kept open.
//!
//! Whatever happens to this process, the daemon takes the change back when the connection ends.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use nipart_api::client::Client;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::request::CheckpointReport;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::arguments::ReportFormat;
use crate::failure::Failure;
use crate::output;

/// Between two looks at the clock.
const TICK: Duration = Duration::from_secs(1);

/// How asking ended.
enum Answer {
    Yes,
    No,
    Interrupted,
    Late,
    Lost(NipartError),
}

/// Asks whether to keep what was applied, and does so or takes it back.
pub(super) async fn ask(
    client: &mut Client,
    checkpoint: &CheckpointReport,
    format: ReportFormat,
) -> Result<(), Failure> {
    let id = checkpoint.id.as_str();
    let time = Duration::from_secs(checkpoint.remaining.into());
    let refusal = match answer(client, Instant::now() + time).await {
        Answer::Yes => {
            client.commit(Some(id)).await?;
            if format == ReportFormat::Text {
                output::plain("Committed\n")?;
            }
            return Ok(());
        }
        Answer::Lost(error) => {
            let seconds = checkpoint.remaining;
            return Err(error
                .note(format!(
                    "the change was not confirmed: it is taken back at once, or within {seconds} s if nipartd has died"
                ))
                .into());
        }
        Answer::No => NipartError::new(ErrorKind::Cancelled, "the change is not wanted"),
        Answer::Interrupted => NipartError::new(ErrorKind::Cancelled, "interrupted"),
        Answer::Late => NipartError::new(
            ErrorKind::Timeout,
            "the change was not confirmed within its time",
        ),
    };
    match client.rollback(Some(id)).await {
        Ok(()) => {}
        // The daemon's clock was faster, or somebody else.
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(error) => return Err(error.note(refusal.message).into()),
    }
    Err(refusal
        .note("everything was taken back: the network is as it was")
        .into())
}

async fn answer(client: &mut Client, deadline: Instant) -> Answer {
    // Before it is asked: who reads the question may answer by Ctrl-C at once.
    let Ok(mut interrupts) = signal(SignalKind::interrupt()) else {
        return Answer::Interrupted;
    };
    let mut prompt = Prompt::show(deadline);
    let line = read_line();
    let late = sleep_until(deadline);
    let lost = client.hung_up();
    tokio::pin!(line, late, lost);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let answer = loop {
        tokio::select! {
            biased;
            _ = interrupts.recv() => break Answer::Interrupted,
            line = &mut line => break match line.as_deref().map(str::trim) {
                Ok("y" | "Y" | "yes" | "Yes" | "YES") => Answer::Yes,
                _ => Answer::No,
            },
            () = &mut late => break Answer::Late,
            error = &mut lost => break Answer::Lost(error),
            _ = ticks.tick() => prompt.update(),
        }
    };
    if !matches!(answer, Answer::Yes | Answer::No) {
        // The cursor stands behind the question.
        prompt.write("\n");
    }
    answer
}

/// What is typed. The thread that reads can't be stopped: it ends with the process.
fn read_line() -> oneshot::Receiver<String> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if io::stdin().read_line(&mut line).is_ok() {
            // Nobody waits for it when the time is over.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Two lines on standard error: the time that is left, and the question.
struct Prompt {
    deadline: Instant,
}

impl Prompt {
    fn show(deadline: Instant) -> Self {
        let prompt = Self { deadline };
        prompt.write(&format!("{}\nKeep this change? [y/N] ", prompt.countdown()));
        prompt
    }

    /// Writes the time anew, and leaves alone what has been typed.
    fn update(&mut self) {
        self.write(&format!("\x1b7\x1b[1A\r\x1b[K{}\x1b8", self.countdown()));
    }

    fn countdown(&self) -> String {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // Rounded up: it doesn't stand at 0 while there is time.
        format!("Taken back in {} s", left.as_millis().div_ceil(1000))
    }

    /// A terminal that can't be written to isn't worth an error: the daemon takes the change back.
    fn write(&self, text: &str) {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
