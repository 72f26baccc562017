# SPDX-License-Identifier: Apache-2.0

"""The tests: which there are, how they are built, how they ended."""

import dataclasses
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from . import machine, newer_qemu, user_mode
from .failure import Failure
from .paths import CACHE, GUEST, LOG, PROJECT
from .prepare import Kernel

# By folder, the package whose tests run in the machine and its test binaries in `tests/`; None is all of them.
PACKAGES = {"vm-tests": ("nipart-vm-tests", None)}
# Those that every kernel can run, for the sake of another kernel: what has to do with it, for the machine is slow.
MORE_PACKAGES = {
    "plugins/netlink": ("nipart-netlink", None),
    "plugins/kernel": ("nipart-kernel", None),
    "plugins/dhcp": ("nipart-dhcp", None),
    "tests": ("nipart-tests", {"apply", "apply_ip", "dhcp", "partial", "rollback"}),
}
# What is in the titles of tests that need another kernel than Debian's stock one.
USER_MODE = ["::hsr::", "::macsec_keys::"]
# Of those that need cards which the QEMU of Debian 12 hasn't.
NEWER_QEMU = ["::igb::"]
# Packages of the programs that tests start.
PROGRAMS = ["nipartd", "nipartctl"]
PROFILE = ["--profile", "vm"]
# What was built, for `select`.
BINARIES = CACHE / "binaries.json"


@dataclasses.dataclass
class Binary:
    """A test binary, as cargo told of it when it was built."""

    package: str
    name: str
    path: str
    directory: str

    def list(self, *arguments: str) -> list[str]:
        shown = subprocess.run([self.path, "--list", "--format", "terse", *arguments], capture_output=True, text=True)
        if shown.returncode != 0:
            raise Failure(f"{self.path} names no tests: {shown.stderr.strip()}")
        return [line.removesuffix(": test") for line in shown.stdout.splitlines() if line.endswith(": test")]


@dataclasses.dataclass
class Test:
    """One test."""

    binary: Binary
    name: str

    @property
    def title(self) -> str:
        return f"{self.binary.package}::{self.binary.name}::{self.name}"

    def job(self) -> dict:
        return {
            "title": self.title,
            "command": [self.binary.path, "--exact", self.name, "--nocapture", "--test-threads=1"],
            "directory": self.binary.directory,
            "variables": {"CARGO_MANIFEST_DIR": self.binary.directory},
        }


def build(everything: bool) -> None:
    """Builds the programs and the tests, and notes where the tests are."""
    chosen_packages = {**PACKAGES, **(MORE_PACKAGES if everything else {})}
    programs = [word for package in PROGRAMS for word in ("--package", package)]
    if subprocess.run(["cargo", "build", "--bins", *PROFILE, *programs], cwd=PROJECT).returncode != 0:
        raise Failure("the programs can't be built")
    packages = [word for package, _ in chosen_packages.values() for word in ("--package", package)]
    command = ["cargo", "test", "--no-run", "--message-format", "json-render-diagnostics", *PROFILE, *packages]
    built = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Failure("the tests can't be built")
    binaries = []
    for message in map(json.loads, built.stdout.splitlines()):
        if message["reason"] != "compiler-artifact" or message["target"]["kind"] != ["test"] or not message["executable"]:
            continue
        directory, name = Path(message["manifest_path"]).parent, message["target"]["name"]
        package, chosen = chosen_packages[str(directory.relative_to(PROJECT))]
        if chosen is None or name in chosen:
            binaries.append(Binary(package, name, message["executable"], str(directory)))
    CACHE.mkdir(parents=True, exist_ok=True)
    BINARIES.write_text(json.dumps([dataclasses.asdict(binary) for binary in binaries], indent=1))


