"""Make a launch folder: FOLDER FACTS [URL]."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.launches import make_folder, scale_for
from bench.measuring import tell

if __name__ == "__main__":
    folder, facts, *url = sys.argv[1:]
    make_folder(Path(folder), scale_for(int(facts)), url[0] if url else None)
    tell(made=folder)
