"""Marker secrets: planted in every place that takes one, searched for in every place that something is written to.

A service with the scripted CLI is used in every way there is, killed, and started again. Then nothing of what it wrote,
said, stored or handed on may hold one of them. What a session's program must have is listed here, by name.

M4 of the predecessor: keys and tokens stood where anybody could read them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import MetaData, create_engine

from tests.fixtures.postgresql import Cluster
from tests.fixtures.server import Server, serving
from tests.markers import Markers
from tests.waiting import until

#: Users, by where their key comes from.
INLINE, SEALED, STORED, HOST = "inline", "sealed", "stored", "host"
USERS = (INLINE, SEALED, STORED, HOST)
#: A key as it should be seen. Of one that comes character by character the first few have gone by.
HIDDEN = re.compile(rb"(key|slow)=([^*\r\n]{0,15})\*{16}")


def marker(kind: str) -> str:
    return f"sk-ant-{kind}-{secrets.token_urlsafe(24)}"


@dataclass(frozen=True)
class Answer:
    """What came back of a call."""

    call: str
    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """Return the body."""
        return self.content.decode()

    def json(self) -> Any:
        """Return what the body says."""
        return json.loads(self.content)


@dataclass
class Story:
    """A service with planted secrets, and everything it answered."""

    server: Server
    markers: Markers
    answers: list[Answer] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, user: str | None = None, **options: Any) -> Answer:
        """Make a call and keep its answer."""
        got = self.server.call(method, path, user=user, allow_redirects=False, **options)
        answer = Answer(f"{method} {path}", got.status_code, got.headers, got.content)
        self.answers.append(answer)
        return answer

    def create(self, user: str, **more: Any) -> Answer:
        """Create a session for a user, under an idempotency key."""
        body = {"userId": user, "waitMs": 20_000, **more}
        return self.call(
            "POST", "/api/session/create", json=body, headers={"Idempotency-Key": f"create-{user}"}
        )

    def command(self, user: str, command: Any, **more: Any) -> Answer:
        """Give a user's session an input."""
        path = f"/api/session/{self.sessions[user]}/command"
        return self.call("POST", path, user, json={"command": command, **more})

    def run(self, *arguments: str) -> bytes:
        """Run the command line with the service's settings; return all that it printed."""
        command = [sys.executable, "-m", "sidecar.cli", *arguments]
        done = subprocess.run(
            command, env=self.server.environment, cwd=self.server.folder, capture_output=True, check=False
        )
        return done.stdout + done.stderr


