// SPDX-License-Identifier: Apache-2.0

//! What `ethtool(8)` sets of a network card, and of virtual links that behave like one.
//!
//! A driver supports some of it. What it doesn't support isn't shown, and can't be wanted.

mod features;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::features::EthtoolFeatures;
use crate::lenient;
use crate::overlay::overlay;
use crate::word::words;

/// Key `ethtool`. Messages `ETHTOOL_MSG_*` of `linux/ethtool_netlink.h`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ethtool {
    /// Flow control by pause frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<EthtoolPause>,
    /// What the card, or the driver for it, does for the network stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<EthtoolFeatures>,
    /// Sizes of the rings of packets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<EthtoolRing>,
    /// Forward error correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fec: Option<EthtoolFec>,
    /// How long interrupts are put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<EthtoolCoalesce>,
}

overlay!(Ethtool {
    pause,
    feature,
    ring,
    fec,
    coalesce
});

/// A group of settings, each a field that may be left out.
macro_rules! settings {
    (
        $(#[$of_struct:meta])*
        $name:ident {
            $( $(#[$of_field:meta])* $field:ident: $type:ty = $lenient:literal, )*
        } $( read_only {
            $( $(#[$of_shown:meta])* $shown:ident: $shown_type:ty, )*
        } )?
    ) => {
        $(#[$of_struct])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$of_field])*
                #[serde(
                    default,
                    skip_serializing_if = "Option::is_none",
                    deserialize_with = $lenient
                )]
                pub $field: Option<$type>,
            )*
            $($(
                $(#[$of_shown])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $shown: Option<$shown_type>,
            )*)?
        }

        overlay!($name { $($field),* } $( read_only { $($shown),* } )?);
    };
}

settings! {
    /// `ETHTOOL_A_PAUSE_*`.
    EthtoolPause {
        /// Whether pause frames that come are obeyed.
        rx: bool = "lenient::boolean",
        /// Whether they are sent.
        tx: bool = "lenient::boolean",
        /// Whether both ends agree upon that by themselves.
        autoneg: bool = "lenient::boolean",
    }
}

settings! {
    /// Entries of each ring. `ETHTOOL_A_RINGS_*`.
    EthtoolRing {
        /// Received packets.
        rx: u32 = "lenient::number",
        /// Packets to be sent.
        tx: u32 = "lenient::number",
        /// Large received packets.
        rx_jumbo: u32 = "lenient::number",
        /// Small received packets.
        rx_mini: u32 = "lenient::number",
    } read_only {
        /// Shown only: the largest `rx`.
        rx_max: u32,
        /// Shown only: the largest `tx`.
        tx_max: u32,
        /// Shown only: the largest `rx-jumbo`.
        rx_jumbo_max: u32,
        /// Shown only: the largest `rx-mini`.
        rx_mini_max: u32,
    }
}

impl EthtoolRing {
    /// Forgets what is only shown.
    pub fn forget_limits(&mut self) {
        (self.rx_max, self.tx_max) = (None, None);
        (self.rx_jumbo_max, self.rx_mini_max) = (None, None);
    }
}

/// `ETHTOOL_A_FEC_*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EthtoolFec {
    /// Whether the mode is chosen by what is plugged in.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::boolean"
    )]
    pub auto: Option<bool>,
    /// The mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<FecMode>,
}

overlay!(EthtoolFec { auto, mode });

words! {
    /// Forward error correction. The numbers are those of link modes (`ETHTOOL_LINK_MODE_FEC_*_BIT`, `linux/ethtool.h`).
    FecMode {
        /// None.
        Off = 49 "off",
        /// Reed-Solomon.
        Rs = 50 "rs",
        /// Base-R (Fire code).
        Baser = 51 "baser",
        /// Low latency Reed-Solomon.
        Llrs = 74 "llrs",
    }
}

settings! {
    /// Interrupt coalescing: times in microseconds, numbers of packets. `ETHTOOL_A_COALESCE_*`.
    EthtoolCoalesce {
        /// Whether the driver adapts the delay of received packets.
        adaptive_rx: bool = "lenient::boolean",
        /// Whether it adapts that of sent ones.
        adaptive_tx: bool = "lenient::boolean",
        /// Packets a second from which the `-high` values hold.
        pkt_rate_high: u32 = "lenient::number",
        /// Packets a second below which the `-low` values hold.
        pkt_rate_low: u32 = "lenient::number",
        /// Received packets before an interrupt.
        rx_frames: u32 = "lenient::number",
        /// The same at a high rate.
        rx_frames_high: u32 = "lenient::number",
        /// The same while an interrupt is served.
        rx_frames_irq: u32 = "lenient::number",
        /// The same at a low rate.
        rx_frames_low: u32 = "lenient::number",
        /// Delay after a received packet.
        rx_usecs: u32 = "lenient::number",
        /// The same at a high rate.
        rx_usecs_high: u32 = "lenient::number",
        /// The same while an interrupt is served.
        rx_usecs_irq: u32 = "lenient::number",
        /// The same at a low rate.
        rx_usecs_low: u32 = "lenient::number",
        /// Seconds between adaptations.
        sample_interval: u32 = "lenient::number",
        /// Delay between updates of the counters.
        stats_block_usecs: u32 = "lenient::number",
        /// Sent packets before an interrupt.
        tx_frames: u32 = "lenient::number",
        /// The same at a high rate.
        tx_frames_high: u32 = "lenient::number",
        /// The same while an interrupt is served.
        tx_frames_irq: u32 = "lenient::number",
        /// The same at a low rate.
        tx_frames_low: u32 = "lenient::number",
        /// Delay after a sent packet.
        tx_usecs: u32 = "lenient::number",
        /// The same at a high rate.
        tx_usecs_high: u32 = "lenient::number",
        /// The same while an interrupt is served.
        tx_usecs_irq: u32 = "lenient::number",
        /// The same at a low rate.
        tx_usecs_low: u32 = "lenient::number",
    }
}
