# SPDX-License-Identifier: Apache-2.0

"""The third engine: QEMU with network cards that have virtual functions (SR-IOV), `igb`, which came with QEMU 8.0.

Where the installed QEMU hasn't that model, as in Debian 12, a newer one from Debian's backports is unpacked into the cache and
not installed. apt reads package lists of its own for that: nothing of the system's changes.
"""

import subprocess
from pathlib import Path

from . import machine
from .failure import Failure
from .paths import CACHE
from .prepare import Kernel, call, found, unpacked

MODEL = "igb"
SUITES = ["bookworm", "bookworm-backports"]
PACKAGES = ["qemu-system-x86", "qemu-system-data", "seabios"]
FOLDER = CACHE / "newer-qemu"
PROGRAM = FOLDER / "usr/bin/qemu-system-x86_64"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# SR-IOV is of PCI Express. Each card has a bus to itself, where its virtual functions have room.
PORTS = [word for end in range(2) for word in ("-device", f"pcie-root-port,id=port{end},chassis={end}")]
MACHINE = ["-M", "q35", *PORTS]
CARD = f"{MODEL},bus=port{{end}}"


def prepare() -> None:
    if is_installed() or PROGRAM.exists():
        return
    print("newer QEMU: downloading and unpacking", flush=True)
    configuration = lists()
    with unpacked(PACKAGES, CACHE, ["-c", str(configuration), "-t", SUITES[-1]]) as tree:
        tree.rename(FOLDER)


def is_installed() -> bool:
    shown = subprocess.run([found("qemu-system-x86_64"), "-device", "help"], capture_output=True, text=True)
    return f'name "{MODEL}"' in shown.stdout


def lists() -> Path:
    """Configuration of an apt that knows Debian's backports, and lists of today for it."""
    folder = CACHE / "apt"
    for name in ["lists/partial", "cache/archives/partial"]:
        (folder / name).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    line = f"deb [signed-by={KEYRING}] http://deb.debian.org/debian {{}} main\n"
    sources.write_text("".join(line.format(suite) for suite in SUITES))
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
    }
    configuration = folder / "apt.conf"
    configuration.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    call(["apt-get", "-c", str(configuration), "update", "-qq"])
    return configuration


def engine() -> machine.Engine:
    if is_installed():
        return machine.Engine(cards=[CARD], options=MACHINE)
    if not PROGRAM.exists():
        raise Failure("no QEMU with virtual functions: run vm-tests/run prepare first")
    folders = [word for name in ["qemu", "seabios"] for word in ("-L", str(FOLDER / "usr/share" / name))]
    modules = {"QEMU_MODULE_DIR": str(FOLDER / "usr/lib/x86_64-linux-gnu/qemu")}
    return machine.Engine(program=str(PROGRAM), cards=[CARD], options=[*MACHINE, *folders], variables=modules)


def execute(kernel: Kernel, command: list[str], limit: float, folder: Path) -> int:
    """A command, whose output is passed on. `folder` is shared with the machine as /run/exchange."""
    return machine.execute(kernel, command, limit, folder, engine())
