"""Users' stored API keys, and the public key to seal them to."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from sidecar.access.repeats import Reserved
from sidecar.errors import NotFound
from sidecar.model.credential import KeyChoice
from sidecar.web import schemas, shapes
from sidecar.web.auth import acting_user
from sidecar.web.body import parse_body, parse_query, reply
from sidecar.web.context import services
from sidecar.web.once import once
from sidecar.web.operation import Operation, describe

views = Blueprint("credentials", __name__, url_prefix="/api/credentials")


@views.get("/key")
@describe(Operation(schemas.PublicKeyObject, problems=(503,), scope=None))
def read_public_key() -> Response:
    """The public key to seal API keys to; no credential is needed."""
    return reply(schemas.PublicKeyObject(**services().records.keyring.public()))


@views.post("")
@describe(
    Operation(
        schemas.CredentialObject,
        status=201,
        body=schemas.CredentialBody,
        problems=(409, 413, 415, 503),
        once=True,
    )
)
def add_credential() -> Response:
    """Store an API key; the same sealed key again gives the same credential."""
    body = parse_body(schemas.CredentialBody)
    user, choice = acting_user(body.user_id), KeyChoice(body.anthropic_api_key, body.sealed)

    def add(_: Reserved) -> Response:
        return reply(shapes.credential_object(services().vault.keep(user, choice)), 201)

    return once(user, add)


@views.get("")
@describe(Operation(schemas.CredentialPage, query=schemas.PageQuery, problems=(503,), user=True))
def list_credentials() -> Response:
    """The user's stored keys, newest first, without the keys themselves."""
    query = parse_query(schemas.PageQuery)
    found, total = services().vault.list(acting_user(), limit=query.limit, offset=query.offset)
    items = [shapes.credential_object(credential) for credential in found]
    return reply(schemas.CredentialPage(items=items, total=total, limit=query.limit, offset=query.offset))


@views.delete("/<credential_id>")
@describe(Operation(schemas.RemovedObject, problems=(404, 409, 503), once=True, user=True))
def remove_credential(credential_id: str) -> Response:
    """Erase a stored key; sessions created with it do not wake any more."""
    user, found = acting_user(), _id(credential_id)

    def remove(_: Reserved) -> Response:
        services().vault.remove(user, found)
        return reply(schemas.RemovedObject(removed=True))

    return once(user, remove)


def _id(text: str) -> UUID:
    """Return the id; one that is no UUID cannot exist."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
