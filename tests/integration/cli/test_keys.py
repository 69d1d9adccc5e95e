"""`claude-sidecar keys` beside a running service, and what only a real server shows of credentials."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.cli import main
from tests.fixtures.server import MakeServer, Server
from tests.integration.cli.machine import COMMAND, ROOT, run
from tests.waiting import until


def keys(service: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `keys …` as the operator of a service does."""
    return run(
        [*COMMAND, "keys", *arguments], service.environment | {"PYTHONPATH": str(ROOT)}, service.folder
    )


def made(service: Server, user: str, *more: str) -> str:
    """Make a key and return it."""
    ended = keys(service, "create", "--user", user, "--name", "of the tests", "--scope", "sessions", *more)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def key_id(key: str) -> str:
    return key.split("_")[1]


def call(service: Server, key: str, method: str, path: str, **options: Any) -> Any:
    return service.call(method, path, headers={"Authorization": f"Bearer {key}"}, **options)


def listed(service: Server, user: str) -> Any:
    ended = keys(service, "list", "--user", user, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


# -- the command -------------------------------------------------------------------------------------------


def test_a_key_is_printed_once_works_at_once_and_ends_at_once(service: Server, user: str) -> None:
    ended = keys(service, "create", "--user", user, "--name", "laptop", "--scope", "sessions")
    key = ended.stdout.removesuffix("\n")
    assert len(key) == 64
    assert key not in ended.stderr
    assert "cannot be shown again" in ended.stderr
    assert "90 days" in ended.stderr
    assert call(service, key, "GET", "/api/sessions").status_code == 200

    shown = keys(service, "list", "--user", user)
    assert key_id(key) in shown.stdout
    assert "in 90 days" in shown.stdout
    assert key.split("_", 2)[2] not in shown.stdout + json.dumps(listed(service, user))

    assert keys(service, "revoke", key_id(key)).returncode == 0
    assert call(service, key, "GET", "/api/sessions").status_code == 401
    assert "revoked before" in keys(service, "revoke", key_id(key)).stderr
    assert key not in service.text()


def test_the_list_tells_scopes_use_and_state(service: Server, user: str) -> None:
    used = made(service, user, "--scope", "admin", "--expires", "never")
    revoked = made(service, user, "--expires", "12h")
    call(service, used, "GET", "/api/sessions")
    keys(service, "revoke", key_id(revoked))

    first, second = listed(service, user)

    assert (first["scopes"], first["state"], first["expiresAt"]) == (["admin", "sessions"], "valid", None)
    assert first["lastUsedAt"] is not None
    assert (second["scopes"], second["state"], second["lastUsedAt"]) == (["sessions"], "revoked", None)
    lines = keys(service, "list", "--user", user).stdout.splitlines()
    assert lines[0].split()[:3] == ["ID", "USER", "NAME"]
    assert "never" in lines[1]
    assert "in 12 hours" in lines[2]


def test_a_key_ends_by_itself(service: Server, user: str) -> None:
    key = made(service, user, "--expires", "2s")
    assert until(lambda: call(service, key, "GET", "/api/sessions").status_code == 401)
    assert [item["state"] for item in listed(service, user)] == ["expired"]


@pytest.mark.parametrize(
    "arguments",
    [
        "create",
        "create --user jane --name x",
        "create --user jane --scope sessions",
        "create --name x --scope sessions",
        "create --user jane --name x --scope everything",
        "create --user jane --name x --scope sessions --expires soon",
        "create --user jane --name x --scope sessions --expires 999999999999d",
        "revoke",
        "remove 0123456789abcdef",
        "",
    ],
)
def test_a_command_that_is_none_is_told_how_it_goes(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["keys", *arguments.split()])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: claude-sidecar keys")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "--user", "../jane", "--name", "x", "--scope", "sessions"), "userId"),
        (("create", "--user", "jane", "--name", "a\nb", "--scope", "sessions"), "printable"),
        (("create", "--user", "jane", "--name", "x", "--scope", "sessions", "--expires", "0s"), "past"),
        (
            ("create", "--user", "jane", "--name", "x", "--scope", "sessions", "--expires", "9999999d"),
            "never",
        ),
        (("revoke", "0123456789abcdef"), "no key"),
    ],
)
def test_what_cannot_be_is_told_in_words(service: Server, arguments: tuple[str, ...], told: str) -> None:
    ended = keys(service, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_given_instead_of_its_id_is_not_repeated(service: Server, user: str) -> None:
    key = made(service, user)
    ended = keys(service, "revoke", key)
    assert ended.returncode == 1
    assert "16 hex digits" in ended.stderr
    assert key not in ended.stderr


# -- revoked in mid-poll -----------------------------------------------------------------------------------


@pytest.fixture
def session(service: Server, user: str) -> Iterator[str]:
    """Return a session of the user."""
    body = {"userId": user, "credentials": {"anthropicApiKey": "sk-ant-of-the-tests-0123"}, "waitMs": 20_000}
    response = service.call("POST", "/api/session/create", json=body)
    assert response.status_code == 201, response.text
    made_id = str(response.json()["sessionId"])
    yield made_id
    service.call("DELETE", f"/api/session/{made_id}", user=user)


def test_a_key_revoked_while_its_call_waits_gets_no_output(service: Server, user: str, session: str) -> None:
    revoked, kept = made(service, user), made(service, user)
    path = f"/api/session/{session}"
    end = service.call("GET", f"{path}/status", user=user).json()["outputOffset"]
    answers: dict[str, Any] = {}

    def poll(key: str) -> None:
        answers[key] = call(service, key, "GET", f"{path}/output?wait=25&cursor={end}")

    threads = [threading.Thread(target=poll, args=(key,)) for key in (revoked, kept)]
    for thread in threads:
        thread.start()
    # Both wait: their use is noted when they come in.
    assert until(lambda: all(item["lastUsedAt"] for item in listed(service, user)))
    assert keys(service, "revoke", key_id(revoked)).returncode == 0
    service.call("POST", f"{path}/command", user=user, json={"command": "a secret of the session"})
    for thread in threads:
        thread.join(30)

    assert answers[revoked].status_code == 401
    assert "secret" not in answers[revoked].text
    assert answers[kept].status_code == 200
    assert answers[kept].json()["data"]


def test_what_a_key_did_before_it_was_revoked_stays_done(service: Server, user: str) -> None:
    key = made(service, user)
    answers: list[Any] = []
    body = {
        "credentials": {"anthropicApiKey": "sk-ant-of-the-tests-0123"},
        "waitMs": 20_000,
        "model": "slow-3",
    }

    def create() -> None:
        answers.append(call(service, key, "POST", "/api/session/create", json=body))

    thread = threading.Thread(target=create)
    thread.start()
    assert until(lambda: service.call("GET", "/api/sessions", user=user).json()["total"] == 1)
    assert keys(service, "revoke", key_id(key)).returncode == 0
    thread.join(60)

    assert answers[0].status_code == 401
    (session,) = service.call("GET", "/api/sessions", user=user).json()["items"]
    assert session["state"] == "running"
    service.call("DELETE", f"/api/session/{session['sessionId']}", user=user)


# -- headers, byte by byte ---------------------------------------------------------------------------------


def exchange(service: Server, *headers: bytes) -> bytes:
    """Send a request with these very header lines; return all of the answer."""
    head = [b"GET /api/sessions HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *headers]
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n")
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


@pytest.mark.parametrize("name", [b"X-User-ID", b"X-Request-ID", b"Authorization", b"X-API-Key", b"Cookie"])
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r", b"\r\n ", b"\0"])
def test_a_header_cannot_bring_another_one_into_the_answer(
    service: Server, name: bytes, line_end: bytes
) -> None:
    token = f"Authorization: Bearer {service.token}".encode()
    value = b"jane" + line_end + b"Set-Cookie: planted=1"
    answer = exchange(service, token, b"X-User-ID: jane", name + b": " + value)
    status = int(answer.split(b" ", 2)[1])
    assert status in (200, 400, 401, 403, 422)
    head = answer.partition(b"\r\n\r\n")[0]
    assert b"planted" not in head


@pytest.mark.parametrize(
    "header",
    [
        b"Authorization: Bearer \xff\xfe\x80",
        b"Authorization: Bearer csk_\xc3\xa4",
        b"Authorization: Bearer csk_" + b"0" * 7000,
        b"Authorization:",
        b"Cookie: claude_sidecar=\xff\xff",
        b"Cookie: claude_sidecar=" + b"A" * 7000,
        b"Cookie: claude_sidecar",
        b"Cookie: " + b"claude_sidecar=A; " * 300,
    ],
)
def test_a_credential_of_odd_bytes_is_refused_like_any_other(service: Server, header: bytes) -> None:
    answer = exchange(service, header)
    assert answer.startswith(b"HTTP/1.1 401 "), answer[:200]


def test_two_authorization_headers_are_none(service: Server, user: str) -> None:
    key = made(service, user).encode()
    one = b"Authorization: Bearer " + key
    assert exchange(service, one).startswith(b"HTTP/1.1 200 ")
    assert exchange(service, one, one).startswith(b"HTTP/1.1 401 ")
    assert exchange(service, b"Authorization: Bearer x", one).startswith(b"HTTP/1.1 401 ")


# -- behind a proxy ----------------------------------------------------------------------------------------


def test_behind_the_trusted_proxy_the_pages_are_of_https(make_server: MakeServer, user: str) -> None:
    service = make_server(TRUSTED_PROXY="127.0.0.1")
    key = made(service, user)

    def sign_in(origin: str, **more: str) -> Any:
        headers = {"Origin": origin, "Authorization": "", "X-Forwarded-Proto": "https", **more}
        return service.call("POST", "/signin", data={"key": key}, headers=headers, allow_redirects=False)

    # Where the path begins is not the proxy's to say: its caller's header would get there as well.
    moved = {"SCRIPT_NAME": "/elsewhere"}
    assert service.call("GET", "/elsewhere/health", headers=moved).status_code == 404
    own = f"https://127.0.0.1:{service.port}"
    entered = sign_in(own)
    assert entered.status_code == 303, entered.text
    assert "; Secure" in entered.headers["Set-Cookie"]
    assert sign_in(own.replace("https", "http")).status_code == 403
    assert sign_in("https://evil.example", **{"X-Forwarded-Host": "evil.example"}).status_code == 403
