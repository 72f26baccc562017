# SPDX-License-Identifier: Apache-2.0
"""Calls every method of io.nipart through the stock Varlink client (PyPI: varlink).

Usage: varlink_client.py SOCKET. Ends with 0 when all went as it should. Changes the network: for test namespaces only.
"""

import sys

import varlink

STATE = {
    "interfaces": [
        {"name": "python0", "type": "veth", "state": "up", "mtu": 1400, "veth": {"peer": "python1"}},
        {"name": "python1", "type": "veth", "state": "up"},
    ]
}


def refused(kind, call):
    """The call has to fail with io.nipart.Failed of this kind."""
    try:
        call()
    except varlink.VarlinkError as error:
        assert error.error() == "io.nipart.Failed", error
        assert error.parameters()["kind"] == kind, error
        return error.parameters()
    raise AssertionError(f"not refused as {kind}")


def mtu(nipart):
    """The running MTU of python0."""
    return nipart.Show(["python0"])["state"]["interfaces"][0]["mtu"]


def checkpoints(nipart):
    """Changes are committed and rolled back."""
    other = {"interfaces": [{"name": "python0", "mtu": 1350}]}
    for end, expected in ((nipart.Rollback, 1400), (nipart.Commit, 1350)):
        report = nipart.Apply(state=other, confirm_seconds=60, hang_up=True, no_wait=True, note="python")["report"]
        checkpoint = report["checkpoint"]["id"]
        assert [each["id"] for each in nipart.ListCheckpoints()["checkpoints"]] == [checkpoint]
        assert nipart.Status()["checkpoints"][0]["id"] == checkpoint
        refused("not-found", lambda: nipart.Commit("ffffffff"))
        end(checkpoint)
        assert mtu(nipart) == expected
    refused("not-found", lambda: nipart.Commit())
    assert all(each["state"] == "in-sync" for each in nipart.Status()["interfaces"])
    nipart.Apply(STATE)


def main(socket):
    client = varlink.Client.new_with_address(f"unix:{socket}")
    # Fetches and parses the description of each interface.
    assert "io.nipart" in client.get_interfaces()
    with client.open("io.nipart") as nipart:
        assert nipart.Ping()["may_apply"] is True

        plan = nipart.Plan(STATE)["report"]
        assert plan["plan"]["waves"], plan

        replies = list(nipart.Apply(STATE, _more=True))
        report = replies[-1]["report"]
        assert report["operations"] > 0 and report["verified"] and report["saved"], report
        assert all("progress" in reply for reply in replies[:-1]), replies
        again = nipart.Apply(STATE, True, False, 30000)["report"]
        assert again["operations"] == 0, again

        undo = nipart.GenerateRevert({"interfaces": [{"name": "python0", "mtu": 1300}]})["state"]
        assert undo["interfaces"][0]["mtu"] == 1400, undo
        checkpoints(nipart)
        refused("not-found", lambda: nipart.GetHistory(4711))
        refused("not-found", lambda: nipart.GetRollbackState(4711))
        entries = nipart.ListHistory(5)["entries"]
        assert entries, entries
        detail = nipart.GetHistory(entries[0]["id"])
        assert detail["entry"] == entries[0], detail
        assert nipart.GetRollbackState(entries[0]["id"])["state"] is not None

        shown = nipart.Show(["python*"], "kernel")["state"]
        assert sorted(interface["name"] for interface in shown["interfaces"]) == ["python0", "python1"]
        assert shown["interfaces"][0]["mtu"] == 1400
        everything = nipart.Show()["state"]
        assert len(everything["interfaces"]) > 2, everything

        error = refused("invalid-argument", lambda: nipart.Plan({"interfaces": [{"name": "a", "mtu": "many"}]}))
        assert error["path"] == "interfaces[0].mtu", error
        refused("not-found", lambda: nipart.GetTrace("00000000-0000-0000-0000-000000000000"))

        plugins = {plugin["name"]: plugin for plugin in nipart.ListPlugins()["plugins"]}
        assert plugins["kernel"]["state"] == "running", plugins

        traces = nipart.ListTraces(200)["traces"]
        apply = next(trace for trace in traces if trace["kind"] == "apply")
        events = nipart.GetTrace(apply["id"])["events"]
        assert events[0]["sender"] == "client" and events[0]["uuid"] == apply["id"], events
        assert len(events) == apply["events"], (events, apply)

    with client.open("io.nipart") as listener, client.open("io.nipart") as nipart:
        events = listener.Subscribe(_more=True)
        # The first reply says that from here on nothing is missed.
        assert "event" not in next(events)
        nipart.Show(["lo"])
        event = next(reply["event"] for reply in events if reply["event"]["kind"] == "show")
        assert event["receiver"] == "commander", event


main(sys.argv[1])
