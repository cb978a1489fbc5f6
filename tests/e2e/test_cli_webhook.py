"""Webhooks at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.shell import LAUNCH_TOML, Shell
from tests.receiver import Answer, is_signed, receiving


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    shell = Shell(folder, capsys)
    shell.done("apply")
    return shell


def test_a_webhook_is_added_tried_shown_and_removed(shell: Shell, tmp_path: Path) -> None:
    answers = [Answer()]
    assert "none yet" in shell("webhook", "list").err
    with receiving(lambda _: answers[0]) as receiver:
        said = shell.done("webhook", "add", "crm", receiver.url, "--kind", "release.published")
        secret = said.split("shown this once: ")[1].strip()
        assert secret.startswith("whsec_")
        shell.refused("webhook.exists", "webhook", "add", "crm", receiver.url, "--kind", "release.published")
        shell.refused(
            "webhook.plain", "webhook", "add", "out", "http://example.com/", "--kind", "release.published"
        )
        assert shell("webhook", "add", "bare", receiver.url).code == 2
        assert "taken, status 204" in shell.done("webhook", "test", "crm")
        assert is_signed(receiver.came[0], secret)
        answers[0] = Answer(500, b"broken")
        failed = shell("webhook", "test", "crm")
        assert (failed.code, failed.out) == (1, "crm: not taken, status 500: broken\n")
        for command in (
            ("list",),
            ("show", "crm"),
            ("list", "--format", "json"),
            ("show", "crm", "--format", "json"),
        ):
            told = shell.done("webhook", *command)
            assert secret not in told
            assert "delivering" in told
        added = json.loads(
            shell.done("webhook", "add", "all", receiver.url, "--kind", "launch.described", "--from", 1,
                       "--format", "json")
        )  # fmt: skip
        assert added["secret"].startswith("whsec_")
        assert (added["cursor"], added["waiting"]) == (0, 1)
    assert "after fact 0" in shell.done("webhook", "resume", "all", "--from", 1)
    shell.refused("webhook.from", "webhook", "resume", "all", "--from", 99, exit_code=2)
    shell.done("webhook", "remove", "all")
    shell.refused("webhook.unknown", "webhook", "show", "all", exit_code=2)


def test_only_an_administrator_keeps_webhooks(shell: Shell, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse 4 battery\n")
    for name, role in (("keeper", "administrator"), ("driver", "operator")):
        shell.done("account", "add", name, "--role", role, "--password-file", password)
    add = ("webhook", "add", "crm", "https://example.com/", "--kind", "release.published", "--by")
    shell.refused("account.forbidden", *add, "driver")
    shell.done(*add, "keeper")
    for verb in ("remove", "resume", "test"):
        shell.refused("account.forbidden", "webhook", verb, "crm", "--by", "driver")
    assert json.loads(shell.done("webhook", "show", "crm", "--format", "json"))["created_by"] == "keeper"
