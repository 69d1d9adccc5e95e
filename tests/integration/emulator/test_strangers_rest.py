"""A REST client made for ServiceNow by ServiceNow itself, against the emulated instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from pysnc import ServiceNowClient
from pysnc.exceptions import AuthenticationException, NotFoundException, RequestException, RoleException
from requests.adapters import HTTPAdapter

from emulator.platform import ADMIN, ADMIN_PASSWORD
from emulator.servicenow import Instance

#: The client takes no address without TLS, which the emulator does not speak.
ADDRESS = "https://emulated.example"


class Loopback(HTTPAdapter):
    """Bring what is meant for `ADDRESS` to the emulated instance."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace(ADDRESS, self._url, 1)
        return super().send(request, *args, **options)


def client(instance: Instance, user: str, password: str) -> ServiceNowClient:
    session = requests.Session()
    session.trust_env = False
    session.auth = (user, password)
    session.mount(ADDRESS, Loopback(instance.url))
    return ServiceNowClient(ADDRESS, session, auto_retry=False)


@pytest.fixture
def snc(instance: Instance) -> Iterator[ServiceNowClient]:
    made = client(instance, ADMIN, ADMIN_PASSWORD)
    yield made
    made.session.close()


@pytest.fixture
def groups(snc: ServiceNowClient) -> str:
    """Make 25 groups unless they are there; return how a query finds them."""
    query = "nameSTARTSWITHpaged"
    known = snc.GlideRecord("sys_user_group")
    known.add_encoded_query(query)
    known.query()
    if known.next():
        return query
    for number in range(25):
        group = snc.GlideRecord("sys_user_group")
        group.initialize()
        group.name = f"paged {number:02d}"
        group.active = number % 2 == 0
        group.insert()
    return query


def test_a_row_is_inserted_read_changed_and_deleted(snc: ServiceNowClient) -> None:
    record = snc.GlideRecord("sys_user_group")
    record.initialize()
    record.name = "made by a stranger"
    record.description = "<b>&\nž"
    sys_id = str(record.insert())

    found = snc.GlideRecord("sys_user_group")
    assert found.get(sys_id)
    assert (found.get_value("name"), found.get_value("description")) == ("made by a stranger", "<b>&\nž")

    found.description = "changed"
    found.update()
    again = snc.GlideRecord("sys_user_group")
    assert again.get("name", "made by a stranger")
    assert again.get_value("description") == "changed"

    assert again.delete()
    assert not snc.GlideRecord("sys_user_group").get(sys_id)


def test_pages_follow_each_other_without_gap_or_overlap(snc: ServiceNowClient, groups: str) -> None:
    record = snc.GlideRecord("sys_user_group", batch_size=10)
    record.add_encoded_query(groups)
    record.order_by("name")
    record.query()
    names = [row.get_value("name") for row in record]

    assert len(record) == 25
    assert names == [f"paged {number:02d}" for number in range(25)]


def test_conditions_order_and_limit(snc: ServiceNowClient, groups: str) -> None:
    record = snc.GlideRecord("sys_user_group")
    record.add_encoded_query(groups)
    record.add_active_query()
    record.add_query("name", ">=", "paged 10").add_or_condition("name", "paged 02")
    record.add_not_null_query("name")
    record.order_by_desc("name")
    record.limit = 4
    record.query()

    assert [row.get_value("name") for row in record] == ["paged 24", "paged 22", "paged 20", "paged 18"]


def test_values_display_values_and_links(snc: ServiceNowClient) -> None:
    record = snc.GlideRecord("sys_user_has_role")
    record.add_query("user.user_name", ADMIN)
    record.add_query("role.name", "admin")
    record.query()

    assert record.next()
    assert record.get_display_value("user") == "System Administrator"
    assert len(record.get_value("user")) == 32
    assert record.get_value("user.user_name") in (None, ADMIN)


def test_what_does_not_exist_is_refused_by_name(snc: ServiceNowClient) -> None:
    with pytest.raises(RequestException, match="Invalid table incident"):
        snc.GlideRecord("incident").query()
    record = snc.GlideRecord("sys_user_group")
    record.initialize()
    record.no_such_column = "x"
    with pytest.raises(RequestException, match="no_such_column"):
        record.insert()
    joined = snc.GlideRecord("sys_user_group")
    joined.add_join_query("sys_user_grmember", join_table_field="group")
    with pytest.raises(RequestException, match="JOIN"):
        joined.query()


@pytest.mark.parametrize("interface", ["batch", "attachment"])
def test_interfaces_that_are_not_there_say_so(snc: ServiceNowClient, interface: str) -> None:
    many = snc.GlideRecord("sys_user")
    assert many.get("user_name", ADMIN)
    with pytest.raises(NotFoundException, match=f"nothing at /api/now/v1/{interface}"):
        many.update_multiple() if interface == "batch" else many.get_attachments()


def test_who_may_not_is_refused(instance: Instance) -> None:
    instance.create_user("stranger", "stranger's password")
    stranger = client(instance, "stranger", "stranger's password")
    record = stranger.GlideRecord("sys_user_group")
    record.initialize()
    record.name = "not allowed"
    with pytest.raises(RoleException):
        record.insert()
    stranger.session.close()

    unknown = client(instance, "stranger", "wrong")
    with pytest.raises(AuthenticationException):
        unknown.GlideRecord("sys_user_group").query()
    unknown.session.close()
