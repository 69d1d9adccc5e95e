"""The doctor names every fault, says how to mend it, and keeps secrets to itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from sidecar.doctor import round as rounds
from sidecar.doctor.finding import Finding, Level, good
from sidecar.model import purpose
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher
from tests.fakes.clock import FakeClock
from tests.fixtures.postgresql import Cluster
from tests.fixtures.server import Server
from tests.integration.cli.findings import assert_finding, assert_only
from tests.integration.cli.machine import Machine, script
from tests.integration.storage.samples import a_session


def now() -> datetime:
    """Return the time of this moment: a test may run long after this file was read."""
    return datetime.now(UTC)


# -- nothing wrong ---------------------------------------------------------------------------------------


def test_before_the_first_start_nothing_fails_and_nothing_is_made(machine: Machine) -> None:
    found = machine.examine()

    assert_only(found)
    assert found["isolation"].level is Level.WARN
    assert not machine.data_dir.exists()


def test_with_a_database_that_is_in_use_nothing_fails(machine: Machine) -> None:
    store_session(machine, now())
    seal(machine, machine.environment["ENCRYPTION_KEY"])

    found = machine.examine()

    assert_only(found)
    assert {name for name, finding in found.items() if finding.level is not Level.OK} == {"isolation"}
    assert found["sealed rows"].detail == "all open: 1"


def test_beside_the_running_service_nothing_fails(service: Server) -> None:
    machine = Machine(service.folder, service.port)
    machine.environment = {**machine.environment, **service.environment}

    found = machine.doctor()

    assert_only(found)
    assert found["port"].detail.startswith(f"our service answers at http://127.0.0.1:{service.port}")


def test_postgresql_is_examined_too(machine: Machine, migrated_postgresql_url: str) -> None:
    machine.environment["DATABASE_URL"] = migrated_postgresql_url
    seal(machine, machine.environment["ENCRYPTION_KEY"])

    found = machine.examine()

    assert_only(found)
    assert found["database"].detail.startswith("PostgreSQL ")
    assert found["sealed rows"].detail == "all open: 1"


# -- planted in files and settings ------------------------------------------------------------------------


def closed_port(machine: Machine) -> None:
    machine.environment["DATABASE_URL"] = "postgresql://u:marker-of-a-password@127.0.0.1:1/x"


def env_file(machine: Machine, mode: int) -> None:
    machine.env_file.write_text("LOG_LEVEL=info\n")
    machine.env_file.chmod(mode)


def store_session(machine: Machine, at: datetime) -> None:
    database = machine.make_database()
    database.open()
    SessionStore(database).add(a_session(at=at), max_per_user=9, max_total=9)
    database.close()


def seal(machine: Machine, key: str) -> None:
    """Store a pair's private half, sealed with `key`."""
    token = Cipher.parse(key).encrypt(b"private", purpose.sealing_key("kid"))
    literal = (
        f"'\\x{token.hex()}'" if "postgresql" in machine.settings().database_url else f"x'{token.hex()}'"
    )
    columns = "(kid, created_at, private)"
    machine.sql(f"INSERT INTO sealing_keys {columns} VALUES ('kid', '2026-01-01 00:00:00', {literal})")


def sealed_with(machine: Machine, stored: str, configured: str) -> None:
    machine.make_database()
    seal(machine, stored)
    machine.environment["ENCRYPTION_KEY"] = configured


def damaged(machine: Machine) -> None:
    """Overwrite a page behind the first, which stays readable."""
    database = machine.make_database()
    assert database.file is not None
    with database.file.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096 * 3)


def not_a_database(machine: Machine) -> None:
    (machine.make_data_dir() / "sidecar.db").write_bytes(b"something else entirely" * 100)


def schema(machine: Machine, revision: str) -> None:
    machine.make_database()
    machine.sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def data_dir_is(kind: str) -> Callable[[Machine], None]:
    def plant(machine: Machine) -> None:
        if kind == "link":
            machine.data_dir.symlink_to(machine.folder)
        elif kind == "file":
            machine.data_dir.touch()
        elif kind == "foreign":
            machine.data_dir = Path("/var/lib")
            machine.environment["SIDECAR_DATA_DIR"] = "/var/lib"
        else:
            machine.make_data_dir().chmod({"read-only": 0o500, "open": 0o755}[kind])

    return plant


