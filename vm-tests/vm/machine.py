# SPDX-License-Identifier: Apache-2.0

"""Starts a machine, gives it a job, waits for its end.

Host and machine share a folder for each run: the machine reads `job`, shell code that says what to do, and writes `status`,
the exit status of the command. What the command prints comes through two virtio ports, byte by byte, as it is printed;
what the kernel prints goes to a file. A machine that isn't finished at its limit is killed.
"""

import contextlib
import dataclasses
import os
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .failure import Failure
from .paths import CACHE, GUEST, LOG
from .prepare import Kernel, found

# Exit status for a machine that was killed at its limit, as timeout(1) has it.
TIMED_OUT = 124
MEMORY = "1536"
# What QEMU says, what the kernel prints.
LOGS = ["qemu.log", "console.log"]
# From the end of the output to the end of QEMU.
END_LIMIT = 30

# Models of network cards: two of each, which are the ends of one wire. No wire leads out of the machine.
CARDS = ["e1000e", "vmxnet3", "virtio-net-pci", "i82558b"]

# Name of what QEMU runs the machine's code with. Emulation works everywhere.
ACCELERATOR = CACHE / "accelerator"
EMULATION = "tcg,thread=multi"
VIRTUALIZATION = "kvm"
# From start to end of a machine with virtualization that does nothing.
TRIAL_LIMIT = 20


@dataclasses.dataclass(frozen=True)
class Engine:
    """Which QEMU, the installed one unless another is named, and the models of its cards: `{end}` is the end of the wire."""

    program: str | None = None
    cards: list[str] = dataclasses.field(default_factory=lambda: CARDS)
    options: list[str] = dataclasses.field(default_factory=list)
    variables: dict[str, str] = dataclasses.field(default_factory=dict)


def choose_accelerator(kernel: Kernel) -> None:
    """The processor's own virtualization, ten times as fast, where a machine comes up with it. A device file is no promise."""
    if ACCELERATOR.exists():
        return
    chosen = EMULATION
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        ACCELERATOR.write_text(VIRTUALIZATION)
        with contextlib.suppress(Failure):
            if execute(kernel, ["true"], TRIAL_LIMIT) == 0:
                chosen = VIRTUALIZATION
    ACCELERATOR.write_text(chosen)
    print(f"accelerator: {chosen}")


def shell(kernel: Kernel, limit: float) -> int:
    """A shell on the terminal."""
    if not sys.stdin.isatty():
        raise Failure("a shell needs a terminal: use vm-tests/run exec")
    size = shutil.get_terminal_size()
    start = f"stty rows {size.lines} columns {size.columns}; exec bash -i"
    with exchange_folder() as folder:
        write_job(folder, kernel, "shell", ["bash", "-c", start], {"TERM": os.environ.get("TERM", "vt100")})
        console = ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        with started(kernel, folder, console) as qemu:
            wait(qemu, limit or None)
        return status(folder)


def execute(kernel: Kernel, command: list[str], limit: float, folder: Path | None = None, engine: Engine | None = None) -> int:
    """A command, whose output is passed on. `folder` is shared with the machine as /run/exchange."""
    if folder is None:
        with exchange_folder() as folder:
            return execute(kernel, command, limit, folder, engine)
    write_job(folder, kernel, "exec", command, {})
    deadline = time.monotonic() + limit if limit else None
    with contextlib.ExitStack() as stack:
        devices = ["-serial", f"file:{folder}/console.log", "-device", "virtio-serial-pci"]
        ports = {}
        for name, sink in [("out", sys.stdout), ("err", sys.stderr)]:
            # A path that is short enough for a socket wherever the cache is.
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / name
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(path))
            listener.listen(1)
            ports[listener] = sink.buffer
            devices += ["-chardev", f"socket,id={name},path={path}", "-device", f"virtserialport,chardev={name},name={name}"]
        qemu = stack.enter_context(started(kernel, folder, devices, engine))
        if not pass_on(qemu, ports, deadline):
            print(f"vm-tests/run: killed after {limit:.0f} s", file=sys.stderr)
            return TIMED_OUT
        wait(qemu, END_LIMIT)
        return status(folder)


