"""What a user's browser does with the app: seal a key, create a session, type, read, look at the screen."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from joserfc import jwe
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter

from emulator.servicenow import Answer, Instance, Json

Result = TypeVar("Result")

_REGISTRY = jwe.JWERegistry(
    header_registry={"userId": HeaderParameter("User", "str"), "iat": HeaderParameter("Issued at", "int")},
    algorithms=["ECDH-ES", "A256GCM"],
)
_PATIENCE_S = 60.0
#: Between two looks: the first pause, and the longest.
_STEP_S, _LONGEST_STEP_S = 0.05, 0.25
_LONGER = 1.25
_HINT_CHARACTERS = 4


class Refused(Exception):
    """The app or the sidecar refused a call; the text is what a user is shown."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


def seal(jwk: Mapping[str, str], api_key: str, user_id: str, at: datetime) -> str:
    """Return `api_key` as a compact JWE that only the owner of the public key `jwk` can open."""
    header = {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": jwk["kid"],
        "userId": user_id,
        "iat": int(at.timestamp()),
    }
    public: dict[str, str | list[str]] = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    return jwe.encrypt_compact(header, api_key, ECKey.import_key(public), registry=_REGISTRY)


@dataclass(frozen=True)
class Output:
    """A piece of a terminal's output, and where the next one begins."""

    data: bytes
    next_cursor: int
    dropped: int
    state: str
    activity: str


@dataclass(frozen=True)
class Browser:
    """A signed-in user of the app. Every call is one of the app's resources on the instance."""

    instance: Instance
    #: The user's sys_id, by which the sidecar knows them too.
    user_id: str

    # -- calls and requests ----------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: Json | None = None) -> Answer:
        """Make one call; return whatever is answered."""
        return self.instance.rest(method, path, body)

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make one call; raise `Refused` when it is refused."""
        answer = self.answer(method, path, body)
        if answer.status >= 400:
            raise Refused(answer.status, _told(answer.body))
        document: Json = answer.body
        return document

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make a call that the sidecar answers; wait for that and return it, or raise `Refused`."""
        return self.result(self.call(method, path, body)["request"])

    def result(self, request: str, seconds: float = _PATIENCE_S) -> Json:
        """Wait until a request is answered; return the sidecar's answer, or raise `Refused`."""
        done = await_that(lambda: self._unless_queued(request), seconds, f"request {request} is answered")
        if done["state"] != "done":
            raise Refused(int(done["status"] or 0), _told(done.get("problem")))
        return dict(done.get("body") or {})

    def _unless_queued(self, request: str) -> Json | None:
        found = self.call("GET", f"/requests/{request}")
        return None if found["state"] == "queued" else found

    # -- MID Servers and keys --------------------------------------------------------------------------

    def await_mid(self, mid: str) -> None:
        """Wait until the app finds the sidecar beside a MID healthy."""

        def up() -> bool:
            return any(one["name"] == mid and one["state"] == "up" for one in self.mids())

        await_that(up, _PATIENCE_S, f"the sidecar beside {mid} is healthy")

    def mids(self) -> list[Json]:
        """Return the MID Servers of the app, and how they are."""
        found: list[Json] = self.call("GET", "/mids")["items"]
        return found

    def public_key(self, mid: str) -> dict[str, str]:
        """Return the public key of the sidecar beside a MID, asked for anew."""
        self.ask("POST", f"/mids/{mid}/key")
        jwk: dict[str, str] = next(one["jwk"] for one in self.mids() if one["name"] == mid)
        return jwk

    def enrol(self, mid: str, api_key: str) -> Json:
        """Seal an API key to a MID's sidecar and have it stored there; return the sidecar's answer."""
        jwk = self.public_key(mid)
        sealed = seal(jwk, api_key, self.user_id, datetime.now(UTC))
        body = {"mid": mid, "sealed": sealed, "kid": jwk["kid"], "hint": api_key[-_HINT_CHARACTERS:]}
        return self.ask("POST", "/credentials", body)

    # -- sessions --------------------------------------------------------------------------------------

    def create(self, **fields: Any) -> str:
        """Create a session and wait until it runs; return its id."""
        made = self.call("POST", "/sessions", fields)
        self.result(made["request"])
        session = str(made["session"])
        await_that(lambda: self.session(session)["state"] == "running", _PATIENCE_S, "the session runs")
        return session

    def session(self, session: str) -> Json:
        """Return a session as the instance knows it."""
        return self.call("GET", f"/sessions/{session}")

    def view(self, session: str) -> None:
        """Say that the session is being looked at, which makes its output come by itself."""
        self.call("POST", f"/sessions/{session}/viewers", {})

    def command(self, session: str, text: str, **fields: Any) -> Json:
        """Submit a text; return the sidecar's answer."""
        return self.ask("POST", f"/sessions/{session}/commands", {"command": text, **fields})

    def output(self, session: str, cursor: int) -> Output:
        """Return what the instance holds from `cursor` on; it may be nothing yet."""
        found = self.call("GET", f"/sessions/{session}/output?cursor={cursor}")
        data = base64.b64decode(found["data"])
        return Output(
            data, int(found["nextCursor"]), int(found["dropped"]), found["state"], found["activity"]
        )

    def screen(self, session: str) -> Json:
        """Return the rendered screen, fetched from the sidecar."""
        return self.ask("POST", f"/sessions/{session}/screen")

    def terminate(self, session: str) -> None:
        """End a session."""
        self.ask("DELETE", f"/sessions/{session}")


def await_that(condition: Callable[[], Result | None], seconds: float, what: str) -> Result:
    """Return what `condition` gives once that is true; raise `TimeoutError` after so many seconds."""
    deadline, step = time.monotonic() + seconds, _STEP_S
    while not (result := condition()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(step)
        step = min(step * _LONGER, _LONGEST_STEP_S)
    return result


def _told(problem: Any) -> str:
    """Return the sentence of an error, in whichever of the two forms it comes."""
    if not isinstance(problem, dict):
        return str(problem)
    error = problem.get("error")
    inner = error if isinstance(error, dict) else problem
    return str(inner.get("detail") or inner.get("message") or inner.get("title") or problem)
