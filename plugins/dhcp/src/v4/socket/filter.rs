// SPDX-License-Identifier: Apache-2.0

//! Classic BPF programs that keep everything else out: an idle client is woken by nobody.

use nipart_sys::filter::Instruction;

use crate::bpf::{
    JUMP_ANY_BIT, JUMP_EQUAL, LOAD_BYTE_ABSOLUTE, LOAD_BYTE_INDIRECT, LOAD_HALF_ABSOLUTE,
    LOAD_HALF_INDIRECT, LOAD_INDEX_HEADER_LENGTH, LOAD_WORD_INDIRECT, RETURN,
};
use crate::v4::frame::CLIENT_PORT;
use crate::v4::message::LinkAddress;

/// `SKF_AD_OFF + SKF_AD_PKTTYPE`: whom the link layer addressed the packet to.
const PACKET_TYPE: u32 = 0xffff_f000 + 4;
/// `SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT`.
const VLAN_TAG_PRESENT: u32 = 0xffff_f000 + 48;
/// `PACKET_OTHERHOST`.
const OTHER_HOST: u32 = 3;

/// Offset of `op` and `chaddr` from the end of the IPv4 header: UDP header, then RFC 2131 §2, figure 1.
const OPERATION: u32 = 8;
const HARDWARE_ADDRESS: u32 = 8 + 28;

/// Lets through whole IPv4 UDP datagrams to the client port that are BOOTP replies for `hardware`, untagged.
///
/// Offsets count from the IPv4 header: so does a packet socket of type `SOCK_DGRAM`.
pub(super) fn replies_to(hardware: LinkAddress) -> Vec<Instruction> {
    let [a, b, c, d, e, f] = hardware.0;
    let checks = [
        (LOAD_BYTE_ABSOLUTE, PACKET_TYPE, Check::Not(OTHER_HOST)),
        (LOAD_BYTE_ABSOLUTE, VLAN_TAG_PRESENT, Check::Is(0)),
        // Protocol.
        (LOAD_BYTE_ABSOLUTE, 9, Check::Is(17)),
        // Neither "more fragments" nor an offset.
        (LOAD_HALF_ABSOLUTE, 6, Check::NoneOf(0x3fff)),
        (LOAD_INDEX_HEADER_LENGTH, 0, Check::Nothing),
        (LOAD_HALF_INDIRECT, 2, Check::Is(CLIENT_PORT.into())),
        (LOAD_BYTE_INDIRECT, OPERATION, Check::Is(2)),
        (
            LOAD_WORD_INDIRECT,
            HARDWARE_ADDRESS,
            Check::Is(u32::from_be_bytes([a, b, c, d])),
        ),
        (
            LOAD_HALF_INDIRECT,
            HARDWARE_ADDRESS + 4,
            Check::Is(u16::from_be_bytes([e, f]).into()),
        ),
    ];
    let mut program = Vec::new();
    for (load, offset, check) in checks {
        program.push(plain(load, offset));
        // The next instruction is the way out; a check that holds jumps over it.
        let (code, operand, jump_true, jump_false) = match check {
            Check::Nothing => continue,
            Check::Is(value) => (JUMP_EQUAL, value, 1, 0),
            Check::Not(value) => (JUMP_EQUAL, value, 0, 1),
            Check::NoneOf(bits) => (JUMP_ANY_BIT, bits, 0, 1),
        };
        program.push(Instruction {
            code,
            jump_true,
            jump_false,
            operand,
        });
        program.push(plain(RETURN, 0));
    }
    program.push(plain(RETURN, u32::MAX));
    program
}

/// Lets nothing through.
pub(super) fn nothing() -> Vec<Instruction> {
    vec![plain(RETURN, 0)]
}

/// What must hold for a value that was loaded.
enum Check {
    Nothing,
    Is(u32),
    Not(u32),
    NoneOf(u32),
}

fn plain(code: u16, operand: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        operand,
    }
}
