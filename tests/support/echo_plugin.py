#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A Nipart plugin in Python, with nothing but the standard library.

Usage, by nipartd: echo_plugin.py ROLE. It answers every `custom` with what it was sent, and refuses all else.
docs/protocol.md describes the steps.
"""

import fcntl
import json
import os
import socket
import struct
import sys
import uuid

PROTOCOL = 1
ROLE = sys.argv[1]


def send(connection, event):
    frame = json.dumps(event).encode()
    connection.sendall(struct.pack(">I", len(frame)) + frame)


def receive_exactly(connection, length):
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            sys.exit(0)  # The daemon has gone, and so do we.
        received += part
    return received


def receive(connection):
    (length,) = struct.unpack(">I", receive_exactly(connection, 4))
    return json.loads(receive_exactly(connection, length))


def make(receiver, kind, data, question=None, state="todo"):
    """An event of our own, or the answer to a question."""
    own = str(uuid.uuid4())
    event = {
        "uuid": own,
        "chain": question["chain"] if question else own,
        "state": state,
        "sender": ROLE,
        "receiver": receiver,
        "kind": kind,
        "data": data,
    }
    if question:
        event["ref-uuid"] = question["uuid"]
    return event


def answer(question, kind, data, state="done"):
    return make(question["sender"], kind, data, question, state)


def register():
    registration = {
        "name": os.environ["NIPART_PLUGIN_NAME"],
        "version": "echo 1",
        "protocol": PROTOCOL,
        "instance": os.environ["NIPART_INSTANCE"],
        "token": os.environ["NIPART_TOKEN"],
        "roles": [ROLE],
    }
    with socket.socket(socket.AF_UNIX) as core:
        core.connect(os.environ["NIPART_CORE_SOCKET"])
        send(core, make("daemon", "register", {"register": registration}))
        reply = receive(core)
        if reply["state"] != "done":
            sys.exit(f"refused: {reply['data']}")


def shake_hands():
    path = os.environ["NIPART_SOCKET"]
    lock = open(os.path.splitext(path)[0] + ".lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)  # Until a predecessor has ended.
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        register()
        tunnel, _ = listener.accept()
    question = receive(tunnel)
    if question["data"]["echo"]["token"] != os.environ["NIPART_TOKEN"]:
        sys.exit("not our daemon")
    send(tunnel, answer(question, "echo", question["data"]))
    return tunnel, lock


def main():
    tunnel, _lock = shake_hands()
    while True:
        event = receive(tunnel)
        if event["kind"] == "heartbeat":
            send(tunnel, make("daemon", "heartbeat", "heartbeat"))
        elif event["kind"] == "shutdown":
            return
        elif event["kind"] == "custom" and event["state"] == "todo":
            send(tunnel, answer(event, "custom", event["data"]))
        elif event["state"] == "todo" and event.get("deadline") is not None:
            error = {"kind": "not-supported", "message": f"{ROLE} does not answer {event['kind']}"}
            send(tunnel, answer(event, "error", {"error": error}, "failed"))


if __name__ == "__main__":
    main()
