"""Marker secrets, planted at every place of the whole loop, and searched for wherever something is written to.

Instance, MID Server, poller and service are used in every way there is, fail in every way there is, are killed and
started again. What may hold a secret is listed here, by name; nothing else does. Regression 8, and M4 of the predecessor.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from emulator.browser import Browser, Refused, await_that
from emulator.installation import (
    BRIDGE_ROLE,
    MID_ROLE,
    USER_ROLE,
    check_health,
    register_client,
    use_bridge,
    use_mids,
)
from emulator.midserver import FIREWALL, Account, MidServer, Sidecar, keep_token
from emulator.platform import Platform
from emulator.poller import Poller
from emulator.servicenow import Instance
from tests.acceptance.test_markers import HIDDEN, readable
from tests.fakes.queue import results
from tests.fixtures.server import Server, serving
from tests.fixtures.servicenow import MID, POLLER, copied, kept, running
from tests.markers import Markers
from tests.servicenow.conftest import KID, SEALED

pytestmark = pytest.mark.timeout(240)  # everything happens before the first test
TOKEN, WRONG = "service token", "wrong token"
USERS = ("first", "second")
#: Whose session goes through the poller.
POLLED = "third"
#: What a poller ends with that the instance refuses.
REFUSED = 78
REFUSING = (
    "security:\n  eccFirewall:\n    mode: enforcing\n    rules:\n"
    "      - tags: [javascript]\n        action: reject\n"
)
#: How often base64 is inside base64: the answer in its XML, the output in the answer, and one to spare.
LAYERS = 3
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True, repr=False)
class Recorder(Instance):
    """A client that keeps what it was answered, and where it asked."""

    said: list[tuple[str, bytes]] = field(default_factory=list)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call and keep its answer."""
        answer = super().request(method, path, **options)
        self.said.append((f"{method} {answer.url}", repr(dict(answer.headers)).encode() + answer.content))
        return answer


@dataclass
class Story:
    """Everything that runs, with secrets planted."""

    folder: Path
    markers: Markers
    sidecar: Server
    platform: Platform
    mid: MidServer
    pollers: list[Poller] = field(default_factory=list)
    people: dict[str, Browser] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    said: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    def join(self, name: str) -> None:
        """Let a user of the app with a key come in."""
        password = self.markers.add(f"password of {name}", marker(f"instance-{name}"))
        user_id = self.platform.admin.create_user(f"marked.{name}", password, [USER_ROLE])
        client = Recorder(self.platform.url, f"marked.{name}", password, self.said)
        self.people[name] = Browser(client, user_id)

    def refused(self, name: str, method: str, path: str, body: Any = None) -> None:
        """Do what fails, sooner or later."""
        person = self.people[name]
        with pytest.raises(Refused) as refusal:
            person.result(person.call(method, path, body)["request"])
        self.refusals.append(refusal.value.status)
        self.said.append((path, str(refusal.value).encode()))

    def restart_mid(self, firewall: str, **parameters: str) -> None:
        """Start the MID Server with another configuration."""
        self.mid.stop()
        self.mid.prepare(None, firewall, **parameters)
        self.mid.start()

    @property
    def database(self) -> Path:
        """Return the instance's database."""
        return self.platform.data / "instance.db"


def marker(kind: str) -> str:
    """Return a secret that cannot be mistaken for anything else."""
    return f"{kind}-{secrets.token_urlsafe(24)}"


# -- planting ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story(installed_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Use everything in every way, break each part, and use it once more."""
    folder = tmp_path_factory.mktemp("secrets")
    markers = Markers()
    settings = {
        "API_AUTH_TOKEN": markers.add(TOKEN, marker("token")),
        "ENCRYPTION_KEY": markers.add("encryption key", secrets.token_hex(32)),
        "METRICS_TOKEN": markers.add("metrics token", marker("metrics")),
        "LOG_LEVEL": "debug",
    }
    password = markers.add("password of the MID Server", marker("mid-account"))
    with ExitStack() as stack:
        (folder / "sidecar").mkdir()
        sidecar = stack.enter_context(serving(folder / "sidecar", settings))
        platform = Platform(copied(installed_template, folder / "instance"))
        stack.enter_context(running(platform))
        platform.admin.create_user("marked.mid", password, [MID_ROLE])
        mid = MidServer(folder / "mid", MID, Account(platform.url, "marked.mid", password))
        mid.prepare(Sidecar(sidecar.url, keep_token(mid.home, sidecar.token)))
        stack.enter_context(running(mid))
        told = Story(folder, markers, sidecar, platform, mid)
        check_health(platform.admin)
        use(told)
        fail(told)
        restart(told)
        poll(told, stack)
        yield told


