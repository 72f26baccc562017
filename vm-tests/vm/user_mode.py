# SPDX-License-Identifier: Apache-2.0

"""The second engine: User-Mode Linux, whose kernel has what Debian's stock kernel hasn't.

It is a program that is a kernel, from Debian's package of the name, unpacked into the cache and not installed. Its root is the
file tree of the host, read-only, under a layer of memory; the folder of the job is mounted beside it.
"""

import os
import subprocess
from pathlib import Path

from .failure import Failure
from .machine import TIMED_OUT, status, write_job
from .paths import CACHE, GUEST
from .prepare import Kernel, unpacked

PACKAGE = "user-mode-linux"
FOLDER = CACHE / PACKAGE
MEMORY = "768M"


def prepare() -> None:
    if not FOLDER.exists():
        print(f"{PACKAGE}: downloading and unpacking")
        with unpacked([PACKAGE], CACHE) as tree:
            tree.rename(FOLDER)


def execute(kernel: Kernel, command: list[str], limit: float, folder: Path) -> int:
    """A command, whose output is passed on. `folder` is shared with the machine as /run/exchange."""
    if not FOLDER.exists():
        raise Failure(f"no {PACKAGE}: run vm-tests/run prepare first")
    modules = Kernel(folder=FOLDER / "usr/lib/uml")
    write_job(folder, modules, "user-mode", command, {})
    (folder / "busybox").symlink_to(kernel.busybox)
    program = [
        *["setpriv", "--pdeathsig", "KILL", "--", str(FOLDER / "usr/bin/linux.uml")],
        *[f"mem={MEMORY}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"],
        *[f"init={GUEST / 'user-mode'}", f"exchange={folder}", "con=null", "con0=null,fd:1"],
    ]
    # Its memory is a file there.
    environment = {**os.environ, "TMPDIR": "/dev/shm"}
    with (folder / "console.log").open("w") as log:
        try:
            subprocess.run(program, env=environment, stdin=subprocess.DEVNULL, stderr=log, timeout=limit or None)
        except subprocess.TimeoutExpired:
            print(f"vm-tests/run: killed after {limit:.0f} s")
            return TIMED_OUT
    return status(folder)
