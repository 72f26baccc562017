# SPDX-License-Identifier: Apache-2.0

"""Where things lie."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
GUEST = PROJECT / "vm-tests" / "guest"
CACHE = Path(os.environ.get("NIPART_VM_CACHE") or PROJECT / ".cache" / "vm").resolve()
# One folder for each kernel that was unpacked.
KERNELS = CACHE / "kernel"
# What the last machine has left: console, results.
LOG = CACHE / "log"