def use(story: Story) -> None:
    """Do all that can be done."""
    for name in USERS:
        story.join(name)
        person = story.people[name]
        person.await_mid(MID)
        key = story.markers.add(name, marker(f"sk-ant-{name}"))
        person.enrol(MID, key)
        session = story.sessions[name] = person.create()
        print_keys(story, name)
        person.command(session, base64.b64encode(b"\x1b[A").decode(), mode="raw")
        person.ask("POST", f"/sessions/{session}/commands", {"command": ["Enter"], "mode": "keys"})
        for path in ("screen", "status"):
            person.ask("POST", f"/sessions/{session}/{path}")
        person.ask("POST", f"/sessions/{session}/output", {"cursor": 0})
        person.ask("POST", f"/sessions/{session}/resize", {"columns": 100, "rows": 30})
        person.ask("POST", "/sessions/refresh", {})
        person.ask("POST", f"/mids/{MID}/key")
        for path in ("/sessions", f"/sessions/{session}", "/mids", "/credentials"):
            person.call("GET", path)
    spare = story.people[USERS[0]]
    spare.terminate(spare.create())
    other = story.markers.add("a key that was removed", marker("sk-ant-removed"))
    spare.enrol(MID, other)
    newest = spare.call("GET", "/credentials")["items"][0]
    assert newest["hint"] == other[-4:]
    spare.ask("DELETE", f"/credentials/{newest['id']}")


def print_keys(story: Story, name: str) -> None:
    """Let the session's program print its own key, and look until it has come to the instance, hidden."""
    person, session = story.people[name], story.sessions[name]
    person.view(session)
    at = person.session(session)["outputOffset"]
    person.command(session, "[[key]] [[env]]")

    def hidden() -> bool:
        person.view(session)
        return len(HIDDEN.findall(person.output(session, at).data)) > 1

    await_that(hidden, 60, "the key is printed")


def fail(story: Story) -> None:
    """Be refused, and break what can break, one after the other."""
    name = USERS[0]
    session = story.sessions[name]
    status = f"/sessions/{session}/status"
    key = story.markers.secrets[name]
    for method, path, body in (
        ("POST", "/credentials", {"mid": MID, "sealed": key, "hint": "wxyz", "kid": "k" * 43}),
        ("POST", "/credentials", {"mid": key, "sealed": "a..b.c.d", "hint": key, "kid": key, key: key}),
        ("POST", "/credentials", {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}),
        ("POST", "/sessions", {"model": key + " ", "workspaceName": key + "/", "key": key}),
        ("POST", f"/sessions/{session}/commands", {"command": [key], "mode": "keys"}),
    ):
        story.refused(name, method, path, body)
    stranger = story.platform.admin.signed_in("marked.first", story.people[name].instance.password + "x")
    assert stranger.request("GET", "/api/x_claude_terminal/v1/sessions").status_code == 401

    story.platform.admin.faults(answers={"double": 1})
    story.people[name].ask("POST", status)
    keep_token(story.mid.home, story.markers.add(WRONG, marker("wrong")))
    story.refused(name, "POST", status)
    keep_token(story.mid.home, story.sidecar.token)
    garbage(story, status)

    story.sidecar.stop()
    story.refused(name, "POST", status)
    story.sidecar.start()

    own = {
        "mid__claude__sidecar__url": story.sidecar.url,
        "mid__claude__sidecar__token_file": str(story.mid.home / "claude-token"),
    }
    story.restart_mid(REFUSING, **own)
    story.refused(name, "POST", status)
    own = {
        "mid__claude__sidecar__url": story.sidecar.url,
        "mid__claude__sidecar__token": story.sidecar.token,
    }
    story.restart_mid(FIREWALL, **own)
    story.people[name].ask("POST", status)
    assert set(story.refusals) >= {401, 422, 502}, story.refusals


