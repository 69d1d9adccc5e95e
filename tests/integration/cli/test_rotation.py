"""Changing the encryption key while the service runs, as the command's help says."""

from __future__ import annotations

import secrets
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from sidecar import config
from sidecar.clock import SystemClock
from sidecar.model import purpose
from sidecar.records import Records
from sidecar.sessions.ownership import Ownership
from sidecar.storage.tables import credentials
from sidecar.vault.cipher import Cipher
from tests.fixtures.server import Server
from tests.fixtures.services import BOTH_DATABASES
from tests.integration.cli.machine import COMMAND, ROOT, Machine
from tests.sealing import seal
from tests.waiting import until

OLD, NEW, FOREIGN = (secrets.token_hex(32) for _ in range(3))
KEY = "sk-ant-a-key-of-the-rotation-0123"
#: Enough for a kill in the middle: a transaction holds 200.
MANY = 4000


@pytest.fixture
def machine(machine: Machine, service_database: str) -> Machine:
    """Return a machine with the old key, whose database exists."""
    machine.environment |= {"DATABASE_URL": service_database, "ENCRYPTION_KEY": OLD}
    machine.data_dir.mkdir(exist_ok=True)
    return machine


@contextmanager
def records(machine: Machine, encryption_key: str) -> Iterator[Records]:
    """Give the open records of the machine under these keys."""
    environment = {**machine.environment, "ENCRYPTION_KEY": encryption_key}
    found = Records(config.load(environment, machine.env_file), SystemClock())
    found.open()
    try:
        yield found
    finally:
        found.close()


def fill(found: Records, count: int) -> None:
    """Store many credentials at once, a user for each."""
    rows = [
        {
            "id": (each := uuid4()),
            "user_id": f"user-{number}",
            "hint": "0123",
            "created_at": found.clock.now(),
            "sealed": found.cipher.encrypt(KEY.encode(), purpose.credential(each, f"user-{number}")),
        }
        for number in range(count)
    ]
    with found.database.transaction() as connection:
        connection.execute(insert(credentials), rows)


def under(found: Records, key: str) -> int:
    """Return how many credentials are stored under a key."""
    with found.database.reading() as connection:
        tokens = connection.scalars(select(credentials.c.sealed)).all()
    return sum(token.startswith(Cipher.parse(key).newest) for token in tokens)


def rotate(machine: Machine, keys: str) -> subprocess.CompletedProcess[str]:
    machine.environment["ENCRYPTION_KEY"] = keys
    done = machine.run("rotate-keys")
    assert not any(secret in done.stdout + done.stderr for secret in (OLD, NEW, FOREIGN, KEY))
    return done


@BOTH_DATABASES
def test_everything_is_under_the_new_key_and_the_old_one_can_go(machine: Machine) -> None:
    with records(machine, OLD) as found:
        fill(found, 30)
        token = seal(found.keyring.public(), KEY, "ann", found.clock.now())
        old_kid = found.keyring.public()["kid"]

    done = rotate(machine, f"{NEW},{OLD}")

    assert done.returncode == 0, done.stderr
    assert "stored credentials: 30 of 30 re-encrypted" in done.stdout
    assert "needs no other" in done.stdout
    assert "30 looked at" in done.stderr
    with records(machine, NEW) as found:
        assert found.vault.open("user-7", found.vault.list("user-7", limit=1)[0][0].id) == KEY
        assert found.keyring.public()["kid"] != old_kid
        assert found.vault.open("ann", found.vault.add_sealed("ann", token).id) == KEY


