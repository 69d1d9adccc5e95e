"""Error answers, in the shape the real API gives them."""

from __future__ import annotations

from dataclasses import dataclass

#: The `error.type` the real API gives for a status.
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}

MESSAGES = {
    401: "invalid x-api-key",
    403: "Your API key does not have permission to use the specified resource.",
    404: "Not found",
    429: "This request would exceed your rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}


@dataclass(frozen=True)
class Failure:
    """One error answer; `retry_after` is in seconds and becomes a header."""

    status: int
    message: str = ""
    retry_after: int | None = None

    @property
    def type(self) -> str:
        """Return the `error.type` that belongs to the status."""
        return TYPES.get(self.status, "api_error" if self.status >= 500 else "invalid_request_error")

    @property
    def body(self) -> dict[str, object]:
        """Return the JSON body."""
        message = self.message or MESSAGES.get(self.status, f"Status {self.status}")
        return {"type": "error", "error": {"type": self.type, "message": message}}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers beyond those of every answer."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


class Refused(Exception):
    """The request cannot be served; carries the error answer."""

    def __init__(self, status: int, message: str) -> None:
        """Build the answer from `status` and `message`."""
        super().__init__(message)
        self.failure = Failure(status, message)