def garbage(story: Story, status: str) -> None:
    """Answer a call with what makes no sense."""
    row = story.people[USERS[0]].call("POST", status)["request"]
    table = story.platform.admin.table("ecc_queue")
    for payload in ("no xml", results("no base64"), results(base64.b64encode(b"{}").decode())):
        table.insert(
            queue="input",
            topic="JavascriptProbe",
            name="ClaudeTerminalProbe",
            agent=f"mid.server.{MID}",
            state="ready",
            payload=payload,
        )
    story.people[USERS[0]].result(row)


def restart(story: Story) -> None:
    """Kill everything and start it again; then all goes on."""
    story.sidecar.kill9()
    story.mid.kill9()
    story.platform.kill9()
    story.platform.start()
    story.sidecar.start()
    story.mid.start()
    check_health(story.platform.admin)
    for name in USERS:
        person = story.people[name]
        person.await_mid(MID)
        print_keys(story, name)
        person.call("GET", "/credentials")


def poll(story: Story, stack: ExitStack) -> None:
    """Do it once more without a MID Server; poller after poller is refused, or dies, and the last one stays."""
    admin, markers, name = story.platform.admin, story.markers, POLLED
    story.join(name)
    person = story.people[name]
    use_mids(admin, MID, POLLER)
    use_bridge(admin, "poller")
    password = markers.add("password of the poller", marker("poller-account"))
    user = admin.create_user("marked.poller", password, [BRIDGE_ROLE])
    secret = markers.add("secret of the OAuth client", marker("client"))
    register_client(admin, user, "marked.client", secret)
    client = {"SERVICENOW_CLIENT_ID": "marked.client", "SERVICENOW_CLIENT_SECRET": secret}
    wrong = {"SERVICENOW_API_PASSWORD": markers.add("wrong password", marker("wrong-account"))}
    for settings in (wrong, client | {"SERVICENOW_CLIENT_SECRET": wrong["SERVICENOW_API_PASSWORD"]}):
        refused = poller(story, "" if settings.keys() & client.keys() else password, settings)
        refused.launch()
        assert refused.wait() == REFUSED

    with running(poller(story, password, {})):
        check_health(admin)
        person.await_mid(POLLER)
        person.enrol(POLLER, markers.add(name, marker(f"sk-ant-{name}")))
        session = story.sessions[name] = person.create(mid=POLLER)
        print_keys(story, name)
    with running(poller(story, password, {"API_AUTH_TOKEN": markers.secrets[WRONG]})):
        story.refused(name, "POST", f"/sessions/{session}/status")
    stack.enter_context(running(poller(story, "", client)))
    print_keys(story, name)


def poller(story: Story, password: str, settings: dict[str, str]) -> Poller:
    """Return one more poller; without a password, `settings` say how it signs in."""
    account = Account(story.platform.url, "marked.poller" if password else "", password)
    beside = Sidecar(story.sidecar.url, story.mid.home / "claude-token")
    home = story.folder / f"poller{len(story.pollers)}"
    made = Poller(home, POLLER, account, beside, LOG_LEVEL="debug", **settings)
    kept(made.program)
    story.pollers.append(made)
    return made


# -- searching -----------------------------------------------------------------------------------------------


def layers(data: bytes, depth: int = LAYERS) -> Iterator[bytes]:
    """Return the data and everything that is base64 in it, and in that again."""
    yield data
    if not depth:
        return
    for found in _BASE64.findall(data):
        try:
            inner = base64.b64decode(found.translate(bytes.maketrans(b"-_", b"+/")) + b"==")
        except binascii.Error:
            continue
        yield from layers(inner, depth - 1)


def found(markers: Markers, data: bytes, but: tuple[str, ...] = ()) -> set[str]:
    """Return the names of the secrets that stand in the data, or in what is coded in it."""
    return set[str]().union(*(markers.found(layer, but) for layer in layers(data)))


