"""The emulated MID Server that is stopped, killed or cut off: no answer is lost, and work is run again."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator.midserver import MidServer
from emulator.servicenow import Instance
from tests.fixtures.servicenow import MakeMid, MakePlatform, mid_at
from tests.integration.emulator.probing import Desk
from tests.waiting import until

#: Goes on when a file is there on the MID's host, so that the test decides what has happened before.
WAIT = """(function () {
    while (!new java.io.File('' + probe.getParameter('file')).exists()) {
        java.lang.Thread.sleep(50);
    }
    java.lang.Thread.sleep(parseInt('' + probe.getParameter('ms'), 10));
    return 'waited';
})()"""
#: Counts its runs in a file of the MID's host.
COUNT = """(function () {
    var file = new java.io.FileWriter('' + probe.getParameter('file'), true);
    file.write('ran '); file.close();
    java.lang.Thread.sleep(parseInt('' + probe.getParameter('ms'), 10));
    return 'counted';
})()"""


_numbers = count(1)


@pytest.fixture
def desk(instance: Instance) -> Iterator[Desk]:
    """Give each test a MID Server of its own at one instance, without the faults of the test before."""
    yield Desk(instance, f"mid-{next(_numbers)}")
    instance.faults(amb=True, tooManyRequests=None, answers={"lose": 0})


@pytest.fixture(scope="module")
def mid(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MidServer]:
    """Run one MID Server that looks every second for the tests that may share it; they may start it again."""
    with mid_at(instance, tmp_path_factory.mktemp("shared"), "mid-shared", mid__poll__time="1") as one:
        yield one


def put_waiting(desk: Desk, file: Path, ms: int = 0) -> str:
    """Have the MID wait for a file, and then so long; return the output that it has begun."""
    output = desk.put(WAIT, parameters={"file": str(file), "ms": str(ms)})
    assert until(lambda: desk.state(output) == "processing")
    return output


def files(mid: MidServer, folder: str) -> list[Path]:
    return sorted((mid.home / "work" / "monitors" / "ECCSender" / folder).glob("*.xml"))


def agent(instance: Instance, mid: MidServer) -> dict[str, str]:
    return instance.table("ecc_agent").rows(f"name={mid.name}")[0]


def test_a_stop_ends_cleanly_and_tells_the_instance(shared: Desk, mid: MidServer) -> None:
    assert mid.stop() == 0
    assert agent(shared.instance, mid)["status"] == "Down"
    mid.start()
    assert agent(shared.instance, mid)["status"] == "Up"


def test_a_stop_does_not_wait_for_an_instance_that_is_away(
    make_platform: MakePlatform, make_mid: MakeMid
) -> None:
    platform = make_platform()
    mid: MidServer = make_mid(platform.admin)
    platform.stop()

    assert mid.stop() == 0  # it is killed when it takes long, and the status is another one then


def test_what_was_running_when_it_was_killed_is_run_again(
    desk: Desk, make_mid: MakeMid, tmp_path: Path
) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid)
    file = tmp_path / "runs"
    output = desk.put(COUNT, parameters={"file": str(file), "ms": "4000"})
    assert until(lambda: file.exists() and file.read_text() == "ran ")

    mid.kill9()
    assert desk.state(output) == "processing"
    mid.start()

    assert desk.answer(output).output == "counted"
    assert file.read_text() == "ran ran "
    assert until(lambda: desk.state(output) == "processed")


def test_what_is_being_processed_is_asked_for_at_the_start_only(shared: Desk) -> None:
    output = shared.put("'x'", state="processing")

    assert not until(lambda: bool(shared.answers(output)), 3)


def test_answers_wait_in_order_while_the_instance_is_away(
    make_platform: MakePlatform, make_mid: MakeMid, tmp_path: Path
) -> None:
    platform = make_platform()
    desk = Desk(platform.admin)
    mid: MidServer = make_mid(desk.instance, desk.mid)
    outputs = [put_waiting(desk, tmp_path / "go", 300 * number) for number in range(3)]

    platform.kill9()
    (tmp_path / "go").touch()
    assert until(lambda: len(files(mid, "output_1")) == 3)
    names = [file.name for file in files(mid, "output_1")]
    mid.program.send(signal.SIGSTOP)
    platform.start()
    # Creation times are whole seconds: answers that are posted one after the other differ then.
    desk.instance.faults(latencyMs=1200)
    mid.program.send(signal.SIGCONT)

    answers = [desk.answer(output) for output in outputs]
    assert [answer.output for answer in answers] == ["waited"] * 3
    assert sorted(f"ecc_queue.{output}.xml" for output in outputs) == names
    created = [answer.row["sys_created_on"] for answer in answers]
    assert created == sorted(set(created))
    desk.instance.faults(latencyMs=0)
    assert until(lambda: files(mid, "output_1") == [])


def test_an_answer_that_was_not_sent_survives_a_kill(
    make_platform: MakePlatform, make_mid: MakeMid, tmp_path: Path
) -> None:
    platform = make_platform()
    desk = Desk(platform.admin)
    mid: MidServer = make_mid(desk.instance, desk.mid)
    output = put_waiting(desk, tmp_path / "go")
    platform.stop()
    (tmp_path / "go").touch()
    assert until(lambda: len(files(mid, "output_1")) == 1)

    mid.kill9()
    platform.start()
    mid.start()

    assert desk.answer(output).output == "waited"
    assert until(lambda: files(mid, "output_1") == [])


def test_a_limited_rate_is_waited_out_and_nothing_is_lost(shared: Desk, tmp_path: Path) -> None:
    output = put_waiting(shared, tmp_path / "go")

    shared.instance.faults(tooManyRequests={"path": "/ecc_queue.do", "seconds": 3})
    began = time.monotonic()
    (tmp_path / "go").touch()

    assert shared.answer(output).output == "waited"
    assert time.monotonic() - began > 2
    assert len(shared.answers(output)) == 1


def test_a_limited_rate_delays_pick_up_and_nothing_is_lost(shared: Desk) -> None:
    shared.instance.faults(tooManyRequests={"path": "/ecc_queue.do", "seconds": 3})

    assert shared.run("'x'").output == "x"


def test_an_answer_above_the_limit_stays_on_the_host_and_an_error_goes(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, mid__eccq__max_payload_size="5000")
    output = desk.put("new Array(9001).join('x');")

    answer = desk.answer(output)
    kept = files(mid, "output_oversize")

    assert re.fullmatch(
        r"Payload size of \d+ bytes exceeded maximum of 5000 bytes\. "
        r"Contents of the original payload were moved to \S+/ECCSender/output_oversize/ecc_queue\.\w+\.xml",
        answer.error,
    )
    assert [file.name for file in kept] == [f"ecc_queue.{output}.xml"]
    assert "x" * 9000 in kept[0].read_text()
    assert desk.run("new Array(2001).join('x');").output == "x" * 2000


def test_an_answer_that_the_instance_loses_is_not_sent_again(shared: Desk, mid: MidServer) -> None:
    shared.instance.faults(answers={"lose": 1})
    output = shared.put("'x'")

    assert not until(lambda: bool(shared.answers(output)), 2)
    assert shared.state(output) == "processing"
    mid.stop()
    mid.start()
    assert shared.answer(output).output == "x"


def test_the_status_monitor_reports(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, emulator__stats_seconds="1")
    table = desk.instance.table("ecc_queue")
    query = f"topic=queue.stats^agent=mid.server.{desk.mid}"

    assert until(lambda: bool(table.rows(query)))
    report = table.rows(query)[0]
    assert (report["agent"], report["queue"], report["response_to"]) == (
        f"mid.server.{mid.name}",
        "input",
        "",
    )
    pools = {pool.get("name"): pool.get("threads") for pool in ET.fromstring(report["payload"]).iter("pool")}
    assert pools == {"interactive": "10", "expedited": "20", "standard": "25"}


def test_rows_are_never_updated_by_the_mid(shared: Desk) -> None:
    output = shared.put("'x'")
    shared.answer(output)

    assert shared.output(output)["sys_created_by"] == "admin"
    assert shared.answers(output)[0].row["sys_created_by"] == "mid.user"
    assert shared.answers(output)[0].row["sys_mod_count"] == "0"