def unmakeable(machine: Machine) -> None:
    machine.data_dir = Path("/var/lib/nowhere/data")
    machine.environment["SIDECAR_DATA_DIR"] = str(machine.data_dir)


def certificate(
    machine: Machine, since: timedelta, until: timedelta, *, fitting: bool = True, locked: bool = False
) -> None:
    """Make a certificate that is valid between two moments, as seen from now."""
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sidecar")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() + since)
        .not_valid_after(now() + until)
        .sign(key, hashes.SHA256())
    )
    lock = BestAvailableEncryption(b"password") if locked else NoEncryption()
    shown = (key if fitting else other).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    pair(machine, made.public_bytes(Encoding.PEM), shown)


def pair(machine: Machine, chain: bytes, key: bytes) -> None:
    for setting, data in {"TLS_CERT_FILE": chain, "TLS_KEY_FILE": key}.items():
        path = machine.folder / setting
        path.write_bytes(data)
        machine.environment[setting] = str(path)


def unset(name: str) -> Callable[[Machine], None]:
    return lambda machine: machine.environment.update({name: ""})


def given(**settings: str) -> Callable[[Machine], None]:
    return lambda machine: machine.environment.update(settings)


YEAR, DAY = timedelta(days=365), timedelta(days=1)
OLD, NEW = "0a" * 32, "0b" * 32

#: What is planted, the finding that names it, and its constant words.
FAULTS: dict[str, tuple[Callable[[Machine], None], str, str]] = {
    "no token": (unset("API_AUTH_TOKEN"), "settings", "API_AUTH_TOKEN and ENCRYPTION_KEY must be set"),
    "no key": (unset("ENCRYPTION_KEY"), "settings", "API_AUTH_TOKEN and ENCRYPTION_KEY must be set"),
    "a mistyped setting": (given(SIDECAR_PROT="1"), "settings", "Unknown setting SIDECAR_"),
    "exposure": (given(SIDECAR_HOST="0.0.0.0"), "settings", "SIDECAR_HOST is not loopback"),
    ".env of everybody": (lambda m: env_file(m, 0o644), "file .env", "every account of this host may use"),
    ".env of nobody": (lambda m: env_file(m, 0), "settings", "cannot be read by this account"),
    "data: another's": (data_dir_is("foreign"), "data directory", "belongs to another account than"),
    "data: a link": (data_dir_is("link"), "data directory", "is a link or not a folder"),
    "data: a file": (data_dir_is("file"), "data directory", "is a link or not a folder"),
    "data: read-only": (data_dir_is("read-only"), "data directory", "cannot be written"),
    "data: cannot be made": (unmakeable, "data directory", "may not make it"),
    "no CLI": (given(CLAUDE_PATH="/nowhere/claude"), "Claude Code", "Claude Code does not run"),
    "a CLI that fails": (lambda m: script(m, "exit 1"), "Claude Code", "does not tell its version"),
    "a CLI that is another": (lambda m: script(m, "echo hello"), "Claude Code", "does not tell its version"),
    "a host of others": (
        given(SIDECAR_HOST="192.0.2.1", TRUSTED_PROXY="192.0.2.2"),
        "port",
        "is no address of this host",
    ),
    "a certificate that expired": (
        lambda m: certificate(m, -YEAR, -DAY),
        "TLS",
        "the certificate expired on",
    ),
    "a certificate of tomorrow": (
        lambda m: certificate(m, DAY, YEAR),
        "TLS",
        "the certificate is valid from",
    ),
    "a key of another": (
        lambda m: certificate(m, -YEAR, YEAR, fitting=False),
        "TLS",
        "is of another certificate",
    ),
    "a key with a password": (
        lambda m: certificate(m, -YEAR, YEAR, locked=True),
        "TLS",
        "TLS_KEY_FILE holds no private key",
    ),
    "no certificate": (lambda m: pair(m, b"x", b"x"), "TLS", "TLS_CERT_FILE holds no certificate"),
    "a key that is too short": (
        given(ENCRYPTION_KEY="ab" * 31),
        "encryption key",
        "ENCRYPTION_KEY must be 64 hex digits",
    ),
    "a lost key": (lambda m: sealed_with(m, OLD, NEW), "sealed rows", "stored secrets cannot be opened"),
    "a database that is away": (closed_port, "database", "the database cannot be used"),
    "a database of another kind": (given(DATABASE_URL="mysql://u:p@h/x"), "database", "the database address"),
    "a database in no folder": (
        given(DATABASE_URL="sqlite:////nowhere/x.db"),
        "database",
        "is missing or cannot be written",
    ),
    "a file that is none": (not_a_database, "database", "file is not a database"),
    "a damaged file": (damaged, "integrity", "the database file is damaged"),
    "a schema of tomorrow": (
        lambda m: schema(m, "9999"),
        "schema",
        "belongs to a newer version of this program",
    ),
    "a session of tomorrow": (
        lambda m: store_session(m, now() + DAY),
        "stored times",
        "the clock is behind",
    ),
    "few files for many sessions": (given(MAX_SESSIONS="9999999"), "open files", "files may be open"),
}

