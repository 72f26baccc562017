#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""A router for tests: it advertises what its arguments say, which dnsmasq can't for the most part.

It shares no code with the client under test. It advertises when it starts and whenever it is solicited, and prints lines
of JSON:

    {"event": "ready"}
    {"event": "solicited", "from": "fe80::1"}

The interface must be up and have the link-local address that it speaks from.
"""

import argparse
import ipaddress
import json
import socket
import struct

ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
SOLICITATION, ADVERTISEMENT = 133, 134
PREFERENCES = {"medium": 0b00, "high": 0b01, "low": 0b11}


def log(event, **fields):
    """Prints one JSON line at once."""
    print(json.dumps({"event": event, **fields}), flush=True)


def option(kind, body):
    """An option, filled up to whole units of 8 bytes."""
    body += bytes(-(len(body) + 2) % 8)
    return bytes([kind, (len(body) + 2) // 8]) + body


def prefix(text):
    network = ipaddress.IPv6Network(text)
    fields = struct.pack("!BBIII", network.prefixlen, 0xC0, 7200, 7200, 0)
    return option(3, fields + network.network_address.packed)


def route(text):
    """PREFIX,SECONDS,PREFERENCE"""
    where, seconds, preference = text.split(",")
    network = ipaddress.IPv6Network(where)
    fields = struct.pack("!BBI", network.prefixlen, PREFERENCES[preference] << 3, int(seconds))
    return option(24, fields + network.network_address.packed)


def dns(text):
    """ADDRESS,SECONDS"""
    server, seconds = text.split(",")
    return option(25, struct.pack("!HI", 0, int(seconds)) + ipaddress.IPv6Address(server).packed)


def search(text):
    """DOMAIN,SECONDS"""
    domain, seconds = text.split(",")
    labels = b"".join(bytes([len(label)]) + label.encode() for label in domain.split("."))
    return option(31, struct.pack("!HI", 0, int(seconds)) + labels + b"\0")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--interface", required=True)
    parser.add_argument("--source", help="the link-local address to speak from")
    parser.add_argument("--lifetime", type=int, default=1800)
    parser.add_argument("--preference", choices=PREFERENCES, default="medium")
    parser.add_argument("--hop-limit", type=int, default=255)
    for name, kind in [("prefix", prefix), ("route", route), ("dns", dns), ("search", search)]:
        parser.add_argument(f"--{name}", type=kind, dest="options", action="append", default=[])
    arguments = parser.parse_args()

    index = socket.if_nametoindex(arguments.interface)
    wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, arguments.interface.encode())
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, arguments.hop_limit)
    group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("@I", index)
    wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    if arguments.source:
        wire.bind((arguments.source, 0, 0, index))

    flags = PREFERENCES[arguments.preference] << 3
    header = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 64, flags, arguments.lifetime, 0, 0)
    message = header + b"".join(arguments.options)

    def advertise():
        wire.sendto(message, (ALL_NODES, 0, 0, index))

    # A socket that is bound to an address hears nothing that is sent to a group.
    ears = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    ears.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, arguments.interface.encode())
    ears.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    advertise()
    log("ready")
    while True:
        packet, sender = ears.recvfrom(2048)
        if packet and packet[0] == SOLICITATION:
            log("solicited", **{"from": sender[0].split("%")[0]})
            advertise()


if __name__ == "__main__":
    main()
