"""The database goes away while terminals run, and comes back."""

from __future__ import annotations

import pytest

from sidecar.errors import StorageUnavailable
from sidecar.services import Services
from tests.fixtures.postgresql import Cluster
from tests.fixtures.services import MakeServices, create
from tests.integration.sessions.driver import Driver
from tests.waiting import until

RING = 512 << 10


@pytest.fixture
def services(make_services: MakeServices, own_postgresql: Cluster) -> Services:
    """Return services on a database server that the test may stop."""
    own_postgresql.run("CREATE DATABASE sidecar")
    return make_services(database_url=own_postgresql.url("sidecar"), output_buffer=RING)


def stop(cluster: Cluster, services: Services) -> None:
    """Stop the server and wait until that was noticed."""
    cluster.stop()
    with pytest.raises(StorageUnavailable):
        services.records.database.ping()


def stored(session: Driver) -> int:
    return session.live.console.stored


def test_a_session_goes_on_and_its_output_is_stored_afterwards(
    services: Services, own_postgresql: Cluster
) -> None:
    session = Driver.create(services)
    session.say("before")
    stop(own_postgresql, services)

    session.say("meanwhile")
    assert session.read(0).data
    assert services.health().status == "degraded"
    assert services.health().serving
    with pytest.raises(StorageUnavailable):
        create(services)

    own_postgresql.start()
    assert until(lambda: services.health().status == "ok")
    assert until(lambda: stored(session) == session.live.console.end)
    assert services._writer.dropped == 0
    whole = b"".join(chunk.data for chunk in services._outputs.chunks(session.id))
    assert whole == session.everything()
    assert b"You said: meanwhile" in whole
    session.say("after")


def test_a_flood_does_not_stand_still_and_only_what_left_the_ring_is_dropped(
    services: Services, own_postgresql: Cluster
) -> None:
    session = Driver.create(services)
    session.say("before")
    assert until(lambda: stored(session) == session.live.console.end)
    kept_before = stored(session)
    stop(own_postgresql, services)

    session.command(f"[[flood {4 * RING}]]")
    assert session.shows("You said: [[flood", 30)
    console = session.live.console
    assert until(lambda: console.quiet() > 0.3)
    start = console.start
    reading_in_memory = session.read(start)
    assert reading_in_memory.dropped == 0
    with pytest.raises(StorageUnavailable):
        session.read(0)

    own_postgresql.start()
    assert until(lambda: services.health().checks["database"].ok and console.backlog == 0)
    # The writer had a portion in its hands when the database went: that one is stored as well.
    dropped = services._writer.dropped
    assert 0 < dropped <= start - kept_before
    assert session.read(start).data.startswith(reading_in_memory.data)
    chunks = list(services._outputs.chunks(session.id))
    assert sum(len(chunk.data) for chunk in chunks) == console.end - dropped
    assert total_dropped(session) == dropped
    assert console.lossless


def total_dropped(session: Driver) -> int:
    cursor, dropped = 0, 0
    while (reading := session.read(cursor)).data:
        dropped += reading.dropped
        cursor = reading.next_cursor
    return dropped


def test_a_session_ended_meanwhile_is_stored_as_ended_later(
    services: Services, own_postgresql: Cluster
) -> None:
    session = Driver.create(services)
    stop(own_postgresql, services)

    session.terminate()

    own_postgresql.start()
    assert until(lambda: session.live.unsaved is False and services.health().status == "ok")
    assert until(lambda: services._store.get(session.id).state.ended)


def test_a_service_may_stop_while_the_database_is_away_and_offsets_are_not_used_again(
    services: Services, own_postgresql: Cluster, make_services: MakeServices
) -> None:
    session = Driver.create(services)
    session.say("before")
    stop(own_postgresql, services)
    session.say("meanwhile")
    end = session.read(session.live.console.start).next_cursor
    services.close()

    own_postgresql.start()
    session.services = make_services(database_url=own_postgresql.url("sidecar"), output_buffer=RING)

    session.say("after")
    assert session.command("more").cursor > end
    reading = session.read(end)
    assert b"after" not in reading.data or reading.next_cursor - len(reading.data) >= end
