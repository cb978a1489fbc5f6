"""``python -m driveaway``."""

from driveaway.cli import main

main()
