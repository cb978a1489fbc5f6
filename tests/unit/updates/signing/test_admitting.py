"""What a car installs of what is signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from driveaway.updates.signing.admitting import Car, Installed, admitted
from driveaway.updates.signing.entries import Custom, Dependency, Entry, Release
from driveaway.values.errors import NotFound, Refused
from tests.conformance.tuf.maker import custom, entry
from tests.conformance.tuf.scene import order


@dataclass
class Signed:
    entries: dict[str, Entry] = field(default_factory=dict)

    def entry(self, path: str) -> Entry:
        if path not in self.entries:
            raise NotFound("nobody signed it", code="updates.unsigned_target")
        return self.entries[path]

    def release(self, **modules: Custom) -> list[str]:
        """One release of these modules, each the content of its name."""
        whole = Release("su7", "1.0", {name: sha256(name.encode()).hexdigest() for name in modules})
        for name, about in modules.items():
            fields = {field: getattr(about, field) for field in about.__struct_fields__}
            self.entries[name] = entry(name, name.encode(), Custom(**(fields | {"release": whole})))
        return list(modules)


def installed(counter: int) -> Installed:
    return Installed(f"{counter}.0", "semver", counter)


CAR = Car(frozenset({"hpc"}), {"os": installed(3), "radio": installed(2)})


def code(signed: Signed, paths: list[str], car: Car = CAR) -> str:
    try:
        return f"{len(admitted(signed, paths, car, order))} admitted"
    except (Refused, NotFound) as error:
        return error.code.removeprefix("updates.")


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (custom("os", 4), "1 admitted"),
        (custom("os", 3), "1 admitted"),
        (custom("os", 2), "rolled_back"),
        (custom("os", 4, minimum="3.0"), "1 admitted"),
        (custom("os", 4, minimum="3.1"), "minimum"),
        (custom("os", 4, minimum="10.0"), "minimum"),
        (custom("os", 4, excluded=("3.0",)), "excluded"),
        (custom("os", 4, excluded=("2.0",)), "1 admitted"),
        (custom("new", 0, minimum="9.0"), "1 admitted"),
        (custom("os", 4, hardware=("other",)), "hardware"),
        (custom("os", 4, dependencies=(Dependency("radio"),)), "1 admitted"),
        (custom("os", 4, dependencies=(Dependency("radio", "2.0"),)), "1 admitted"),
        (custom("os", 4, dependencies=(Dependency("radio", "2.1"),)), "dependency"),
        (custom("os", 4, dependencies=(Dependency("radio", None, ("2.0",)),)), "dependency"),
        (custom("os", 4, dependencies=(Dependency("radar"),)), "dependency"),
        (custom("os", 4, dependencies=(Dependency("radar", conflicts=True),)), "1 admitted"),
        (custom("os", 4, dependencies=(Dependency("radio", conflicts=True),)), "dependency"),
        (custom("os", 4, dependencies=(Dependency("radio", "3.0", conflicts=True),)), "1 admitted"),
    ],
    ids=map(str, range(18)),
)
def test_one_module(about: Custom, expected: str) -> None:
    signed = Signed()
    assert code(signed, signed.release(a=about)) == expected


def test_dependencies_hold_once_all_is_installed() -> None:
    signed = Signed()
    paths = signed.release(
        a=custom("os", 4, dependencies=(Dependency("radio", "5.0"),)), b=custom("radio", 5)
    )
    assert code(signed, paths) == "2 admitted"


def test_what_is_for_other_hardware_is_no_missing_part() -> None:
    signed = Signed()
    paths = signed.release(a=custom("os", 4), b=custom("radio", 5), c=custom("lidar", 1, hardware=("lidar",)))
    assert code(signed, paths[:2]) == "2 admitted"
    assert code(signed, paths[:1]) == "partial"
    assert code(signed, paths) == "hardware"


def test_a_release_pins_the_bytes_of_what_it_names() -> None:
    """A supplier that signs other bytes under the same name, later, is not followed."""
    signed = Signed()
    paths = signed.release(a=custom("os", 4), b=custom("radio", 5))
    signed.entries["b"] = entry("b", b"other", signed.entries["b"].custom)
    assert code(signed, paths) == "mixed"


def test_one_release_at_a_time() -> None:
    signed = Signed()
    first = signed.release(a=custom("os", 4))
    assert code(signed, [*first, *signed.release(b=custom("radio", 5), c=custom("maps", 1))]) == "mixed"
    assert code(signed, []) == "mixed"
    signed.entries["loose"] = entry("loose", b"loose", custom("radio", 9))
    assert code(signed, ["loose"]) == "mixed"
    assert code(signed, ["unsigned"]) == "unsigned_target"


def test_a_supplier_composes_no_release() -> None:
    signed = Signed()
    whole = Release("su7", "1.0", {"suppliers/lidar/a": sha256(b"a").hexdigest()})
    signed.entries["suppliers/lidar/a"] = entry("suppliers/lidar/a", b"a", custom("lidar", 1, whole))
    assert code(signed, ["suppliers/lidar/a"]) == "release_owner"
