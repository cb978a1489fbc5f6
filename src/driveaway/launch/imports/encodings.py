"""Which encoding a text file has: its byte-order mark, what was declared, or evidence; never a guess."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from driveaway.values.errors import BadValue

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOSTLY = 0.9


class Encoding(NamedTuple):
    """An encoding.

    Attributes:
        name: Python's name of it; for one with a mark that is cut off: ``utf-8``.
        skip: bytes of the mark.
        note: what to tell the user, or "".
        wide: lines cannot be found in its bytes, which must be decoded first.
    """

    name: str
    skip: int = 0
    note: str = ""
    wide: bool = False


def encoding_of(sample: bytes, declared: str | None) -> Encoding:
    """The encoding of a file that begins with these bytes.

    UTF-8 is taken where the lines with other than ASCII characters are mostly valid in it (a line that
    is not is reported); GB 18030 where they are not and everything reads as everyday Chinese.
    ISO 8859-1 fits any bytes, so it is only taken when declared.

    Raises:
        BadValue: no such encoding, or the file has to say which.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return Encoding("utf-8", len(mark)) if name == "utf-8-sig" else Encoding(name, 0, "", True)
    if declared is not None:
        try:
            name = codecs.lookup(declared).name
        except LookupError as error:
            raise BadValue(
                f"{declared!r} is not an encoding", code="encoding.unknown", remedy="such as utf-8 or gb18030"
            ) from error
        if name.startswith(("utf-16", "utf-32")):
            return Encoding(name, 0, "", True)
        if "\n".encode(name, "replace") != b"\n":
            raise BadValue(
                f"{declared!r} is not supported", code="encoding.unknown", remedy="save the file as UTF-8"
            )
        return Encoding(name)
    if b"\x00" in sample and sample.count(b"\x00") > len(sample) // 4:
        raise BadValue(
            "this looks like UTF-16 without its byte-order mark",
            code="encoding.undeclared",
            remedy='declare it in a mapping: encoding = "utf-16-le"',
        )
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    valid = sum(_decodes(line, "utf-8") for line in lines)
    if not lines or valid * 2 >= len(lines):
        return Encoding("utf-8")
    if all(_decodes(line, "gb18030") for line in lines):
        text = [c for line in lines for c in line.decode("gb18030") if not c.isascii()]
        common = sum(_decodes_back(c) for c in text)
        if common >= _MOSTLY * len(text):
            return Encoding(
                "gb18030", 0, "read as GB 18030 (it is not UTF-8, and all of it is Chinese in GB 18030)"
            )
    raise BadValue(
        "the text is not UTF-8, and does not say what it is",
        code="encoding.undeclared",
        remedy='declare it in a mapping, such as encoding = "gb18030" or "latin-1"; or save it as UTF-8',
    )


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _decodes_back(character: str) -> bool:
    """Whether a character is in GB 2312, the everyday part of GB 18030."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