WARNINGS: dict[str, tuple[Callable[[Machine], None], str, str]] = {
    "debug mode": (given(SIDECAR_ENV="debug"), "settings", "debug mode"),
    ".env of a group": (lambda m: env_file(m, 0o660), "file .env", "a group may change"),
    "data: open": (data_dir_is("open"), "data directory", "other accounts may enter the data directory"),
    "an untested CLI": (lambda m: script(m, "echo 3.0.0"), "Claude Code", "is not tested"),
    "no isolation": (given(ISOLATION="none"), "isolation", "sessions run with all rights"),
    "little memory": (given(MAX_SESSIONS="9999999"), "memory", "sessions need"),
    "few processes": (given(MAX_SESSIONS="9999999"), "processes", "processes and threads may run"),
    "names of loopback only": (
        given(SIDECAR_HOST="0.0.0.0", TRUSTED_PROXY="192.0.2.2"),
        "host names",
        "callers from outside are refused",
    ),
    "a certificate that ends soon": (
        lambda m: certificate(m, -YEAR, 9 * DAY),
        "TLS",
        "the certificate expires on",
    ),
    "a schema of yesterday": (lambda m: schema(m, "0001"), "schema", "the schema is older than this program"),
    "an older key": (
        lambda m: sealed_with(m, OLD, f"{NEW},{OLD}"),
        "sealed rows",
        "are sealed under an older key",
    ),
    "a key too many": (
        lambda m: sealed_with(m, NEW, f"{NEW},{OLD}"),
        "sealed rows",
        "all open with the newest key",
    ),
}


@pytest.fixture(autouse=True)
def writable_again(machine: Machine) -> Iterator[None]:
    """Let pytest remove what a test has closed."""
    yield
    if (
        machine.data_dir.parent == machine.folder
        and machine.data_dir.is_dir()
        and not machine.data_dir.is_symlink()
    ):
        machine.data_dir.chmod(0o700)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_with_its_mend(machine: Machine, fault: str) -> None:
    plant, name, words = FAULTS[fault]
    plant(machine)

    found = machine.examine()

    assert_finding(found[name], Level.FAIL, words)
    assert_only(found, name)
    text = repr(found)
    assert not [secret for secret in (*machine.secrets(), "marker-of-a-password") if secret in text]


@pytest.mark.parametrize("fault", WARNINGS)
def test_what_is_questionable_is_told_with_its_mend(machine: Machine, fault: str) -> None:
    plant, name, words = WARNINGS[fault]
    plant(machine)

    assert_finding(machine.examine()[name], Level.WARN, words)


def test_a_lost_key_is_told_by_its_id_and_the_rows_are_counted(machine: Machine) -> None:
    sealed_with(machine, OLD, NEW)

    assert "1 of sealing keys (key " in machine.examine()["sealed rows"].detail


def test_broken_settings_keep_nothing_from_being_examined_that_needs_none(machine: Machine) -> None:
    machine.environment |= {"SIDECAR_PORT": "no-port", "CLAUDE_PATH": "/nowhere/claude"}

    found = machine.examine()

    assert_only(found, "settings", "Claude Code")
    assert found["the rest"].level is Level.SKIP


def test_a_check_that_fails_itself_does_not_end_the_round() -> None:
    def broken() -> None:
        raise RuntimeError("no words of an unknown error are shown")

    checks = [rounds.Check("a", broken), rounds.Check("b", lambda: good("fine"))]  # type: ignore[arg-type]  # on purpose

    first, second = rounds._run(checks)

    assert (first.level, first.detail) == (Level.FAIL, "the check itself failed: RuntimeError")
    assert second.level is Level.OK


# -- planted in databases ---------------------------------------------------------------------------------


