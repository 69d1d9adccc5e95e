"""What a session knows of its surroundings, and where secrets are not found.

M5 of the predecessor: the child inherited the whole environment, with the encryption key, the token and the
database's password in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from sidecar.isolation import processes
from tests.acceptance.driver import Terminal, User
from tests.fixtures.postgresql import Cluster
from tests.fixtures.server import Server, serving
from tests.waiting import until

#: All a session's program is given.
GIVEN = {
    "PATH",
    "HOME",
    "USER",
    "SHELL",
    "TERM",
    "COLORTERM",
    "LANG",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "DISABLE_AUTOUPDATER",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN",
    "CLAUDE_SIDECAR_SESSION",
}
#: What bash sets by itself, and what the CLI tells its Bash tool.
OF_BASH = {"PWD", "OLDPWD", "SHLVL", "_"}
OF_THE_CLI = re.compile(r"(CLAUDE_CODE_|CLAUDE_|AI_AGENT|GIT_EDITOR|COREPACK_|NoDefault|TMPDIR|TEMP|TMP)")

TOKEN = "marker-of-the-service-token-0123456789"
ENCRYPTION_KEY = "5ec4e7" * 10 + "c0de"
USER_KEY = "sk-ant-marker-of-the-users-key-TAIL-20-CHARACTERS"
HOST_KEY = "sk-ant-marker-of-the-hosts-own-key-0123456789"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of a database, empty for SQLite in the data directory."""
    if request.param == "sqlite":
        yield ""
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    name = f"secrets_{os.getpid()}"
    cluster.run(f"CREATE DATABASE {name} TEMPLATE template_sidecar")
    yield cluster.url(name)
    cluster.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def shared_server(
    settings: dict[str, str], database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run a service with secrets that are easy to find."""
    planted = {
        "API_AUTH_TOKEN": TOKEN,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "ANTHROPIC_API_KEY": HOST_KEY,
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "debug",
        "FOREIGN_VARIABLE": "of the host",
    }
    with serving(tmp_path_factory.mktemp("secrets"), {**settings, **planted}) as running:
        yield running


def environ(pid: int) -> dict[str, str]:
    words = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_the_cli_and_its_bash_get_the_allow_list_only(user: User) -> None:
    """M5."""
    terminal = user.create(credentials={"anthropicApiKey": USER_KEY})
    terminal.run_tool("env -0 > /workspace/seen-by-bash")
    terminal.await_text("The tool answered")

    clis = [
        pid for pid in processes.tagged(terminal.uuid) if Path(f"/proc/{pid}/exe").readlink().name == "claude"
    ]
    assert clis
    given = environ(clis[0])
    assert set(given) == GIVEN
    assert given["ANTHROPIC_API_KEY"] == USER_KEY
    file = terminal.files / "workspace/seen-by-bash"
    seen = file.read_text()
    file.unlink()  # it holds the user's key, for which the other test looks everywhere
    names = {line.split("=", 1)[0] for line in seen.split("\0") if "=" in line}
    extra = {name for name in names - GIVEN - OF_BASH if not OF_THE_CLI.match(name)}
    assert extra <= {"CLAUDECODE", "NODE_OPTIONS", "npm_config_yes"}, extra
    assert not secrets_in(seen.encode(), user.server)


def secrets_in(data: bytes, server: Server) -> list[str]:
    """Return the names of the service's own secrets that stand in `data`."""
    url = urlsplit(server.environment["DATABASE_URL"])
    secrets = {
        "token": TOKEN,
        "encryption key": ENCRYPTION_KEY,
        "host's key": HOST_KEY,
        "database password": url.password or "no database has a password",
        "foreign variable": "of the host",
    }
    return [name for name, value in secrets.items() if value.encode() in data]


def test_no_secret_is_found_anywhere(user: User, request: pytest.FixtureRequest) -> None:
    server = user.server
    terminal = user.create(credentials={"anthropicApiKey": USER_KEY})
    terminal.say("[[error 401]] refused")
    terminal.await_text("401")
    answers = errors(terminal)
    lines = of_all_processes("cmdline")
    environments = [data for data in of_all_processes("environ") if terminal.id.encode() in data]
    assert environments

    for answer in answers:
        assert answer.status_code >= 400
        found = secrets_in(answer.content, server) + (["user's key"] if USER_KEY in answer.text else [])
        assert not found, answer.text
    for line in lines:
        assert not secrets_in(line, server), "a secret is on a command line"
        assert USER_KEY.encode() not in line, "the user's key is on a command line"
    for data in environments:
        assert not secrets_in(data, server), "a secret of the service is in a child's environment"
    log = server.log.read_bytes()
    assert log
    assert not secrets_in(log, server)
    assert USER_KEY.encode() not in log

    assert until(lambda: b"refused" in rendered(terminal))
    stored = data_files(server)
    if url := server.environment["DATABASE_URL"]:
        stored |= request.getfixturevalue("postgresql").files(url)
    assert len(stored) > 10
    for path, content in stored.items():
        assert not secrets_in(content, server), path
        assert USER_KEY.encode() not in content, path
        tail = USER_KEY[-20:].encode() in content
        assert not tail or path.name.startswith(".claude.json") or path.parent.name == "backups", path
    assert (terminal.files / "home/.claude.json") in stored


def errors(terminal: Terminal) -> list[requests.Response]:
    """Return refusals of many kinds, some of them to bodies that hold the key."""
    user = terminal.user
    key = {"credentials": {"anthropicApiKey": USER_KEY}}
    path = "/api/session/create"
    return [
        user.post_create(**key, columns=0),
        user.post_create(credentials={"anthropicApiKey": f"{USER_KEY} with a blank"}),
        user.post_create(credentials={"anthropicApiKey": USER_KEY, "apiKey": USER_KEY}),
        user.call("POST", path, json=[USER_KEY]),
        user.call(
            "POST", path, data=f'{{"credentials": "{USER_KEY}', headers={"Content-Type": "application/json"}
        ),
        user.call("POST", path, headers={"Authorization": f"Bearer {TOKEN}x"}, json=key),
        user.post_create(userId=USER_KEY + "/"),
        terminal.call("GET", "/output", params={"cursor": USER_KEY}),
        terminal.post_command(f"{USER_KEY}\x03"),
    ]


def of_all_processes(name: str) -> list[bytes]:
    """Return what /proc tells our account about every process."""
    found = []
    for path in Path("/proc").glob(f"[0-9]*/{name}"):
        with suppress(OSError):  # it has ended, or is closed to us
            found.append(path.read_bytes())
    return found


def rendered(terminal: Terminal) -> bytes:
    return terminal.recording().encode()


def data_files(server: Server) -> dict[Path, bytes]:
    """Return the files below the data directory."""
    return {
        path: path.read_bytes()
        for path in server.data_dir.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
