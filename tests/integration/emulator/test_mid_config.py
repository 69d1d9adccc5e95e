"""The emulated MID Server's home: `config.xml`, secure parameters, MID properties, the ECC firewall."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from emulator.midserver import MidServer
from emulator.rhino import RhinoError
from emulator.servicenow import Instance
from tests.fixtures.servicenow import MakeMid, MakePlatform, mid_at
from tests.integration.emulator.probing import Desk
from tests.waiting import until

SECRET = "marker-of-the-sidecar-token"
READ = "'' + ms.getConfigParameter('%s')"
#: Of the MID Server that tests share.
PARAMETERS = {"mid__claude__sidecar__token": SECRET, "mid__colour": "green", "mid__first": "of the file"}


def parameter(mid: MidServer, name: str) -> ET.Element:
    root = ET.parse(mid.home / "config.xml").getroot()
    return next(each for each in root if each.get("name") == name)


def firewall(*rules: str, mode: str = "enforcing") -> str:
    lines = "".join(f"      {line}\n" for rule in rules for line in rule.split("\n"))
    return f"security:\n  eccFirewall:\n    mode: {mode}\n    rules: # by tag\n{lines}"


_numbers = count(1)


@pytest.fixture
def desk(instance: Instance) -> Iterator[Desk]:
    """Give each test a MID Server of its own at one instance, without the faults of the test before."""
    yield Desk(instance, f"mid-{next(_numbers)}")
    instance.faults(amb=True, tooManyRequests=None, answers={"lose": 0})


@pytest.fixture(scope="module")
def mid(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MidServer]:
    """Run one MID Server for the tests that need no other parameters; they may start it again."""
    with mid_at(instance, tmp_path_factory.mktemp("shared"), "mid-shared", **PARAMETERS) as one:
        yield one


# -- secure parameters ---------------------------------------------------------------------------------------


def test_secure_parameters_are_encrypted_in_place_and_read_in_clear(shared: Desk, mid: MidServer) -> None:
    stored = parameter(mid, "mid.claude.sidecar.token").get("value", "")
    assert stored.startswith("encrypted:")
    assert SECRET not in (mid.home / "config.xml").read_text()
    assert mid.account.password not in (mid.home / "config.xml").read_text()
    length = shared.run("('' + ms.getConfigParameter('mid.claude.sidecar.token')).length").output
    assert length == str(len(SECRET))


def test_an_encrypted_parameter_stays_as_it_is_at_the_next_start(shared: Desk, mid: MidServer) -> None:
    before = (mid.home / "config.xml").read_bytes()

    mid.stop()
    mid.start()

    assert (mid.home / "config.xml").read_bytes() == before
    assert shared.run(f"ms.getConfigParameter('mid.claude.sidecar.token') == '{SECRET}'").output == "true"


def test_the_home_stays_private(mid: MidServer) -> None:
    assert [
        file.stat().st_mode & 0o077 for file in (mid.home / "config.xml", mid.home / "security" / "key")
    ] == [0, 0]


def test_secure_values_are_masked_on_the_instance(shared: Desk) -> None:
    agent = shared.instance.table("ecc_agent").rows(f"name={shared.mid}")[0]["sys_id"]
    rows = shared.instance.table("ecc_agent_config").rows(f"ecc_agent={agent}")
    values = {row["param_name"]: row["value"] for row in rows}

    assert values["mid.colour"] == "green"
    assert set(values["mid.claude.sidecar.token"]) == {"*"}
    assert set(values["mid.instance.password"]) == {"*"}


def test_a_value_encrypted_with_a_lost_key_is_told(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid)
    mid.stop()
    (mid.home / "security" / "key").unlink()

    with pytest.raises(RhinoError, match=r"mid\.instance\.password was encrypted with another key"):
        mid.start()


# -- reading parameters --------------------------------------------------------------------------------------


def test_a_missing_parameter_is_null_and_a_value_is_a_java_string(shared: Desk) -> None:
    assert shared.run(READ % "mid.nothing").output == "null"
    assert shared.run("typeof ms.getConfigParameter('mid.colour')").output == "object"


def test_a_parameter_wins_over_a_property_and_its_own_property_over_a_global_one(
    shared: Desk, mid: MidServer
) -> None:
    agent = shared.instance.table("ecc_agent").rows(f"name={mid.name}")[0]["sys_id"]
    properties = shared.instance.table("ecc_agent_property")
    for name in ("mid.first", "mid.second"):
        properties.insert(name=name, value="of the MID", ecc_agent=agent)
    for name in ("mid.first", "mid.second", "mid.third"):
        properties.insert(name=name, value="of all MIDs", ecc_agent="")
    properties.insert(name="mid.fourth", value="of another", ecc_agent="0" * 32)
    mid.stop()
    mid.start()

    names = ("mid.first", "mid.second", "mid.third", "mid.fourth")
    values = [shared.run(READ % name).output for name in names]
    assert values == ["of the file", "of the MID", "of all MIDs", "null"]


# -- becoming known ------------------------------------------------------------------------------------------


def test_a_mid_makes_its_row_and_keeps_it(shared: Desk, mid: MidServer) -> None:
    agents = shared.instance.table("ecc_agent")
    first = agents.rows(f"name={shared.mid}")
    mid.stop()
    mid.start()
    second = agents.rows(f"name={shared.mid}")

    assert [row["sys_id"] for row in second] == [row["sys_id"] for row in first]
    assert (second[0]["status"], second[0]["validated"]) == ("Up", "true")
    assert parameter(mid, "mid_sys_id").get("value") == first[0]["sys_id"]


def test_a_mid_may_start_before_its_instance(make_platform: MakePlatform, make_mid: MakeMid) -> None:
    platform = make_platform()
    desk = Desk(platform.admin)
    mid: MidServer = make_mid(desk.instance, desk.mid, start=False)
    platform.stop()
    mid.program.launch()
    assert until(lambda: "waiting for the instance" in mid.program.said())

    platform.start()

    assert until(lambda: "is up" in mid.program.said())
    assert desk.run("'x'").output == "x"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"name": ""}, "lacks the parameter name"),
        ({"url": ""}, "lacks the parameter url"),
        ({"url": "instance.example"}, "url must be an address"),
        ({"threads.max": "many"}, r"threads\.max must be a whole number"),
        ({"mid.poll.time": "0"}, r"mid\.poll\.time must be a whole number"),
        ({"mid.eccq.max_payload_size": "-1"}, "max_payload_size must be a whole number"),
    ],
    ids=["name", "url", "address", "threads", "poll", "size"],
)
def test_a_configuration_that_makes_no_sense_is_told(
    desk: Desk, make_mid: MakeMid, parameters: dict[str, str], message: str
) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, start=False)
    mid.prepare(None, **{name.replace(".", "__"): value for name, value in parameters.items()})

    with pytest.raises(RhinoError, match=message):
        mid.start()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.xml", "<parameters>", "config.xml is not XML"),
        ("config.xml", None, "config.xml is missing"),
        ("boot-config.yaml", "security:\n  what is this", "line 2 is not understood"),
        ("boot-config.yaml", "security:\n  colour: red", "does not know colour"),
        ("boot-config.yaml", firewall("- tags: [javascript]\n  action: maybe"), "accept or reject"),
        ("boot-config.yaml", firewall("action: accept"), "outside a rule"),
    ],
    ids=["no-xml", "no-config", "no-yaml", "unknown-key", "unknown-action", "no-rule"],
)
def test_a_file_that_cannot_be_read_is_told(
    desk: Desk, make_mid: MakeMid, name: str, text: str | None, message: str
) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, start=False)
    file: Path = mid.home / name
    file.unlink()
    if text is not None:
        file.write_text(text)

    with pytest.raises(RhinoError, match=re.escape(message)):
        mid.start()


# -- the ECC firewall ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        firewall("- tags: [javascript]\n  action: reject"),
        firewall("- tags: [rest, JAVASCRIPT]\n  action: reject"),
        firewall("- tags:\n    - javascript\n  action: reject"),
        firewall("- action: reject\n  tags: ['javascript']", "- tags: [javascript]\n  action: accept"),
    ],
    ids=["inline", "several", "block", "first-wins"],
)
def test_a_rule_rejects_a_probe(desk: Desk, make_mid: MakeMid, rules: str) -> None:
    make_mid(desk.instance, desk.mid, firewall=rules)

    output = desk.put("'x'")

    assert desk.answer(output).error.startswith("ECC message execution denied")
    assert until(lambda: desk.state(output) == "processed")


@pytest.mark.parametrize(
    "rules",
    [
        firewall("- tags: [javascript]\n  action: accept"),
        firewall("- tags: [jdbc]\n  action: reject"),
        firewall("- tags: [javascript]\n  action: reject", mode="disabled"),
        "",
    ],
    ids=["accepted", "no-rule", "not-enforcing", "empty"],
)
def test_a_probe_without_a_rejecting_rule_runs(desk: Desk, make_mid: MakeMid, rules: str) -> None:
    make_mid(desk.instance, desk.mid, firewall=rules)

    assert desk.run("'x'").output == "x"


def test_a_rule_for_a_parent_tag_covers_its_children(desk: Desk, make_mid: MakeMid) -> None:
    make_mid(desk.instance, desk.mid, firewall=firewall("- tags: [http]\n  action: reject"))

    assert desk.run("", topic="RESTProbe").error.startswith("ECC message execution denied")
    assert "denied" not in desk.run("", topic="JDBCProbe").error


def test_changed_rules_count_after_a_restart(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid)
    (mid.home / "boot-config.yaml").write_text(firewall("- tags: [javascript]\n  action: reject"))
    assert desk.run("'x'").output == "x"

    mid.stop()
    mid.start()

    assert "denied" in desk.run("'x'").error
