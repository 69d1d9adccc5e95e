"""Reading the poller's settings: addresses, accounts, and no value in any error."""

from __future__ import annotations

import socket
from dataclasses import fields
from pathlib import Path

import pytest

from sidecar import config
from sidecar.config import PollerSettings, Settings
from sidecar.errors import ConfigurationError

#: A value no error text may hold.
SECRET = "correct-horse-battery"
ACCOUNT = {"SERVICENOW_API_USER": "poller", "SERVICENOW_API_PASSWORD": SECRET}
CLIENT = {"SERVICENOW_CLIENT_ID": "client", "SERVICENOW_CLIENT_SECRET": SECRET}
PLAIN = {"SERVICENOW_INSTANCE": "acme", "API_AUTH_TOKEN": "t" * 16, "POLLER_NAME": "poller-a", **ACCOUNT}


def load(tmp_path: Path, **given: str) -> PollerSettings:
    """Read settings from `given` alone, with what is required; an empty value takes one away."""
    return config.poller.load(PLAIN | given, tmp_path / ".env")


def refusal(tmp_path: Path, **given: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, **given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("acme", f"https://acme.{'service-now.com'}"),
        ("portal.example", "https://portal.example"),
        ("portal.example:8443", "https://portal.example:8443"),
        ("https://portal.example/", "https://portal.example"),
        ("https://portal.example/under/", "https://portal.example/under"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_instance_is_a_name_a_host_or_an_address(tmp_path: Path, given: str, address: str) -> None:
    assert load(tmp_path, SERVICENOW_INSTANCE=given).instance == address


@pytest.mark.parametrize("name", ["SERVICENOW_INSTANCE", "POLLER_SIDECAR_URL"])
@pytest.mark.parametrize(
    "given",
    [
        "http://portal.example",
        f"https://user:{SECRET}@portal.example",
        f"https://portal.example/?key={SECRET}",
        "https://portal.example#x",
        "https://portal.example:0",
        "https://portal.example:70000",
        "ftp://portal.example",
        "https://",
        "a b",
        "a\nb",
    ],
)
def test_other_addresses_are_refused(tmp_path: Path, name: str, given: str) -> None:
    told = refusal(tmp_path, **{name: given})

    assert told.startswith(f"{name}: ")
    assert SECRET not in told


def test_certificates_are_in_a_file_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    path = str(tmp_path / "ca.pem")

    assert load(tmp_path, POLLER_SIDECAR_CA_FILE=path).sidecar_ca_file == tmp_path / "ca.pem"
    assert refusal(tmp_path, POLLER_SIDECAR_CA_FILE=str(tmp_path / SECRET)) == (
        "POLLER_SIDECAR_CA_FILE is no file that can be read."
    )


def test_an_address_in_the_clear_is_for_loopback_only(tmp_path: Path) -> None:
    assert load(tmp_path).sidecar_url == "http://127.0.0.1:3000"
    assert load(tmp_path, POLLER_SIDECAR_URL="https://side.example").sidecar_url == "https://side.example"
    assert "must begin with https://" in refusal(tmp_path, POLLER_SIDECAR_URL="http://side.example:3000")


@pytest.mark.parametrize(
    ("text", "seconds"), [("adaptive", None), ("5s", 5.0), ("0.25", 0.25), ("15s", 15.0)]
)
def test_intervals(tmp_path: Path, text: str, seconds: float | None) -> None:
    assert load(tmp_path, POLLER_INTERVAL=text).interval == seconds


@pytest.mark.parametrize("text", ["0", "0.05s", "16s", "1m", "often", "-1"])
def test_other_intervals_are_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, POLLER_INTERVAL=text).startswith('POLLER_INTERVAL: use "adaptive", or a time')


def test_workers_are_as_many_as_the_instance_lets_one_poller_hold(tmp_path: Path) -> None:
    assert load(tmp_path, POLLER_WORKERS="100").workers == 100
    for text in ("0", "101", "many"):
        assert refusal(tmp_path, POLLER_WORKERS=text).startswith("POLLER_WORKERS: use a whole number")


@pytest.mark.parametrize("name", ["poller-a", "A", "mid server 1", "x.y_z", "n" * 63])
def test_names(tmp_path: Path, name: str) -> None:
    assert load(tmp_path, POLLER_NAME=name).name == name


@pytest.mark.parametrize("name", [" a", "a ", "a,b", "ä", "a/b", "n" * 64, "a\n"])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, POLLER_NAME=name).startswith("POLLER_NAME: use up to 63")


