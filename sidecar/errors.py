"""Every exception this package raises on purpose.

::

    SidecarError
    ├── ConfigurationError            a setting is missing or wrong; the service does not start
    │   ├── IsolationUnavailable      the configured isolation does not work on this host
    │   └── DataDirectoryInUse        another process owns the data directory
    ├── InvalidRequest                a value breaks a rule; carries the fields
    │   └── SealRefused               a sealed key cannot be opened, for whatever reason
    ├── MalformedBody                 the body is not JSON, or not an object
    ├── UnsupportedBody               the body has another content type
    ├── TooLarge                      a body or a command is over its limit
    ├── UserRequired                  a user is needed and none was named
    ├── HostRefused                   the Host header is not an allowed one
    ├── Unauthenticated               no credential, or a wrong one
    ├── Forbidden                     the credential does not allow this
    │   └── OriginRefused             a page of another origin uses the signed-in cookie
    ├── NotFound                      no such thing
    │   └── NotYours                  it belongs to somebody else, who is told the same as if there were none
    ├── Conflict                      the request does not fit the present state
    │   ├── SessionEnded              the session has ended
    │   ├── SessionExists             the session id is taken by a different request
    │   ├── MenuOpen                  a menu is on the screen; text would cancel it
    │   ├── ConversationInUse         another live session holds the conversation
    │   ├── CredentialGone            the stored key the session was created with has been removed
    │   ├── KeyReused                 the idempotency key was used for another request
    │   ├── OutcomeUnknown            the first run was cut short: by a crash, or by a program that stopped reading
    │   └── OutOfOrder                the number came after its gap was given up
    ├── LimitReached                  a limit on sessions or waiting commands
    │   ├── RateLimited               too many requests; carries when to try again
    │   └── TooManyWaiting            too many calls that wait
    ├── Unavailable                   cannot be served now
    │   ├── StorageUnavailable        the database does not answer
    │   ├── InstanceAway              the ServiceNow instance does not answer; carries when to try again
    │   ├── CliUnavailable            the Claude Code CLI is missing or does not run
    │   ├── InputStalled              the program does not read its input; carries how much of it it has
    │   ├── Draining                  the service takes no new sessions before it is stopped
    │   └── ShuttingDown              the service is ending
    ├── InstanceRefused               the ServiceNow instance will not have the poller
    │   ├── AccountRefused            its account or its OAuth client is not let in
    │   ├── RoleMissing               its account may not claim rows
    │   └── PollerUnknown             it has a name the instance does not know
    ├── StartFailed                   the program ended before it was ready
    ├── DecryptionFailed              a stored secret cannot be opened, for whatever reason
    └── AppBroken                     the sources of the ServiceNow app do not fit together; no view raises it

No status codes here: :mod:`sidecar.web.problems` maps each class to its answer, in one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SidecarError(Exception):
    """Base of all; never raised itself. The text is for the caller and holds no secret."""

    def __init__(self, detail: str = "") -> None:
        """Keep `detail`; without one the class's own sentence is used."""
        self.detail = detail or (type(self).__doc__ or "").strip()
        super().__init__(self.detail)


class ConfigurationError(SidecarError):
    """A setting is missing or wrong."""


class IsolationUnavailable(ConfigurationError):
    """The configured isolation does not work on this host."""


class DataDirectoryInUse(ConfigurationError):
    """Another process owns the data directory."""


@dataclass(frozen=True)
class FieldProblem:
    """One broken rule: the field's path (`credentials.anthropicApiKey`) and what is wrong with it."""

    field: str
    message: str


class InvalidRequest(SidecarError):
    """A value in the request breaks a rule."""

    def __init__(self, detail: str = "", problems: Sequence[FieldProblem] = ()) -> None:
        """Keep the broken fields beside the sentence."""
        super().__init__(detail)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, field: str, message: str) -> InvalidRequest:
        """Return the error for a single field."""
        return cls(f"{field}: {message}", (FieldProblem(field, message),))


class SealRefused(InvalidRequest):
    """A sealed key cannot be opened. Which check failed is not told: it would only help to forge."""


class MalformedBody(SidecarError):
    """The body is not a JSON object."""


class UnsupportedBody(SidecarError):
    """The body must be application/json."""


class TooLarge(SidecarError):
    """The request is larger than allowed."""


class UserRequired(SidecarError):
    """The X-User-ID header is needed here."""


class HostRefused(SidecarError):
    """The Host header does not name this service."""


class Unauthenticated(SidecarError):
    """A valid credential is needed."""


class Forbidden(SidecarError):
    """This credential does not allow the request."""


class OriginRefused(Forbidden):
    """A page of another origin may not use the signed-in cookie."""


class NotFound(SidecarError):
    """There is no such resource."""


class NotYours(NotFound):
    """There is no such resource."""  # the same words: a caller must not see the difference


class Conflict(SidecarError):
    """The request does not fit the present state."""


class SessionEnded(Conflict):
    """The session has ended."""


class SessionExists(Conflict):
    """The session id is already taken."""


class MenuOpen(Conflict):
    """A menu is open on the screen: answer it with mode "keys"."""


class ConversationInUse(Conflict):
    """Another live session holds this conversation."""


class CredentialGone(Conflict):
    """The stored key this session was created with has been removed."""


class KeyReused(Conflict):
    """This Idempotency-Key was used for another request."""


class OutcomeUnknown(Conflict):
    """The first request with this Idempotency-Key was cut short; whether it was executed is not known."""


class OutOfOrder(Conflict):
    """The number arrived after its place in the stream was given up."""


class LimitReached(SidecarError):
    """A limit is reached; try again later."""


class RateLimited(LimitReached):
    """Too many requests; try again later."""

    def __init__(self, detail: str = "", retry_after_s: int = 1) -> None:
        """Keep the seconds after which there is room again."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooManyWaiting(LimitReached):
    """Too many calls are waiting; end one or ask without waiting."""


class Unavailable(SidecarError):
    """The service cannot do this now."""


class StorageUnavailable(Unavailable):
    """The database does not answer."""


class CliUnavailable(Unavailable):
    """The Claude Code CLI is missing or does not run."""


class InstanceAway(Unavailable):
    """The ServiceNow instance does not answer."""

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None, busy: bool = False) -> None:
        """Keep the seconds the instance asked to wait, and whether it wants fewer calls."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.busy = busy


class InputStalled(Unavailable):
    """The program does not read its input."""

    def __init__(self, detail: str = "", *, written: int = 0) -> None:
        """Keep how many bytes the program's terminal has taken all the same."""
        super().__init__(detail)
        self.written = written


class Draining(Unavailable):
    """The service is being drained and takes no new sessions."""


class ShuttingDown(Unavailable):
    """The service is ending."""


class InstanceRefused(SidecarError):
    """The ServiceNow instance will not have the poller."""


class AccountRefused(InstanceRefused):
    """The ServiceNow instance refuses the poller's account."""


class RoleMissing(InstanceRefused):
    """The ServiceNow instance does not let the poller's account claim rows."""


class PollerUnknown(InstanceRefused):
    """The ServiceNow instance does not know the poller's name."""


class StartFailed(SidecarError):
    """The program ended before it was ready for input."""


class DecryptionFailed(SidecarError):
    """A stored secret cannot be opened."""


class AppBroken(SidecarError):
    """The sources of the ServiceNow app do not fit together."""