def pass_on(qemu: subprocess.Popen, ports: dict, deadline: float | None) -> bool:
    """Copies what comes from the ports until QEMU ends; false at the deadline."""
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as connections:
        for listener in ports:
            selector.register(listener, selectors.EVENT_READ)
        # QEMU connects before the machine starts, and closes when it ends; unless it ends before all that.
        awaited = set(ports)
        while selector.get_map() and not (awaited and qemu.poll() is not None):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            for key, _ in selector.select(min(left or 1, 1)):
                source = key.fileobj
                if key.data is None:
                    connection, _ = source.accept()
                    connections.enter_context(connection)
                    awaited.discard(source)
                    selector.unregister(source)
                    selector.register(connection, selectors.EVENT_READ, ports[source])
                elif data := source.recv(65536):
                    key.data.write(data)
                    key.data.flush()
                else:
                    selector.unregister(source)
    return True


@contextlib.contextmanager
def started(kernel: Kernel, folder: Path, devices: list[str], engine: Engine | None = None):
    """QEMU, which ends with this block, and with this program however that one ends."""
    engine = engine or Engine()
    qemu = engine.program or found("qemu-system-x86_64") or "qemu-system-x86_64"
    accelerator = ACCELERATOR.read_text().strip() if ACCELERATOR.exists() else EMULATION
    command = [
        *["setpriv", "--pdeathsig", "KILL", "--", qemu, *engine.options],
        *["-accel", accelerator],
        *["-smp", "2", "-cpu", "max", "-m", MEMORY, "-nodefaults", "-display", "none", "-no-reboot"],
        *["-kernel", str(kernel.image), "-initrd", str(kernel.initrd)],
        *["-append", "console=ttyS0 panic=-1 quiet mitigations=off random.trust_cpu=on"],
        *["-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"],
        *["-virtfs", f"local,path={folder},mount_tag=exchange,security_model=none"],
        *["-device", "virtio-rng-pci"],
        *cards(engine.cards),
        *devices,
    ]
    with (folder / "qemu.log").open("w") as log:
        qemu = subprocess.Popen(command, stderr=log, env={**os.environ, **engine.variables})
    try:
        yield qemu
    finally:
        if qemu.poll() is None:
            qemu.kill()
        qemu.wait()
        # Machines may run at the same time: the log is that of the last to end.
        for name in LOGS:
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(folder / name, LOG / name)


def cards(models: list[str]) -> list[str]:
    words = []
    for wire, model in enumerate(models):
        for end in range(2):
            name, address = f"card{wire}-{end}", f"52:54:00:00:{wire:02}:{end:02}"
            words += ["-netdev", f"hubport,id={name},hubid={wire}", "-device", f"{model.format(end=end)},netdev={name},mac={address},romfile="]
    return words


def wait(qemu: subprocess.Popen, limit: float | None) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        qemu.wait(limit)


@contextlib.contextmanager
def exchange_folder():
    LOG.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="exchange-") as folder:
        yield Path(folder)


def write_job(folder: Path, kernel: Kernel, kind: str, command: list[str], variables: dict[str, str]) -> None:
    """What guest/init and guest/main read: the former is another shell, which must not see the array."""
    lines = [f"modules={shlex.quote(str(kernel.modules))}", f"main={shlex.quote(str(GUEST / 'main'))}"]
    (folder / "job").write_text("\n".join(lines) + "\n")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines += [f"kind={kind}", f"directory={shlex.quote(os.getcwd())}", f"command=({shlex.join(command)})"]
    (folder / "command").write_text("\n".join(lines) + "\n")


def status(folder: Path) -> int:
    """How the command ended."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((folder / "status").read_text())
    lines = ["the machine ended before its command did"]
    for log in [folder / name for name in LOGS]:
        lines += log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
    raise Failure("\n".join(lines))
