"""The running service as its operator's commands see it: over HTTP on this host, with the service token."""

from __future__ import annotations

import http.client
import json
import secrets
import ssl
from dataclasses import dataclass, field
from typing import Any

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.errors import ConfigurationError, Unavailable
from sidecar.origin import origin

_TIMEOUT_S = 60.0
#: The report on its health comes at once, or from a program that is another.
_HEALTH_S = 6.0
#: No answer to an operator is as long.
_LONGEST_ANSWER = 1 << 20
#: Times a call that came too often is made again, and the longest pause before it.
_ATTEMPTS, _LONGEST_PAUSE_S = 20, 10.0

_TOO_MANY = 429


@dataclass(frozen=True)
class Answer:
    """What the service answered."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    retry_after_s: float = 1.0

    @property
    def detail(self) -> str:
        """Return the sentence of a refusal."""
        return str(self.body.get("detail") or f"the service answered {self.status}")


class Remote:
    """Makes calls at the address the settings name. It holds no connection between them."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Read the address; no connection is made."""
        self._settings = settings
        self._clock = clock

    @property
    def address(self) -> str:
        """Return where the service should answer."""
        scheme = "https" if self._settings.tls_cert_file else "http"
        host = _reachable(self._settings.host)
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._settings.port}"

    def call(self, method: str, path: str, *, user: str | None = None, body: object = None) -> Answer:
        """Make a call with the service token, on behalf of `user`; one that came too often is made again.

        Raises:
            ConfigurationError: the address cannot be known.
            Unavailable: nobody answers there, or it is not this service, or has another token.
        """
        headers = {"Authorization": f"Bearer {self._settings.api_auth_token}"}
        if user is not None:
            headers["X-User-ID"] = user
        answer = self._patiently(method, path, headers, body)
        if answer.status in (401, 403):
            raise Unavailable(
                f"The service at {self.address} does not accept API_AUTH_TOKEN; was it started with another one?"
            )
        return answer

    def health(self) -> dict[str, Any]:
        """Return the service's report on itself.

        Raises:
            ConfigurationError: the address cannot be known.
            Unavailable: nobody answers there, or it is not this service.
        """
        body = self._once("GET", "/health", {}, None, timeout_s=_HEALTH_S).body
        if not {"status", "version", "sessions", "checks"} <= set(body):
            raise Unavailable(f"What answers at {self.address} is not this service.")
        return body

    def _patiently(self, method: str, path: str, headers: dict[str, str], body: object) -> Answer:
        for _ in range(_ATTEMPTS):
            answer = self._once(method, path, headers, body)
            if answer.status != _TOO_MANY:
                break
            self._clock.sleep(min(answer.retry_after_s, _LONGEST_PAUSE_S))
        return answer

    def _once(
        self, method: str, path: str, headers: dict[str, str], body: object, *, timeout_s: float = _TIMEOUT_S
    ) -> Answer:
        if not self._settings.port:
            raise ConfigurationError("SIDECAR_PORT is 0: set the port the running service listens on.")
        # The service answers to its allowed names only, and we may have come by another address.
        named = {
            **headers,
            "Host": self._settings.allowed_hosts[0],
            "Content-Type": "application/json",
            # So that the service's log and trail tell whose command it was.
            "X-Request-ID": f"{origin().actor.replace(':', '-')}-{secrets.token_hex(4)}",
        }
        sent = None if body is None else json.dumps(body)
        connection = self._connection(timeout_s)
        try:
            connection.request(method, path, sent, named)
            return _read(connection.getresponse())
        except ssl.SSLError as error:
            raise Unavailable(f"TLS with {self.address} failed: {error.reason or error}.") from error
        except OSError as error:
            raise Unavailable(f"No service answers at {self.address}: {error.strerror or error}.") from error
        except (http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"What answers at {self.address} is not this service.") from error
        finally:
            connection.close()

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        host, port = _reachable(self._settings.host), self._settings.port
        if self._settings.tls_cert_file is None:
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=self._context())

    def _context(self) -> ssl.SSLContext:
        """Return a context that trusts the service's own certificate and nothing else.

        The name in it is that of its callers, and we come by loopback: it would not fit, so it is not looked at. The
        very certificate is trusted also where another one has signed it.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(self._settings.tls_cert_file)
        return context


def _reachable(host: str) -> str:
    """Return an address to call for one to listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}.get(host, host.strip("[]"))


def _read(response: http.client.HTTPResponse) -> Answer:
    body = json.loads(response.read(_LONGEST_ANSWER) or b"{}")
    if not isinstance(body, dict):
        raise ValueError("not an object")  # noqa: TRY004  told to the caller as "not this service"
    pause = response.headers.get("Retry-After", "1")
    return Answer(response.status, body, float(pause) if pause.isdigit() else 1.0)
