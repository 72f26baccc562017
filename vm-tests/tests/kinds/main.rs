// SPDX-License-Identifier: Apache-2.0

//! Kinds of links that not every kernel has: created, compared with what iproute2 says, changed in place, applied again,
//! removed.

mod ipvlan;
mod macsec;
mod tunnel;
mod wireguard;
