// SPDX-License-Identifier: Apache-2.0

//! What every plugin shares: frames, handshake, heartbeats, ask and answer.
//!
//! A plugin is one owner and one loop. Its executable calls [`process::main`], which shakes hands with the daemon and
//! hands a [`Plugin`] to the plugin's own code; that takes [`Incoming`] questions from [`Plugin::next`] until there are
//! no more, answers each through its [`Question`], and asks others through a [`Handle`]:
//!
//! ```no_run
//! use nipart_plugin_sdk::{Plugin, process};
//! use nipart_schemas::error::NipartError;
//! use nipart_schemas::event::{EventData, Role};
//!
//! async fn run(mut plugin: Plugin) -> Result<(), NipartError> {
//!     while let Some(incoming) = plugin.next().await {
//!         match incoming.data {
//!             EventData::Custom(value) => incoming.question.answer(EventData::Custom(value)).await,
//!             other => incoming.question.refuse(&other).await,
//!         }
//!     }
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     process::main(vec![Role::from("parrot".to_string())], "1.0", run)
//! }
//! ```
//!
//! `docs/protocol.md` describes the same for other languages.

pub mod codec;
mod context;
pub mod environment;
mod handle;
pub mod handshake;
pub mod memory;
mod plugin;
pub mod process;
mod question;
mod tasks;
pub mod testing;
mod tunnel;

pub use self::context::EventContext;
pub use self::handle::{Handle, unexpected};
pub use self::plugin::{Phase, Plugin};
pub use self::question::{Cancellation, Incoming, Question};
