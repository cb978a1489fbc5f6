"""What runs the examples of the documentation notices what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.documents import ExampleFailed, examples, run_page

PAGE = """# A page

```sh
make demo
export WORD=night
# a comment
mkdir below
cd below
```

```console
$ echo "good $WORD"; pwd | sed 's,.*/,,'
good night
below
$ printf '1\\n2\\n3\\n'
1
…
$ make test
never looked at
$ for i in a b
> do echo $i; done
a
b
```

```python
from pathlib import Path
print(Path.cwd().name)
```

```toml
launch = "not run"
```
"""


def page(folder: Path, text: str) -> Path:
    file = folder / "page.md"
    file.write_text(text, encoding="utf-8")
    return file


def test_examples_are_found_with_their_lines() -> None:
    found = examples(PAGE)
    assert [example.line for example in found] == [4, 12, 15, 20, 27]
    assert "make" not in "".join(example.command for example in found)


def test_a_page_shares_one_shell(tmp_path: Path) -> None:
    assert run_page(page(tmp_path, PAGE), tmp_path, os.environ) == 5


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("```console\n$ echo one\ntwo\n```", "should say"),
        ("```console\n$ printf 'one\\nmore\\n'\none\n```", "should say"),
        ("```console\n$ echo lost >&2; false\n```", "exit code 1:\nlost"),
        ("```sh\nexit 7\n```\n", "the shell ended"),
        ("```python\nraise SystemExit(3)\n```\n", "exit code 3"),
        ("```console\necho one\n```", "begins with a command"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, block: str, complaint: str) -> None:
    with pytest.raises(ExampleFailed, match=complaint):
        run_page(page(tmp_path, f"# A page\n\n{block}\n"), tmp_path, os.environ)
