# SPDX-License-Identifier: Apache-2.0

"""Makes what a machine is started from: QEMU, a kernel with its modules, an initial file system.

The packages of the kernel and of busybox aren't installed but unpacked into the cache, one folder for each version:

    kernel/VERSION/vmlinuz       the kernel
    kernel/VERSION/busybox       programs for the start, linked statically
    kernel/VERSION/modules/      all its modules: /lib/modules in the machine
    kernel/VERSION/initrd.img    what mounts the file tree of the host, and the modules for that
    kernel/current               name of the version that machines use
"""

import contextlib
import dataclasses
import lzma
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from .failure import Failure
from .paths import GUEST, KERNELS

# Programs by the package that has them.
PROGRAMS = {"qemu-system-x86": "qemu-system-x86_64", "kmod": "modprobe", "cpio": "cpio", "ethtool": "ethtool", "wireguard-tools": "wg"}
# The machine's first programs. Unpacked like the kernel: to install it could mean to remove another busybox.
BUSYBOX = "busybox-static"
# The full flavour: the one for clouds lacks 9p and much else.
KERNEL = "linux-image-amd64"
# What is needed to mount the file tree of the host; these bring what they depend on.
FIRST_MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay"]


@dataclasses.dataclass
class Kernel:
    """A prepared kernel."""

    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def busybox(self) -> Path:
        return self.folder / "busybox"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def modules(self) -> Path:
        return self.folder / "modules"

    @property
    def is_complete(self) -> bool:
        return self.initrd.exists() and self.busybox.exists()


def prepared() -> Kernel:
    """The kernel that `prepare` made ready."""
    try:
        kernel = Kernel(KERNELS / (KERNELS / "current").read_text().strip())
    except FileNotFoundError:
        raise Failure("no kernel: run vm-tests/run prepare first") from None
    if not kernel.busybox.exists():
        raise Failure("an incomplete kernel: run vm-tests/run prepare again")
    newest = max((GUEST / "init").stat().st_mtime, Path(__file__).stat().st_mtime)
    if kernel.initrd.stat().st_mtime < newest:
        build_initrd(kernel)
    return kernel


def prepare() -> None:
    """Everything that is missing."""
    install_programs()
    package = newest_kernel()
    if not package or not kernel_of(package).is_complete:
        package = after_update(newest_kernel)
    if not package:
        raise Failure(f"apt knows no {KERNEL}: this needs Debian's package lists")
    kernel = kernel_of(package)
    version = kernel.folder.name
    if kernel.is_complete:
        print(f"kernel {version}: in the cache")
    else:
        print(f"kernel {version}: downloading and unpacking")
        unpack(package, kernel)
    (KERNELS / "current").write_text(f"{version}\n")
    prepared()


def install_programs() -> None:
    missing = [package for package, program in PROGRAMS.items() if not found(program)]
    if not missing:
        return
    print(f"installing by apt: {' '.join(missing)}", flush=True)
    after_update(lambda: apt_get("install", "--yes", "--no-install-recommends", *missing))


def apt_get(*arguments: str) -> None:
    command = ["apt-get", *arguments]
    if os.geteuid() != 0:
        command.insert(0, "sudo")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode != 0:
        raise Failure(f"this failed: {' '.join(command)}")


def after_update(action: Callable):
    """What the action returns with package lists of today."""
    apt_get("update", "-qq")
    return action()


