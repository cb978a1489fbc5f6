"""Publishes in copies of a repository, and kills itself before the n-th renaming in the n-th copy."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from driveaway.updates.signing.repository import Repository

AT = 1_714_521_600_000_000
here = Path(sys.argv[1])
signers = [CryptoSigner(load_pem_private_key(path.read_bytes(), None)) for path in (here / "keys").iterdir()]
replace = Path.replace
for survived in range(6):
    folder = here / f"killed-{survived}"
    shutil.copytree(here / "repository", folder)
    child = os.fork()
    if child == 0:
        left = survived

        def once(self: Path, target: Path) -> Path:
            global left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return replace(self, target)

        Path.replace = once  # type: ignore[assignment, method-assign]
        Repository(folder, signers).publish("change", by="ben", at=AT)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status), f"{survived}: it survived"
