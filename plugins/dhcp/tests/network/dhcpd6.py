#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""A DHCPv6 server for tests, with leases of a few seconds, which dnsmasq (120 s at least) cannot give.

It shares no code with the client under test. Each message is printed as one JSON line. It has one address to lend,
never commits rapidly, and, with --forget, says NoBinding to every Renew and Rebind.
"""

import argparse
import ipaddress
import json
import socket
import struct

NAMES = {1: "solicit", 3: "request", 5: "renew", 6: "rebind", 8: "release", 11: "information-request"}
ADDRESS = ipaddress.IPv6Address("2001:db8::1234")
SERVER_ID = b"\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01"


def options(data):
    """Pairs of code and value."""
    at = 0
    while at < len(data):
        code, length = struct.unpack_from("!HH", data, at)
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + length


def option(code, value):
    return struct.pack("!HH", code, len(value)) + value


def association(iaid, arguments, forgotten):
    """The IA_NA of an answer."""
    renewal, rebinding, preferred, valid = arguments.times
    if forgotten:
        return option(3, iaid + bytes(8) + option(13, struct.pack("!H", 3) + b"who?"))
    lent = option(5, ADDRESS.packed + struct.pack("!II", preferred, valid))
    return option(3, iaid + struct.pack("!II", renewal, rebinding) + lent)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--interface", required=True)
    parser.add_argument("--times", type=lambda text: [int(part) for part in text.split(",")], help="T1,T2,preferred,valid")
    parser.add_argument("--ignore", default="", help="messages that are not answered")
    parser.add_argument("--forget", action="store_true")
    arguments = parser.parse_args()

    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", 547))
    index = socket.if_nametoindex(arguments.interface)
    group = socket.inet_pton(socket.AF_INET6, "ff02::1:2") + struct.pack("@I", index)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    print(json.dumps({"event": "ready"}), flush=True)
    while True:
        packet, sender = server.recvfrom(2048)
        name = NAMES[packet[0]]
        found = dict(options(packet[4:]))
        lent = [value for code, value in options(found.get(3, b"")[12:]) if code == 5]
        addresses = [str(ipaddress.IPv6Address(value[:16])) for value in lent]
        print(json.dumps({"event": "received", "type": name, "from": sender[0], "addresses": addresses}), flush=True)
        if name in arguments.ignore.split(","):
            continue
        kind = 2 if name == "solicit" else 7
        reply = bytes([kind]) + packet[1:4] + option(1, found[1]) + option(2, SERVER_ID)
        if name not in ("release", "information-request"):
            forgotten = arguments.forget and name in ("renew", "rebind")
            reply += association(found[3][:4], arguments, forgotten)
        server.sendto(reply, sender)


if __name__ == "__main__":
    main()
