// SPDX-License-Identifier: Apache-2.0

//! The little of events' data that the daemon itself understands.
//!
//! Reading it as [`nipart_schemas::event::EventData`] would bring the parser of the whole network schema into a process
//! that passes all of that on unread.

use nipart_plugin_sdk::codec;
use nipart_schemas::error::{ErrorKind, NipartError};
use nipart_schemas::event::{Echo, NipartEvent};
use nipart_schemas::plugin::Registration;
use nipart_schemas::request::Progress;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Data that is for the daemon. Names are those of the same variants of `EventData`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Control {
    Register(Registration),
    Echo(Echo),
    Error(NipartError),
    Progress(Progress),
}

/// The event in a frame that only the daemon reads.
pub(crate) fn decode(frame: &[u8]) -> Result<NipartEvent<Control>, NipartError> {
    codec::decode(frame)
}

/// Data that has not been parsed yet.
pub(crate) fn parse(data: &RawValue) -> Result<Control, NipartError> {
    codec::data(data).map_err(|error| {
        NipartError::new(
            ErrorKind::Protocol,
            format!("not what the daemon understands: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use nipart_schemas::event::{EventData, Role};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_plugins_send_is_understood_and_nothing_else() {
        let event = |data| NipartEvent::root(Role::Kernel, Role::Daemon, data);
        let frame = |data| codec::encode(&event(data)).unwrap();
        let error = NipartError::invalid("a.b", "no").note("really");
        let read = decode(&frame(EventData::Error(error.clone()))).unwrap();
        assert!(matches!(read.data, Control::Error(read) if read == error));
        let echo = Echo {
            nonce: Uuid::new_v4(),
            token: "t".to_string(),
            roles: vec![Role::Kernel],
        };
        let read = decode(&frame(EventData::Echo(echo.clone()))).unwrap();
        assert!(matches!(read.data, Control::Echo(read) if read == echo));
        let step = Progress::default();
        let read = decode(&frame(EventData::Progress(step.clone()))).unwrap();
        assert!(matches!(read.data, Control::Progress(read) if read == step));
        assert!(decode(&frame(EventData::Done)).is_err());
        assert!(decode(&frame(EventData::Custom(serde_json::json!(1)))).is_err());
    }
}