def tables(database: Path) -> dict[str, bytes]:
    """Return every column of every row of a database, by table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for row in connection.execute(f'SELECT * FROM "{name}"')
                for value in row
            )
            for name in names
        }


def test_the_search_finds_what_is_there(story: Story, tmp_path: Path) -> None:
    """A search that finds nothing proves nothing: this one finds each secret behind each coding."""
    for name, secret in story.markers.secrets.items():
        output = base64.b64encode(b"\x1b[31m" + secret.encode() + b"\x1b[0m").decode()
        answer = base64.b64encode(json.dumps({"v": 1, "ok": True, "body": {"data": output}}).encode())
        payload = results(answer.decode())
        database = tmp_path / "planted.db"
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS ecc_queue (payload TEXT)")
            connection.execute("DELETE FROM ecc_queue")
            connection.execute("INSERT INTO ecc_queue VALUES (?)", (payload,))
        assert name in found(story.markers, tables(database)["ecc_queue"]), name


def test_everything_was_used(story: Story) -> None:
    """Of what did not happen nothing is proved."""
    stored = tables(story.database)
    for table in ("session", "output", "request", "credential", "mid_status", "claim", "audit"):
        assert stored[f"x_claude_terminal_{table}"], table
    for op in ("create", "command", "output", "outputs", "screen", "status", "resize", "terminate", "list"):
        assert f'name="op" value="{op}"'.encode() in stored["ecc_queue"], op
    for op in ("health", "sealing_key", "credential.store", "credential.delete"):
        assert f'name="op" value="{op}"'.encode() in stored["ecc_queue"], op
    assert b"ECC message execution denied" in stored["ecc_queue"]
    assert b"encrypted:" in (story.mid.home / "config.xml").read_bytes()
    assert len(story.said) > 60


def test_no_table_of_the_instance_holds_a_secret(story: Story) -> None:
    for name, data in tables(story.database).items():
        assert not found(story.markers, data), name


def test_of_a_sealed_key_nothing_is_left_in_the_apps_tables(story: Story) -> None:
    with closing(sqlite3.connect(f"file:{story.database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT state, sealed, hint FROM x_claude_terminal_credential").fetchall()

    assert {state for state, _, _ in rows} >= {"stored", "failed"}
    assert {sealed or "" for _, sealed, _ in rows} == {""}


def test_no_file_holds_a_secret_but_the_one_that_has_to(story: Story) -> None:
    """Database files with their logs, the logs of all programs, the MID Server's home, the service's data."""
    own = [story.sidecar.data_dir / name for name in ("sessions", "users")]
    files = [
        path
        for path in story.folder.rglob("*")
        if path.is_file() and not any(path.is_relative_to(folder) for folder in own)
    ]
    token = story.mid.home / "claude-token"
    logs = {story.sidecar.log, story.mid.program.log, story.platform.program.log}
    logs |= {one.program.log for one in story.pollers}
    assert {token, story.database, story.mid.home / "logs/agent.log", *logs} <= set(files)
    for path in files:
        expected = (TOKEN,) if path == token else ()
        assert not found(story.markers, path.read_bytes(), expected), path
    assert token.stat().st_mode & 0o077 == 0


def test_no_answer_and_no_address_holds_a_secret(story: Story) -> None:
    for asked, said in story.said:
        assert not found(story.markers, asked.encode()), asked
        assert not found(story.markers, said), asked


def test_no_output_on_the_instance_holds_the_key_that_a_program_printed(story: Story) -> None:
    """It lies there in pieces, so it is looked at put together."""
    for name, session in story.sessions.items():
        person = story.people[name]
        shown = b""
        while piece := person.output(session, len(shown)).data:
            shown += piece
        assert len(HIDDEN.findall(shown)) > 1
        assert not story.markers.found(shown), name


def test_no_process_was_given_a_secret(story: Story) -> None:
    """The arguments of all; the environment of all but the sessions, which have their own user's key."""
    lines = [path.read_bytes() for path in readable("cmdline")]
    assert any(b"emulator/instance/main.js" in line for line in lines)
    assert any(b"emulator/mid/main.js" in line for line in lines)
    assert any(b"sidecar.poller" in line for line in lines)
    for line in lines:
        assert not found(story.markers, line), line
    for path in readable("environ"):
        data = path.read_bytes()
        own = next((name for name, session in story.sessions.items() if session.encode() in data), "")
        assert not story.markers.found(data, [own]), path.with_name("cmdline").read_bytes()


def test_what_is_delivered_holds_no_secret(story: Story, app_build: Path) -> None:
    files = [path for path in app_build.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        assert not found(story.markers, path.read_bytes()), path


def test_the_system_log_of_the_instance_tells_of_faults_without_secrets(story: Story) -> None:
    lines = "\n".join(story.platform.admin.log()).encode()
    assert lines
    assert not found(story.markers, lines)