# -- planting --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def planted_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the address of a database with a password, empty for SQLite in the data directory."""
    if request.param == "sqlite":
        yield ""
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    password = f"database-marker-{secrets.token_hex(16)}"
    name = f"markers_{os.getpid()}"
    cluster.run(f"CREATE DATABASE {name} TEMPLATE template_sidecar")
    cluster.run(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'")
    yield f"postgresql://{name}:{password}@127.0.0.1:{cluster.port}/{name}"
    cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
    cluster.run(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def story(planted_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Use a service with planted secrets in every way, kill it, start it again, and use it once more."""
    markers = Markers()
    settings = {
        "API_AUTH_TOKEN": markers.add("service token", f"token-marker-{secrets.token_hex(16)}"),
        "ENCRYPTION_KEY": markers.add("encryption key", secrets.token_hex(32)),
        "METRICS_TOKEN": markers.add("metrics token", f"metrics-marker-{secrets.token_hex(16)}"),
        "ANTHROPIC_API_KEY": markers.add(HOST, marker(HOST)),
        "SHARE_HOST_KEY": "true",
        "DATABASE_URL": planted_url,
        "LOG_LEVEL": "debug",
        "RATE_LIMIT": "off",
    }
    if planted_url:
        markers.add("database password", planted_url.split(":")[2].partition("@")[0])
    with serving(tmp_path_factory.mktemp("markers"), settings) as server:
        told = Story(server, markers)
        use(told)
        server.kill9()
        server.start()
        use_again(told)
        yield told


def use(story: Story) -> None:
    """Hand over every kind of secret and do all that can be done with it."""
    enrol(story)
    for user in USERS:
        for wanted in (
            story.command(user, "[[key]] [[env]]", waitMs=20_000),
            story.command(user, ["Enter"], mode="keys"),
        ):
            assert wanted.status_code == 200, wanted.text
    sign_in(story)
    read_all(story)
    fail(story)


def enrol(story: Story) -> None:
    """Create a session for each user, with the key from wherever theirs comes from; each create comes twice."""
    keys = {user: story.markers.add(user, marker(user)) for user in (INLINE, SEALED, STORED)}
    token = story.markers.add("sealed key", seal(story, SEALED, keys[SEALED]))
    added = story.call("POST", "/api/credentials", json={"userId": STORED, "anthropicApiKey": keys[STORED]})
    assert added.status_code == 201, added.text
    credentials = {
        INLINE: {"anthropicApiKey": keys[INLINE]},
        SEALED: {"sealed": token},
        STORED: {"credentialId": added.json()["credentialId"]},
        HOST: None,
    }
    for user, given in credentials.items():
        more = {} if given is None else {"credentials": given}
        first, second = (story.create(user, **more) for _ in range(2))
        assert first.status_code == second.status_code == 201, first.text
        assert second.headers["Idempotent-Replay"] == "true"
        story.sessions[user] = first.json()["sessionId"]


def seal(story: Story, user: str, key: str) -> str:
    """Seal a key as a browser does."""
    public = story.call("GET", "/api/credentials/key").json()
    header = {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": public["kid"],
        "userId": user,
        "iat": int(time.time()),
    }
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"], strict_check_header=False)
    return jwe.encrypt_compact(header, key.encode(), ECKey.import_key(public), registry=registry)


def sign_in(story: Story) -> None:
    """Issue an API key, use it, and sign in with it, rightly and wrongly."""
    printed = story.run(
        "keys", "create", "--user", INLINE, "--name", "marked", "--scope", "sessions", "--scope", "admin"
    )
    key = story.markers.add(
        "issued key", next(word for word in printed.decode().split() if word.startswith("csk_"))
    )
    own = {"Authorization": f"Bearer {key}"}
    assert story.call("GET", "/api/sessions", headers=own).status_code == 200
    origin = {"Origin": story.server.url, "Authorization": None}
    for wrong in (f"{key}x", key[:-1], story.markers.secrets["service token"], story.markers.secrets[INLINE]):
        refused = story.call("POST", "/signin", data={"key": wrong}, headers=origin)
        assert refused.status_code == 401, refused.text
    # Not kept among the answers: this one brings the cookie.
    entered = story.server.call("POST", "/signin", data={"key": key}, headers=origin, allow_redirects=False)
    assert entered.status_code == 303, entered.text
    cookie = story.markers.add("cookie", entered.cookies["claude_sidecar"])
    page = story.call("GET", "/", headers={"Cookie": f"claude_sidecar={cookie}", "Authorization": None})
    assert (page.status_code, INLINE in page.text) == (200, True)


def read_all(story: Story) -> None:
    """Read everything that can be read."""
    for user, session in story.sessions.items():
        path = f"/api/session/{session}"
        for rest in (
            "/status",
            "/screen",
            "/output",
            "/output?encoding=base64",
            "/output?clear=true",
            "/recording",
        ):
            assert story.call("GET", path + rest, user).status_code == 200
        assert story.call("POST", f"{path}/resize", user, json={"columns": 40, "rows": 30}).status_code == 200
        assert story.call("GET", "/api/credentials", user).status_code == 200
    news = {"pump": "p", "cursors": dict.fromkeys(story.sessions.values(), 0)}
    assert story.call("POST", "/api/outputs", json=news).status_code == 200
    metrics = {"Authorization": f"Bearer {story.markers.secrets['metrics token']}"}
    assert story.call("GET", "/metrics", headers=metrics).status_code == 200
    for path in ("/health", "/docs", "/openapi.json", "/api/sessions?limit=1"):
        assert story.call("GET", path, HOST).status_code == 200


def fail(story: Story) -> None:
    """Be refused in as many ways as there are, with secrets where none belongs."""
    key, token = story.markers.secrets[INLINE], story.markers.secrets["service token"]
    session = f"/api/session/{story.sessions[INLINE]}"
    inline = {"credentials": {"anthropicApiKey": key}}
    text = {"Content-Type": "application/json"}
    refused = [
        story.call("POST", "/api/session/create", json={"userId": INLINE, **inline, "columns": 0}),
        story.call(
            "POST",
            "/api/session/create",
            json={"userId": INLINE, "credentials": {"anthropicApiKey": f"{key} "}},
        ),
        story.call("POST", "/api/session/create", json={"userId": INLINE, "credentials": {"sealed": key}}),
        story.call("POST", "/api/session/create", json={"userId": INLINE, key: key, token: token}),
        story.call("POST", "/api/session/create", json={"userId": f"{key}/"}),
        story.call("POST", "/api/session/create", data=f'{{"credentials": "{key}', headers=text),
        story.call("POST", "/api/session/create", data=key),
        story.call("POST", "/api/session/create", json=[key]),
        story.call("POST", "/api/session/create", json={"key": key * 30_000}),
        story.create(INLINE, **inline, columns=99),
        story.call(
            "POST",
            "/api/credentials",
            json={"userId": SEALED, "sealed": story.markers.secrets["sealed key"][:-9]},
        ),
        story.call(
            "POST", "/api/credentials", json={"userId": INLINE, "sealed": story.markers.secrets["sealed key"]}
        ),
        story.command(INLINE, f"{key}\x03"),
        story.command(INLINE, key * 500),
        story.command(INLINE, key, mode="raw"),
        story.command(INLINE, [key], mode="keys"),
        story.call("GET", f"{session}/output", INLINE, params={"cursor": key, token: token}),
        story.call("GET", f"{session}/output", key + "/"),
        story.call("GET", "/api/sessions", headers={"Authorization": f"Bearer {token}x"}),
        story.call(
            "GET",
            "/api/sessions",
            headers={"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"},
        ),
        story.call("GET", f"/api/sessions?token={token}", headers={"Authorization": None}),
        story.call("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}),
        story.call("GET", "/health", headers={"Host": f"{token}.example"}),
        story.call("PUT", "/api/sessions", headers={"Idempotency-Key": key}),
        story.call("GET", f"{session}/nothing", INLINE),
        story.call("DELETE", f"/api/session/{uuid4()}", INLINE, headers={"Idempotency-Key": "x" * 129}),
    ]
    assert {answer.status_code for answer in refused} >= {400, 401, 404, 405, 409, 413, 415, 422}
    assert not [answer.text for answer in refused if answer.status_code < 400]


def use_again(story: Story) -> None:
    """Wake every session after the crash, and repeat what was sent before it."""
    for user in USERS:
        assert story.command(user, "[[key]]", waitMs=20_000).status_code == 200
    assert (
        story.create(INLINE, credentials={"anthropicApiKey": story.markers.secrets[INLINE]}).status_code
        == 201
    )
    read_all(story)
    assert until(lambda: all(len(HIDDEN.findall(recording(story, user))) > 3 for user in USERS))


def recording(story: Story, user: str) -> bytes:
    """Return what was shown, put together: a key that came in pieces stands in no single event."""
    lines = story.call("GET", f"/api/session/{story.sessions[user]}/recording", user).text.splitlines()
    return "".join(json.loads(line)[2] for line in lines[1:]).encode()


# -- searching -------------------------------------------------------------------------------------------


def test_the_search_finds_what_is_there(story: Story, tmp_path: Path) -> None:
    """A search that finds nothing proves nothing: the same one finds each secret in each form."""
    for name, secret in story.markers.secrets.items():
        data = secret.encode()
        for form in (
            data,
            data.upper(),
            data.hex().encode(),
            data[5:31],
            base64.b64encode(b"key=" + data + b"!"),
        ):
            assert name in story.markers.found(b"\x00before " + form + b" after"), (name, form)
    raw = bytes.fromhex(story.markers.secrets["encryption key"])
    assert story.markers.found(b"\xff" + raw) == {"encryption key"}
    with sqlite3.connect(tmp_path / "planted.db") as database:
        database.execute("CREATE TABLE planted (value BLOB)")
        database.execute("INSERT INTO planted VALUES (?)", (story.markers.secrets[STORED].encode(),))
    database.close()
    assert story.markers.found((tmp_path / "planted.db").read_bytes()) == {STORED}
    assert (
        rows(f"sqlite:///{tmp_path / 'planted.db'}")["planted"].count(story.markers.secrets[STORED].encode())
        == 1
    )


def test_no_answer_holds_a_secret(story: Story) -> None:
    assert len(story.answers) > 80
    for answer in story.answers:
        said = repr(dict(answer.headers)).encode() + answer.content
        assert not story.markers.found(said), (answer.call, answer.status_code, answer.text)


def test_no_output_holds_a_key_that_a_program_printed(story: Story) -> None:
    """What base64 carries, and what a recording cuts into events, is looked at put together."""
    shown = [decoded(answer) for answer in story.answers if "encoding=base64" in answer.call]
    assert len(shown) == 2 * len(USERS)
    for data in [*shown, *(recording(story, user) for user in USERS)]:
        assert {name for name, _ in HIDDEN.findall(data)} == {b"key", b"slow"}
        assert not story.markers.found(data), data


def decoded(answer: Answer) -> bytes:
    return base64.b64decode(answer.json()["data"])


def test_no_table_holds_a_secret(story: Story) -> None:
    url = story.server.environment["DATABASE_URL"] or f"sqlite:///{story.server.data_dir / 'sidecar.db'}"
    stored = rows(url)
    assert {
        "sessions",
        "outputs",
        "credentials",
        "sealing_keys",
        "api_keys",
        "sign_ins",
        "answers",
        "audit",
    } <= set(stored)
    for table, data in stored.items():
        assert data or table in EMPTY, f"nothing was written to {table}, so nothing is proved"
        assert not story.markers.found(data), table


#: Tables into which nothing need have been written.
EMPTY = {"alembic_version"}


def rows(url: str) -> dict[str, bytes]:
    """Return every column of every row, by table."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        found = {
            table.name: b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for row in connection.execute(table.select())
                for value in row
            )
            for table in tables.sorted_tables
        }
    engine.dispose()
    return found


def test_no_file_holds_a_secret(story: Story, request: pytest.FixtureRequest) -> None:
    """The database's own files with its log, the service's log, and all else below its folder but the sessions' own."""
    paths = [path for path in story.server.folder.rglob("*") if path.is_file() and not is_own(story, path)]
    assert story.server.log in paths
    files: dict[Path, bytes] = {}
    for path in paths:
        with suppress(FileNotFoundError):  # the database drops old files
            files[path] = path.read_bytes()
    if url := story.server.environment["DATABASE_URL"]:
        files |= request.getfixturevalue("postgresql").files(url)
    for path, data in files.items():
        assert not story.markers.found(data), path


def is_own(story: Story, path: Path) -> bool:
    """Tell whether a file is a session's: in its home or its workspace."""
    return any(path.is_relative_to(story.server.data_dir / name) for name in ("sessions", "users"))


def test_in_a_sessions_own_files_only_the_tail_of_its_key_is_found(story: Story) -> None:
    """The last 20 characters are in `.claude.json`: the CLI keeps them there to know the key again."""
    files = [path for path in story.server.data_dir.rglob("*") if path.is_file() and is_own(story, path)]
    with_tail = set()
    for path in files:
        data = path.read_bytes()
        assert not story.markers.whole(data), path
        assert not story.markers.found(data, but=USERS), path
        with_tail |= {path.name for user in USERS if story.markers.secrets[user][-20:].encode() in data}
    assert with_tail == {".claude.json"}


def test_no_process_was_given_a_secret_in_its_arguments(story: Story) -> None:
    lines = [path.read_bytes() for path in readable("cmdline")]
    assert any(story.sessions[INLINE].encode() in line for line in lines), "no session is running"
    for line in lines:
        assert not story.markers.found(line), line


def test_a_sessions_environment_holds_its_own_users_key_only(story: Story) -> None:
    for user, session in story.sessions.items():
        environments = [
            path.read_bytes() for path in readable("environ") if session.encode() in path.read_bytes()
        ]
        assert environments, user
        for data in environments:
            assert not story.markers.found(data, but=[user])
            assert data.count(story.markers.secrets[user].encode()) == 1
            assert f"\0ANTHROPIC_API_KEY={story.markers.secrets[user]}\0".encode() in b"\0" + data + b"\0"


def test_the_service_shows_its_environment_to_no_other_process_of_its_account(story: Story) -> None:
    """With `ISOLATION=none` a session runs under the service's account, and could look."""
    expected = set(USERS) - {HOST}
    for path in readable("environ"):
        found = story.markers.found(path.read_bytes(), but=expected)
        assert not found - {HOST}, path.with_name("cmdline").read_bytes()


def readable(name: str) -> Iterator[Path]:
    """Return what /proc shows our account of every process but this one and those it may not look into."""
    for path in Path("/proc").glob(f"[0-9]*/{name}"):
        with suppress(OSError):
            path.read_bytes()
            yield path


@pytest.mark.parametrize(
    "arguments",
    [
        "audit",
        "audit --json",
        "audit --verify",
        "keys list",
        "keys list --json",
        "sessions list",
        "sessions list --json",
        "doctor",
        "doctor --json",
        "settings",
        "migrate --check",
        "rotate-keys",
    ],
)
def test_no_command_prints_a_secret(story: Story, arguments: str) -> None:
    printed = story.run(*arguments.split())
    assert printed
    assert b"Traceback" not in printed
    assert b"invalid choice" not in printed
    assert not story.markers.found(printed), printed


def test_the_log_tells_what_was_done_without_secrets(story: Story) -> None:
    """Many requests carried one in their address, headers or body."""
    log = story.server.log.read_bytes()
    assert b"/api/session/create" in log
    assert not story.markers.found(log)
