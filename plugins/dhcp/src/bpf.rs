// SPDX-License-Identifier: Apache-2.0

//! Codes of instructions of classic BPF (`linux/bpf_common.h`).

pub(crate) const LOAD_WORD_ABSOLUTE: u16 = 0x20;
pub(crate) const LOAD_HALF_ABSOLUTE: u16 = 0x28;
pub(crate) const LOAD_BYTE_ABSOLUTE: u16 = 0x30;
pub(crate) const LOAD_WORD_INDIRECT: u16 = 0x40;
pub(crate) const LOAD_HALF_INDIRECT: u16 = 0x48;
pub(crate) const LOAD_BYTE_INDIRECT: u16 = 0x50;
/// X = 4 × low nibble of a byte: the length of an IPv4 header.
pub(crate) const LOAD_INDEX_HEADER_LENGTH: u16 = 0xb1;
pub(crate) const JUMP_EQUAL: u16 = 0x15;
pub(crate) const JUMP_ANY_BIT: u16 = 0x45;
pub(crate) const RETURN: u16 = 0x06;