@BOTH_DATABASES
def test_killed_half_way_it_goes_on_and_nothing_is_lost(machine: Machine) -> None:
    with records(machine, OLD) as found:
        fill(found, MANY)
    machine.environment["ENCRYPTION_KEY"] = f"{NEW},{OLD}"

    with subprocess.Popen(
        [*COMMAND, "rotate-keys"], env=machine.environment, cwd=machine.folder, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        assert b"stored credentials: 500 looked at" in running.stderr.readline()
        running.send_signal(signal.SIGKILL)

    with records(machine, f"{NEW},{OLD}") as found:
        half = under(found, NEW)
        assert 500 <= half < MANY
        assert half + under(found, OLD) == MANY
        assert found.vault.open("user-9", found.vault.list("user-9", limit=1)[0][0].id) == KEY
    done = rotate(machine, f"{NEW},{OLD}")
    assert done.returncode == 0
    assert f"stored credentials: {MANY - half} of {MANY} re-encrypted" in done.stdout
    with records(machine, NEW) as found:
        assert under(found, NEW) == MANY


def test_rows_of_a_key_that_is_gone_are_named_and_the_rest_is_done(machine: Machine) -> None:
    with records(machine, FOREIGN) as found:
        fill(found, 3)
        foreign = found.cipher.key_ids[0]
    with records(machine, OLD) as found:
        fill(found, 5)

    done = rotate(machine, f"{NEW},{OLD}")

    assert done.returncode == 1
    assert f"stored credentials: 3 cannot be opened. They name the key {foreign}" in done.stderr
    assert "lacks it" in done.stderr
    assert "needs no other" not in done.stdout
    with records(machine, NEW) as found:
        assert (under(found, NEW), under(found, FOREIGN)) == (5, 3)
    assert rotate(machine, f"{NEW},{OLD},{FOREIGN}").returncode == 0


def test_the_help_teaches_the_steps(machine: Machine) -> None:
    text = machine.run("rotate-keys", "--help").stdout

    assert all(
        word in text for word in ("ENCRYPTION_KEY=new,old", "SIGHUP", "rotate-keys", "ENCRYPTION_KEY=new\n")
    )


# -- beside a running service ----------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a service that is not started yet, with its key in the file .env."""
    found = Server(tmp_path, {"RATE_LIMIT": "off"})
    del found.environment["ENCRYPTION_KEY"]
    found.environment["PYTHONPATH"] = str(ROOT)
    put(found, OLD)
    yield found
    found.stop()


def put(server: Server, keys: str) -> None:
    """Write the keys into the file that service and command read."""
    (server.folder / ".env").write_text(f"ENCRYPTION_KEY={keys}\n")


def command(server: Server) -> subprocess.CompletedProcess[str]:
    """Run the command beside the service, with its settings."""
    return subprocess.run(
        [*COMMAND, "rotate-keys"],
        env=server.environment,
        cwd=server.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def session_with_output(server: Server) -> str:
    """Create a session with a stored key, let it print, and return its id."""
    body = {"userId": "ann", "anthropicApiKey": KEY}
    assert server.call("POST", "/api/credentials", json=body).status_code == 201
    created = server.call("POST", "/api/session/create", json={"userId": "ann"})
    assert created.status_code == 201, created.text
    session = str(created.json()["sessionId"])
    said = {"command": "remember this", "waitMs": 15000}
    assert server.call("POST", f"/api/session/{session}/command", user="ann", json=said).status_code == 200
    return session


def output(server: Server, session: str) -> str:
    response = server.call("GET", f"/api/session/{session}/output?cursor=0", user="ann")
    assert response.status_code == 200, response.text
    return str(response.json()["data"])


def test_the_three_steps_beside_a_service_that_is_read_all_the_time(server: Server) -> None:
    server.start()
    session = session_with_output(server)
    put(server, f"{NEW},{OLD}")
    server.reload()
    before = output(server, session)
    ended, seen = threading.Event(), []

    def read() -> None:
        while not ended.is_set():
            seen.append(output(server, session))
            assert server.call("GET", "/api/credentials", user="ann").json()["total"] == 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done = command(server)
    finally:
        ended.set()
        reader.join()

    assert done.returncode == 0, done.stderr
    assert "remember this" in before
    assert set(seen) == {before}
    put(server, NEW)
    server.reload()
    assert output(server, session) == before
    said = {"command": "woken with the same key", "waitMs": 15000}
    woken = server.call("POST", f"/api/session/{session}/command", user="ann", json=said)
    assert woken.status_code == 200, woken.text


def test_a_service_that_encrypts_with_another_key_is_to_be_reloaded_first(server: Server) -> None:
    put(server, f"{OLD},{FOREIGN}")
    server.start()
    keys = server.data_dir / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert OLD[:8] not in keys.read_text()

    for wrong in (f"{NEW},{OLD}", f"{FOREIGN},{OLD}"):
        put(server, wrong)
        refused = command(server)
        assert refused.returncode == 1
        assert "reload the service first" in refused.stderr
        assert refused.stdout == ""

    server.reload()
    assert command(server).returncode == 0
    server.stop()
    assert not keys.exists()


def test_a_service_that_was_killed_leaves_no_keys_that_count(tmp_path: Path) -> None:
    clock = SystemClock()
    owner, other = Ownership(tmp_path, clock), Ownership(tmp_path, clock)
    owner.acquire()
    owner.publish(["new", "old"])
    assert other.published() == ["new", "old"]
    (tmp_path / "keys").rename(tmp_path / "kept")
    owner.release()
    (tmp_path / "kept").rename(tmp_path / "keys")

    owner.acquire()

    assert other.held()
    assert other.published() == ()
    owner.release()
    assert until(lambda: not other.held())