def found(program: str) -> str | None:
    """Path of a program; administrators' programs aren't in everybody's PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def newest_kernel() -> str | None:
    shown = subprocess.run(["apt-cache", "depends", KERNEL], capture_output=True, text=True).stdout
    packages = re.findall(r"^ *Depends: (linux-image-\S+)$", shown, re.MULTILINE)
    return packages[0] if packages else None


def kernel_of(package: str) -> Kernel:
    return Kernel(KERNELS / package.removeprefix("linux-image-"))


def unpack(package: str, kernel: Kernel) -> None:
    """The packages into the folder of the kernel's version, which is complete or isn't there."""
    KERNELS.mkdir(parents=True, exist_ok=True)
    with unpacked([package, BUSYBOX], KERNELS) as tree:
        complete = tree.parent / "complete"
        modules = complete / "modules"
        modules.mkdir(parents=True)
        # Distributions move everything to /usr, one release after the other.
        (source,) = [*tree.glob("lib/modules/*"), *tree.glob("usr/lib/modules/*")]
        source.rename(modules / source.name)
        (image,) = tree.glob("boot/vmlinuz-*")
        image.rename(complete / "vmlinuz")
        (busybox,) = [*tree.glob("bin/busybox"), *tree.glob("usr/bin/busybox")]
        busybox.rename(complete / "busybox")
        index_modules(modules, source.name)
        complete.chmod(0o755)
        shutil.rmtree(kernel.folder, ignore_errors=True)
        complete.rename(kernel.folder)
    build_initrd(kernel)


@contextlib.contextmanager
def unpacked(packages: list[str], cache: Path, options: list[str] | None = None):
    """What is in packages, in a folder beside those where it may stay. The options are apt's."""
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name)
        for one in packages:
            # apt downloads as another user when root starts it, and complains when that one may not write here.
            call(["apt-get", "download", "-o", "APT::Sandbox::User=root", *(options or []), one], cwd=folder)
            (archive,) = folder.glob(f"{one}_*.deb")
            call(["dpkg", "-x", str(archive), str(folder / "tree")])
        yield folder / "tree"


def build_initrd(kernel: Kernel) -> None:
    """busybox, the first modules, guest/init."""
    version = next(kernel.modules.iterdir()).name
    with tempfile.TemporaryDirectory(dir=KERNELS) as name:
        root = Path(name) / "root"
        for folder in ["bin", "dev", "proc", "sys", "exchange", "host", "memory", "root", "lib/modules"]:
            (root / folder).mkdir(parents=True)
        shutil.copy(kernel.busybox, root / "bin" / "busybox")
        shutil.copy(GUEST / "init", root / "init")
        (root / "init").chmod(0o755)
        for module in first_modules(kernel, version):
            # Without compression: busybox doesn't know all that kernels know.
            target = root / "lib/modules" / version / module.relative_to(kernel.modules / version)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = module.read_bytes()
            if target.suffix == ".xz":
                target, content = target.with_suffix(""), lzma.decompress(content)
            target.write_bytes(content)
        for index in ["modules.order", "modules.builtin", "modules.builtin.modinfo"]:
            shutil.copy(kernel.modules / version / index, root / "lib/modules" / version)
        index_modules(root / "lib/modules", version)
        listing = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
        archive = Path(name) / "initrd.img"
        with archive.open("wb") as output:
            command = ["cpio", "--quiet", "--create", "--format=newc", "--owner=0:0"]
            subprocess.run(command, cwd=root, input=listing.encode(), stdout=output, check=True)
        archive.rename(kernel.initrd)


def first_modules(kernel: Kernel, version: str) -> list[Path]:
    """Files of the modules that the machine starts with."""
    files = []
    with module_root(kernel.modules) as root:
        for module in FIRST_MODULES:
            command = [found("modprobe"), "--dirname", root, "--set-version", version, "--show-depends", module]
            shown = subprocess.run(command, capture_output=True, text=True)
            if shown.returncode != 0:
                raise Failure(f"kernel {version} has no module {module}: {shown.stderr.strip()}")
            files += [Path(line.split()[1]).resolve() for line in shown.stdout.splitlines() if line.startswith("insmod ")]
    return list(dict.fromkeys(files))


def index_modules(modules: Path, version: str) -> None:
    with module_root(modules) as root:
        call([found("depmod"), "--basedir", root, version])


def module_root(modules: Path):
    """A folder with `modules` as lib/modules, as kmod wants it."""

    class Root(tempfile.TemporaryDirectory):
        def __enter__(self) -> str:
            root = super().__enter__()
            # Under both names that it has had.
            for library in [Path(root) / "lib", Path(root) / "usr" / "lib"]:
                library.mkdir(parents=True)
                (library / "modules").symlink_to(modules)
            return root

    return Root()


def call(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)} failed:\n{done.stdout}")
