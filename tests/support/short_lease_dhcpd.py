#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

"""A DHCP server for tests, with leases of a few seconds, which dnsmasq (120 s at least) cannot give.

It shares no code with the client under test. Each message, in and out, is printed as one JSON line:

    {"event": "ready"}
    {"event": "received", "type": "request", "to": "255.255.255.255", "ciaddr": "0.0.0.0", "requested": …, "server": …}
    {"event": "sent", "type": "ack", "to": "192.0.2.50", "yiaddr": "192.0.2.50"}

The interface must be up and have the server's address; CAP_NET_BIND_SERVICE and CAP_NET_RAW are needed.
"""

import argparse
import ipaddress
import json
import socket
import struct
import sys
import time

TYPES = {1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release", 8: "inform"}
NUMBERS = {name: number for number, name in TYPES.items()}
COOKIE = b"\x63\x82\x53\x63"


def log(event, **fields):
    """Prints one JSON line at once."""
    print(json.dumps({"event": event, "time": round(time.monotonic(), 3), **fields}), flush=True)


def read_options(data):
    """Options by code; stops at the end mark."""
    options, at = {}, 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        length = data[at + 1]
        options[data[at]] = options.get(data[at], b"") + data[at + 2 : at + 2 + length]
        at += 2 + length
    return options


def address(raw):
    return socket.inet_ntoa(raw) if raw is not None and len(raw) == 4 else None


class Server:
    """One range, one lease time, leases by hardware address."""

    def __init__(self, arguments):
        self.arguments = arguments
        first, last = (int(ipaddress.IPv4Address(part)) for part in arguments.range.split("-"))
        self.free = [str(ipaddress.IPv4Address(number)) for number in range(first, last + 1)]
        self.leases = {}
        self.acknowledged = 0
        self.socket = self.open(arguments.interface)
        self.raw = None
        if arguments.reply_vlan is not None:
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.raw.bind((arguments.interface, 0))

    @staticmethod
    def open(interface):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: whom a datagram was addressed to
        opened.bind(("0.0.0.0", 67))
        return opened

    def serve(self):
        log("ready")
        while True:
            data, control, _, source = self.socket.recvmsg(2048, 128)
            if len(data) < 240 or data[0] != 1 or data[236:240] != COOKIE:
                continue
            destination = next((socket.inet_ntoa(value[8:12]) for _, kind, value in control if kind == 8), None)
            options = read_options(data[240:])
            kind = TYPES.get((options.get(53) or b"\0")[0], "unknown")
            log(
                "received",
                type=kind,
                source=source[0],
                to=destination,
                ciaddr=address(data[12:16]),
                requested=address(options.get(50)),
                server=address(options.get(54)),
                client_id=options.get(61, b"").hex(":"),
                hostname=options.get(12, b"").decode(),
                secs=struct.unpack("!H", data[8:10])[0],
                length=len(data),
            )
            self.answer(kind, data, options)

    def answer(self, kind, data, options):
        chaddr, ciaddr = data[28:34], address(data[12:16])
        if kind == "discover":
            self.reply("offer", data, self.lease_for(chaddr))
        elif kind == "request":
            if options.get(54) not in (None, socket.inet_aton(self.arguments.server)):
                return
            wanted = address(options.get(50)) or ciaddr
            limit = self.arguments.nak_after
            refuse = wanted != self.lease_for(chaddr) or (limit is not None and self.acknowledged >= limit)
            if refuse:
                self.leases.pop(chaddr, None)
                self.acknowledged = 0
                self.reply("nak", data, None)
            elif not (ciaddr != "0.0.0.0" and self.arguments.ignore_renewals):
                self.acknowledged += 1
                self.reply("ack", data, wanted)
        elif kind in ("release", "decline"):
            self.leases.pop(chaddr, None)

    def lease_for(self, chaddr):
        if chaddr not in self.leases:
            self.leases[chaddr] = self.free.pop(0)
        return self.leases[chaddr]

    def reply(self, kind, request, yiaddr):
        ciaddr = address(request[12:16])
        header = bytearray(236)
        header[0:4] = bytes([2, 1, 6, 0])
        header[4:8] = request[4:8]
        header[10:12] = request[10:12]
        if yiaddr:
            header[16:20] = socket.inet_aton(yiaddr)
        header[28:44] = request[28:44]
        options = [(53, bytes([NUMBERS[kind]])), (54, socket.inet_aton(self.arguments.server))]
        if kind != "nak":
            options += [(51, struct.pack("!I", self.arguments.lease)), (1, socket.inet_aton("255.255.255.0"))]
            if self.arguments.t1:
                options.append((58, struct.pack("!I", self.arguments.t1)))
            if self.arguments.t2:
                options.append((59, struct.pack("!I", self.arguments.t2)))
        body = b"".join(bytes([code, len(value)]) + value for code, value in options)
        packet = (bytes(header) + COOKIE + body + b"\xff").ljust(300, b"\0")
        # RFC 2131 §4.1: to ciaddr when the client has one, NAKs and the rest to everybody.
        to = ciaddr if ciaddr != "0.0.0.0" and kind != "nak" else "255.255.255.255"
        if self.raw:
            self.raw.send(self.tagged_frame(request[28:34], to, packet))
        else:
            try:
                self.socket.sendto(packet, (to, 68))
            except OSError as error:
                # While the link comes up: clients ask again.
                log("unsent", type=kind, to=to, error=str(error))
                return
        log("sent", type=kind, to=to, yiaddr=yiaddr)

    def tagged_frame(self, hardware, to, packet):
        """The reply as a network that leaks another VLAN would bring it: with a tag, to the client's own address."""
        udp = struct.pack("!HHHH", 67, 68, 8 + len(packet), 0) + packet
        addresses = socket.inet_aton(self.arguments.server) + socket.inet_aton(to)
        ipv4 = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
        total = sum(struct.unpack("!10H", ipv4))
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        ipv4 = ipv4[:10] + struct.pack("!H", ~total & 0xFFFF) + ipv4[12:]
        own = self.raw.getsockname()[4]
        return hardware + own + struct.pack("!HHH", 0x8100, self.arguments.reply_vlan, 0x0800) + ipv4 + udp


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interface", required=True)
    parser.add_argument("--server", required=True, help="the server's own address")
    parser.add_argument("--range", required=True, help="FIRST-LAST")
    parser.add_argument("--lease", type=int, default=8, help="seconds")
    parser.add_argument("--t1", type=int, help="option 58, seconds")
    parser.add_argument("--t2", type=int, help="option 59, seconds")
    parser.add_argument("--nak-after", type=int, help="refuse once this many requests were granted")
    parser.add_argument("--ignore-renewals", action="store_true", help="grant leases, but never extend them")
    parser.add_argument("--reply-vlan", type=int, help="send replies in frames tagged with this VLAN")
    try:
        Server(parser.parse_args()).serve()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