def select(filters: list[str]) -> list[Test]:
    """Tests whose titles have any of the filters in them; all without filters."""
    try:
        binaries = [Binary(**entry) for entry in json.loads(BINARIES.read_text())]
    except FileNotFoundError:
        raise Failure("nothing is built: run vm-tests/run build first") from None
    gone = [binary.path for binary in binaries if not Path(binary.path).exists()]
    if gone:
        raise Failure(f"{gone[0]} is gone: run vm-tests/run build again")
    tests = []
    for binary in binaries:
        ignored = set(binary.list("--ignored"))
        tests += [Test(binary, name) for name in binary.list() if name not in ignored]
    chosen = [test for test in tests if not filters or any(part in test.title for part in filters)]
    if not chosen:
        raise Failure(f"none of {len(tests)} tests has {' or '.join(filters)} in its title")
    return chosen


def run(kernel: Kernel, tests: list[Test], threads: int, limit: float) -> int:
    """Runs the tests, each in a machine whose kernel has what it needs, and sums up."""
    started = time.monotonic()
    results, failures = [], []
    for marks, execute, most in [
        (None, machine.execute, threads),
        # One processor, and ends that give each other up after seconds.
        (USER_MODE, user_mode.execute, 2),
        # Those of one pair of cards would only wait for each other.
        (NEWER_QEMU, newer_qemu.execute, 1),
    ]:
        chosen = [test for test in tests if marks_of(test) is marks]
        if chosen:
            found, failure = run_in(execute, kernel, chosen, min(threads, most), limit)
            results += found
            failures += [failure] if failure else []
    return report(results, "\n".join(failures), time.monotonic() - started)


def marks_of(test: Test) -> list[str] | None:
    """The list above that the test is meant by."""
    return next((marks for marks in (USER_MODE, NEWER_QEMU) if any(part in test.title for part in marks)), None)


def run_in(execute, kernel: Kernel, tests: list[Test], threads: int, limit: float) -> tuple[list[dict], str | None]:
    """Runs the tests in one machine. What they did, and what went wrong with the machine."""
    with machine.exchange_folder() as folder:
        (folder / "tests.json").write_text(json.dumps([test.job() for test in tests]))
        python = os.path.realpath(sys.executable)
        command = [python, str(GUEST / "tests"), "/run/exchange/tests.json", str(threads)]
        failure = None
        try:
            execute(kernel, command, limit, folder)
        except Failure as caught:
            failure = str(caught)
        results = {}
        if (folder / "results").exists():
            for line in (folder / "results").read_text().splitlines():
                result = json.loads(line)
                results[result["title"]] = result
    for test in tests:
        # The machine was killed or died before this one ended.
        lost = {"title": test.title, "passed": False, "seconds": 0.0, "output": "not finished: the machine ended before"}
        results.setdefault(test.title, lost)
    return list(results.values()), failure


def report(results: list[dict], failure: str, seconds: float) -> int:
    """Failures in full, a line at the end; the same as a file for machines."""
    failed = [result for result in results if not result["passed"]]
    skipped = [line for result in results for line in result["output"].splitlines() if line.startswith("SKIPPED ")]
    write_junit(LOG / "junit.xml", results, seconds)
    for result in failed:
        print(f"\n--- {result['title']} ---\n{result['output'].rstrip()}")
    if failure:
        print(f"\n{failure}")
    print("".join(f"\n{line}" for line in skipped))
    print("".join(f"failed: {result['title']}\n" for result in failed), end="")
    print(f"after {seconds:.0f} s; log: {LOG}/junit.xml")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or failure else 0


def write_junit(file: Path, results: list[dict], seconds: float) -> None:
    failed = sum(not result["passed"] for result in results)
    suite = xml.Element("testsuite", name="vm", tests=str(len(results)), failures=str(failed), time=f"{seconds:.3f}")
    for result in sorted(results, key=lambda result: result["title"]):
        package, _, name = result["title"].rpartition("::")
        case = xml.SubElement(suite, "testcase", classname=package, name=name, time=f"{result['seconds']:.3f}")
        # Characters that XML cannot have.
        output = "".join(sign for sign in result["output"] if sign in "\n\t" or sign >= " ")
        if not result["passed"]:
            xml.SubElement(case, "failure", message="failed").text = output
        else:
            xml.SubElement(case, "system-out").text = output
    file.parent.mkdir(parents=True, exist_ok=True)
    xml.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
