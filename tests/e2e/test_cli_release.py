"""A release from its files to publication and back, at the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from driveaway.updates.signing.keys import KeyRing
from tests.e2e.shell import Shell, program

PERSONS = ("anna", "ben", "dora", "emil")
ROLES = (
    "--root", "anna,ben", "--targets", "dora,emil", "--snapshot", "online", "--timestamp", "online",
)  # fmt: skip
FORCE = "--force-file-keys"


@pytest.fixture
def keyed(shell: Shell, tmp_path: Path) -> Shell:
    """A launch with a published root; its keys lie in files, by force."""
    for person in PERSONS:
        shell.done("release", "key", "new", person, "--holder", person, FORCE)
    shell.done("release", "key", "new", "online", FORCE)
    shell.done("release", "init", *ROLES, "--by", "anna")
    for person in PERSONS:
        shell.done("release", "sign", "founding", "--key", person, FORCE)
    shell.done("release", "publish", "founding", "--by", "ben", FORCE)
    return shell


def created(shell: Shell, tmp_path: Path, version: str = "2024.5.1") -> str:
    file = tmp_path / "os.swu"
    file.write_bytes(b"an image of " + version.encode())
    shell.done("release", "add", "os", version, file, "--hardware", "hpc", "--vendor", "Example")
    return shell.done(
        "release", "create", "su7", version, "--module", f"os={version}", "--notes", "first",
        "--minimum", "os=2024.4", "--exclude", "os=2024.4.2", "--needs", "os=radio>=3", "--by", "dora",
    ).strip()  # fmt: skip


def test_from_files_to_publication_and_back(keyed: Shell, tmp_path: Path) -> None:
    slug = created(keyed, tmp_path)
    assert slug == "su7-2024.5.1"
    keyed.done("release", "propose", slug, "--by", "dora")
    told = keyed("release", "status", "--format", "json").json()
    assert [role["state"] for role in told["roles"]] == ["good"] * 4
    (waiting,) = told["proposals"]
    assert (waiting["proposal"], waiting["author"]) == (slug, "dora")
    assert (waiting["awaits"][0]["missing"], waiting["awaits"][0]["may_sign"]) == (2, ["dora", "emil"])
    keyed.refused("updates.file_key", "release", "sign", slug, "--key", "dora")
    keyed.refused("updates.signer", "release", "sign", slug, "--key", "anna", FORCE)
    assert "1 missing" in keyed.done("release", "sign", slug, "--key", "dora", FORCE)
    assert "awaits 1 of emil" in keyed.done("release", "status")
    keyed.refused("updates.unsigned", "release", "publish", slug, "--by", "emil", FORCE)
    assert "enough" in keyed.done("release", "sign", slug, "--key", "emil", FORCE)
    keyed.refused("updates.four_eyes", "release", "publish", slug, "--by", "dora", FORCE)
    assert "may be given it" in keyed.done("release", "publish", slug, "--by", "emil", FORCE)
    shown = keyed("release", "show", slug, "--format", "json").json()
    assert (shown["stage"], shown["approved_by"], shown["awaits"]) == ("published", "emil", [])
    (module,) = shown["modules"]
    assert (module["minimum_version"], module["excluded_versions"]) == ("2024.4", ["2024.4.2"])
    assert module["needs"] == ["radio >= 3"]
    keyed.refused("release.stage", "release", "propose", slug, "--by", "dora")

    said = keyed.done("release", "withdraw", slug, "--reason", "it lists", "--by", "dora")
    assert said == f"{slug}: withdrawn; 0 actions cancelled, 0 go on\n"
    (row,) = keyed("release", "list", "--format", "json").json()["rows"]
    assert (row["release"], row["stage"]) == (slug, "withdrawn")
    for person in ("dora", "emil"):
        keyed.done("release", "sign", f"withdraw-{slug}", "--key", person, FORCE)
    keyed.done("release", "publish", f"withdraw-{slug}", "--by", "emil", FORCE)


def test_signing_away_from_the_network(keyed: Shell, tmp_path: Path) -> None:
    slug = created(keyed, tmp_path)
    keyed.done("release", "propose", slug, "--by", "dora")
    file, ring = tmp_path / "proposal.json", keyed.folder / "keys"
    keyed.done("release", "export", slug, file)
    for person in ("dora", "emil"):
        signed = program("release", "sign-file", file, "--key", person, "--keys", ring, FORCE, cwd=tmp_path)
        assert (signed.code, signed.err) == (0, "")
    text = file.read_text()
    file.write_text(text.replace("os.swu", "ob.swu"))
    keyed.refused("updates.signature", "release", "take", file)
    file.write_text(text)
    keyed.done("release", "take", file)
    keyed.done("release", "publish", slug, "--by", "emil", FORCE)


def test_keys_and_what_is_refused(keyed: Shell, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    keyed.done("release", "key", "new", "fang", "--holder", "fang", "--secret-file", secret, FORCE)
    assert "ENCRYPTED" in (keyed.folder / "keys" / "fang.pem").read_text()
    listed = keyed("release", "key", "list", "--format", "json").json()["rows"]
    assert {row["key"]: row["holder"] for row in listed}["fang"] == "fang"
    assert {row["place"] for row in listed} == {"file2"}
    keyed.refused("updates.file_key", "release", "key", "new", "gus", "--holder", "gus")
    keyed.refused("updates.keys", "release", "key", "new", "fang", FORCE, exit_code=2)
    pem = tmp_path / "public.pem"
    pem.write_text("no key")
    uri = ("--uri", "hsm:2?label=gus", "--public", pem, "--holder", "gus")
    keyed.refused("updates.public_key", "release", "key", "add", "gus", *uri, exit_code=2)
    one = [word.replace("dora,emil", "dora") for word in ROLES]
    again = ("release", "rotate", "alone", *one, "--targets-threshold", 1, "--by", "anna")
    keyed.refused("updates.holders", *again, exit_code=2)
    keyed.refused("updates.repository_exists", "release", "init", *ROLES, "--by", "anna")
    keyed.refused("release.unknown", "release", "show", "nothing", exit_code=2)
    keyed.refused(
        "module.unknown", "release", "create", "su7", "1", "--module", "os=1", "--by", "dora", exit_code=2
    )
    # Renewing root: the same keys, for a further year.
    keyed.done("release", "renew", "root", "another-year", "--by", "anna")
    for person in ("anna", "ben"):
        keyed.done("release", "sign", "another-year", "--key", person, FORCE)
    keyed.done("release", "publish", "another-year", "--by", "ben", FORCE)
    roles = keyed("release", "status", "--format", "json").json()["roles"]
    assert {role["role"]: role["version"] for role in roles}["root"] == 2
    keyed.done("release", "renew", "targets", "dropped", "--by", "dora")
    keyed.done("release", "drop", "dropped")
    assert not re.search("sesame", keyed.done("release", "key", "list"))


def test_a_supplier_signs_on_its_own_side(keyed: Shell, tmp_path: Path) -> None:
    """Two houses: the supplier has its keys, the maker's public metadata and root, and no launch."""
    house = tmp_path / "supplier"
    house.mkdir()
    ring = KeyRing(house / "keys")
    for person in ("gus", "hu"):
        ring.generate(person, person)
        private = load_pem_private_key((house / "keys" / f"{person}.pem").read_bytes(), None)
        public = tmp_path / f"{person}.pem"
        form = PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(private.public_key().public_bytes(Encoding.PEM, form))
        said = keyed.done("release", "key", "add", person, "--holder", person, "--public", public)
        assert said == f"{person}: held by {person}, its private half is not here\n"
    assert keyed.done("release", "supplier", "list") == "none yet: driveaway release supplier add\n"
    keyed.done("release", "supplier", "add", "lidar", "--keys", "gus,hu", "--threshold", 2, "--by", "dora")
    proposal = tmp_path / "supplier.json"
    keyed.done("release", "export", "supplier-lidar", proposal)
    for person in ("gus", "hu"):
        program("release", "sign-file", proposal, "--key", person, "--keys", house / "keys", FORCE, cwd=house)
    keyed.done("release", "take", proposal)
    for person in ("dora", "emil"):
        keyed.done("release", "sign", "supplier-lidar", "--key", person, FORCE)
    keyed.done("release", "publish", "supplier-lidar", "--by", "emil", FORCE)

    tuf = keyed.folder / "data" / "tuf"
    (house / "lidar-2.bin").write_text("a lidar's software")
    sign = (
        "release", "supplier", "sign", "lidar-2.bin", "--supplier", "lidar", "--module", "lidar",
        "--version", "2.0", "--hardware", "adas", "--needs", "os>=2024.5", "--key", "gus",
        "--metadata", tuf / "targets" / "tuf-metadata.json", "--root", tuf / "metadata" / "1.root.json",
        "--keys", house / "keys", "--by", "gus", "--output", "lidar.json",
    )  # fmt: skip
    assert "updates.file_key" in program(*sign, cwd=house).err
    signed = program(*sign, FORCE, cwd=house)
    assert signed.out == "lidar-lidar-2.0: signed with gus in lidar.json\n"
    program("release", "sign-file", "lidar.json", "--key", "hu", "--keys", house / "keys", FORCE, cwd=house)
    files = (house / "lidar.json", house / "lidar-2.bin")
    assert keyed.done("release", "supplier", "take", *files, "--by", "dora") == "lidar 2.0: taken over\n"
    keyed.done("release", "publish", "lidar-lidar-2.0", "--by", "dora", FORCE)
    image = tmp_path / "os.swu"
    image.write_bytes(b"an image")
    keyed.done("release", "add", "os", "2024.6", image, "--hardware", "hpc")
    modules = ("--module", "os=2024.6", "--module", "lidar=2.0")
    slug = keyed.done("release", "create", "su7", "2024.6", *modules, "--by", "dora").strip()
    keyed.done("release", "propose", slug, "--by", "dora")
    for person in ("dora", "emil"):
        keyed.done("release", "sign", slug, "--key", person, FORCE)
    keyed.done("release", "publish", slug, "--by", "emil", FORCE)
    shown = keyed("release", "show", slug, "--format", "json").json()
    lidar = next(each for each in shown["modules"] if each["name"] == "lidar")
    assert lidar["needs"] == ["os >= 2024.5"]
    (row,) = keyed("release", "supplier", "list", "--format", "json").json()["rows"]
    assert (row["signed_by"], row["files"], row["releases"]) == ("gus, hu", 1, slug)
    assert keyed("release", "resolve", slug, "--format", "json").json()["cars"] == 0
    removed = keyed("release", "supplier", "remove", "lidar", "--by", "dora")
    assert f"cars refuse: {slug}" in removed.err