def test_the_name_is_the_hosts_by_default(tmp_path: Path) -> None:
    assert load(tmp_path, POLLER_NAME="").name == socket.gethostname()


# -- accounts --------------------------------------------------------------------------------------------


def test_it_signs_in_with_an_account_or_as_a_client(tmp_path: Path) -> None:
    assert load(tmp_path).password == SECRET
    client = load(tmp_path, **dict.fromkeys(ACCOUNT, ""), **CLIENT)
    assert (client.user, client.client_secret) == (None, SECRET)


@pytest.mark.parametrize("missing", [*ACCOUNT, *CLIENT])
def test_half_an_account_is_refused(tmp_path: Path, missing: str) -> None:
    given = {**dict.fromkeys(ACCOUNT, ""), **CLIENT} if missing in CLIENT else ACCOUNT

    assert refusal(tmp_path, **given | {missing: ""}).startswith("Set both SERVICENOW_API_USER")


def test_two_accounts_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, **CLIENT).endswith("not both.")


@pytest.mark.parametrize("token", ["", "short", "ä" * 16, "t" * 16 + " t", "t" * 16 + "\n"])
def test_the_sidecars_token_is_needed(tmp_path: Path, token: str) -> None:
    assert refusal(tmp_path, API_AUTH_TOKEN=token).startswith("API_AUTH_TOKEN must be set")


# -- where values come from --------------------------------------------------------------------------------


def test_the_instance_is_needed(tmp_path: Path) -> None:
    assert refusal(tmp_path, SERVICENOW_INSTANCE="").startswith("SERVICENOW_INSTANCE must be set")


def test_a_poller_is_wanted_where_an_instance_is_named(tmp_path: Path) -> None:
    assert config.poller.wanted(PLAIN, tmp_path / ".env")
    assert not config.poller.wanted(PLAIN | {"SERVICENOW_INSTANCE": ""}, tmp_path / ".env")
    (tmp_path / ".env").write_text("SERVICENOW_INSTANCE=acme\n")
    assert config.poller.wanted({}, tmp_path / ".env")


def test_the_file_fills_what_the_environment_lacks(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POLLER_WORKERS=7\nPOLLER_NAME=other\n")

    assert (load(tmp_path).workers, load(tmp_path).name) == (7, "poller-a")


def test_an_unknown_name_of_ours_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, POLLER_WORKER=SECRET) == (
        "Unknown setting POLLER_WORKER: see docs/configuration.md."
    )


def test_the_services_settings_do_not_disturb(tmp_path: Path) -> None:
    assert load(tmp_path, SIDECAR_PORT="1", ENCRYPTION_KEY="x", SIDECAR_ENV="debug") == load(tmp_path)


def test_every_default_can_be_read(tmp_path: Path) -> None:
    settings = load(tmp_path)
    for item in fields(PollerSettings):
        default = item.metadata["default"]
        if default is not None:
            assert getattr(settings, item.name) == item.metadata["parse"](default), item.name


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    client = load(tmp_path, **dict.fromkeys(ACCOUNT, ""), **CLIENT, API_AUTH_TOKEN=SECRET)

    assert SECRET not in repr(client)
    assert SECRET not in repr(load(tmp_path))


@pytest.mark.parametrize("name", [item.metadata["name"] for item in fields(PollerSettings)])
def test_no_error_repeats_a_value(tmp_path: Path, name: str) -> None:
    told = ""
    try:
        load(tmp_path, **{name: f"{SECRET}\n"})
    except ConfigurationError as error:
        told = f"{error} {error.__cause__ or ''}"

    assert SECRET not in told


def test_the_tables_hold_every_setting_once() -> None:
    own = [item.metadata for item in fields(PollerSettings) if "shared" not in item.metadata]
    rows = config.poller.table().splitlines()

    assert [row.split("`")[1] for row in rows[2:]] == [metadata["name"] for metadata in own]
    assert not {metadata["name"] for metadata in own} & {item.metadata["name"] for item in fields(Settings)}
    for metadata in own:
        assert metadata["about"].endswith("."), metadata["name"]
        assert "|" not in metadata["about"], metadata["name"]
