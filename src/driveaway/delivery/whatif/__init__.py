"""Changes to a launch, in a small grammar or in TOML, and the launch as it would be after them."""

from driveaway.delivery.whatif.applying import apply
from driveaway.delivery.whatif.changes import Change, read_changes
from driveaway.delivery.whatif.forms import FORMS
from driveaway.delivery.whatif.parse import parse
from driveaway.delivery.whatif.showing import sentence, show, toml

__all__ = ["FORMS", "Change", "apply", "parse", "read_changes", "sentence", "show", "toml"]