def refused_by_postgresql(machine: Machine, url: str, change: Callable[[str], str]) -> dict[str, Finding]:
    machine.environment["DATABASE_URL"] = change(url)
    return machine.examine()


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        (
            lambda url: url.replace("tester:", "tester:marker-of-a-password"),
            "Correct the account and password",
        ),
        (lambda url: f"{url}_nowhere", "Create it: `createdb"),
        (lambda url: url.replace("127.0.0.1", "host.invalid"), "Correct the host's name"),
    ],
    ids=["wrong password", "no such database", "no such host"],
)
def test_what_postgresql_says_is_told_without_the_password(
    machine: Machine, postgresql_url: str, change: Callable[[str], str], mend: str
) -> None:
    found = refused_by_postgresql(machine, postgresql_url, change)

    assert_finding(found["database"], Level.FAIL, "the database cannot be used")
    assert mend in found["database"].mend
    assert "marker" not in repr(found)
    assert {found[name].level for name in ("integrity", "schema", "sealed rows", "stored times")} == {
        Level.SKIP
    }


def test_a_copy_that_can_only_be_read_is_named(
    machine: Machine, postgresql: Cluster, migrated_postgresql_url: str
) -> None:
    name = migrated_postgresql_url.rpartition("/")[2]
    postgresql.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    machine.environment["DATABASE_URL"] = migrated_postgresql_url

    assert_finding(machine.examine()["database"], Level.FAIL, "the database can only be read")


def test_a_clock_that_differs_from_the_servers_is_told(
    machine: Machine, migrated_postgresql_url: str
) -> None:
    machine.environment["DATABASE_URL"] = migrated_postgresql_url

    found = machine.examine(FakeClock(now() + timedelta(minutes=5)))

    assert_finding(found["stored times"], Level.WARN, "the database server's clock differs")


def test_a_clock_that_was_never_set_is_named(machine: Machine) -> None:
    found = machine.examine(FakeClock(datetime(1970, 1, 1, tzinfo=UTC)))

    assert_finding(found["clock"], Level.FAIL, "which is before this program was made")
    assert found["stored times"].level is Level.SKIP


# -- planted in the network -------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[Callable[[int], int]]:
    """Return what occupies a port, 0 for any, and says which."""
    with ExitStack() as stack:

        def listen(port: int) -> int:
            server = stack.enter_context(socket.create_server(("127.0.0.1", port)))
            found: int = server.getsockname()[1]
            return found

        yield listen


def test_a_port_taken_by_another_program_is_named(machine: Machine) -> None:
    with socket.socket() as other:  # it does not even listen; it would hang if it were asked
        other.bind(("127.0.0.1", int(machine.environment["SIDECAR_PORT"])))

        found = machine.examine()

    assert_finding(found["port"], Level.FAIL, "is taken by another program")
    assert_only(found, "port")


def test_a_port_taken_by_another_sidecar_is_named(machine: Machine, service: Server) -> None:
    machine.environment["SIDECAR_PORT"] = str(service.port)

    assert_finding(machine.examine()["port"], Level.FAIL, "is taken by a sidecar on another data directory")


def test_a_service_that_does_not_answer_where_it_should_is_told(machine: Machine, service: Server) -> None:
    machine.environment["SIDECAR_DATA_DIR"] = str(service.data_dir)

    assert_finding(machine.examine()["port"], Level.WARN, "a service holds the data directory, but")


def test_a_port_for_root_only_is_named(machine: Machine) -> None:
    least = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if least < 3:
        pytest.skip("every account may use all ports here")
    machine.environment["SIDECAR_PORT"] = "2"

    assert_finding(machine.examine()["port"], Level.FAIL, "may not listen on port")


def test_the_api_is_connected_to_only_when_asked(machine: Machine, listener: Callable[[int], int]) -> None:
    machine.environment["ANTHROPIC_BASE_URL"] = f"http://127.0.0.1:{listener(0)}"

    assert "Anthropic API" not in machine.examine()
    assert machine.examine(online=True)["Anthropic API"].level is Level.OK


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:1", "cannot be reached"), ("a gateway", "ANTHROPIC_BASE_URL is no URL")],
)
def test_an_api_that_cannot_be_reached_is_named(machine: Machine, url: str, words: str) -> None:
    machine.environment["ANTHROPIC_BASE_URL"] = url

    assert_finding(machine.examine(online=True)["Anthropic API"], Level.FAIL, words)
