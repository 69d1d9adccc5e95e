"""One round of all checks, in the order in which they are best mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sidecar.clock import Clock
from sidecar.config import ENV_FILE, Identity, PollerSettings, Settings
from sidecar.doctor import database, folder, host, network, poller
from sidecar.doctor.finding import Finding, Level, Verdict, fault, good, skipped, warning
from sidecar.errors import ConfigurationError
from sidecar.remote import Remote
from sidecar.sessions.ownership import Ownership


@dataclass(frozen=True)
class Entrance:
    """What has to be done before anything can be looked at, as a start of the service does it."""

    identity: Callable[[], Identity]
    leave_root: Callable[[Identity], None]
    load: Callable[[], Settings]
    env_file: Path = ENV_FILE
    #: Of a poller; none where none is configured.
    load_poller: Callable[[], PollerSettings | None] = lambda: None


@dataclass(frozen=True)
class Check:
    """One thing to look at. It is skipped when one of the checks it `needs` did not find all well."""

    name: str
    run: Callable[[], Verdict]
    needs: tuple[str, ...] = ()


def examine(entrance: Entrance, clock: Clock, *, online: bool = False) -> Iterator[Finding]:
    """Look at everything, and yield each finding as soon as it is known.

    Started as root, we become the service's account first, as a start does: what root may do tells nothing.
    """
    try:
        identity = entrance.identity()
    except ConfigurationError as error:
        yield Finding.of("settings", _unreadable(error))
        return
    try:
        entrance.leave_root(identity)
    except ConfigurationError as error:
        yield Finding("account", Level.FAIL, error.detail, "Mend this first; the text above says how.")
        yield Finding.of("the rest", skipped("root would see other things than the service's account"))
        return
    yield from _examine(entrance, identity, clock, online=online)


def _examine(entrance: Entrance, identity: Identity, clock: Clock, *, online: bool) -> Iterator[Finding]:
    settings, verdict = _load(entrance.load)
    yield Finding.of("settings", verdict)
    general = [
        Check("file .env", partial(folder.check_env_file, entrance.env_file)),
        *_general(identity, settings, clock),
    ]
    if settings is None:
        yield from _run(general)
        yield Finding.of("the rest", skipped("needs the settings"))
        yield from _examine_poller(entrance, clock)  # its host may have no service
        return
    more = [Check("Anthropic API", partial(network.check_anthropic, settings))] if online else []
    yield from _run([*general, *_of_settings(settings, clock), *_of_database(settings, clock), *more])
    yield from _examine_poller(entrance, clock)


def _examine_poller(entrance: Entrance, clock: Clock) -> Iterator[Finding]:
    try:
        settings = entrance.load_poller()
    except ConfigurationError as error:
        yield Finding.of("poller", _unreadable(error))
        return
    if settings is not None:
        yield Finding.of("poller", good(f"{settings.name}, for {settings.instance}"))
        yield from _run(_of_poller(settings, clock))


def _of_poller(settings: PollerSettings, clock: Clock) -> list[Check]:
    instance, credentials = "ServiceNow instance", "ServiceNow credentials"
    return [
        Check(instance, partial(poller.check_instance, settings, clock)),
        Check(credentials, partial(poller.check_credentials, settings, clock), (instance,)),
        Check("ServiceNow role", partial(poller.check_role, settings, clock), (credentials,)),
        Check("poller's sidecar", partial(poller.check_sidecar, settings, clock)),
    ]


def _load(load: Callable[[], Settings]) -> tuple[Settings | None, Verdict]:
    try:
        settings = load()
    except ConfigurationError as error:
        return None, _unreadable(error)
    if settings.debug:
        told = "debug mode: secrets that are missing were generated"
        return settings, warning(told, "Set SIDECAR_ENV=release where users work.")
    return settings, good("complete, with both secrets")


def _unreadable(error: ConfigurationError) -> Verdict:
    return fault(error.detail, "Change it in the environment or in .env; docs/configuration.md tells each.")


def _general(identity: Identity, settings: Settings | None, clock: Clock) -> list[Check]:
    return [
        Check("account", partial(host.check_account, identity)),
        Check("data directory", partial(folder.check_data_dir, identity.data_dir)),
        Check("disk", partial(folder.check_disk, identity.data_dir, settings)),
        Check("clock", partial(host.check_clock, clock)),
        Check("Claude Code", partial(host.check_claude, identity)),
    ]


def _of_settings(settings: Settings, clock: Clock) -> list[Check]:
    return [
        Check("isolation", partial(host.check_isolation, settings)),
        Check("memory", partial(host.check_memory, settings)),
        Check("open files", partial(host.check_files, settings)),
        Check("processes", partial(host.check_processes, settings)),
        Check("host names", partial(network.check_hosts, settings)),
        Check(
            "port",
            lambda: network.check_port(settings, Remote(settings, clock), running=_running(settings, clock)),
        ),
        Check("TLS", partial(network.check_tls, settings, clock)),
    ]


def _of_database(settings: Settings, clock: Clock) -> list[Check]:
    return [
        Check("encryption key", partial(database.check_key, settings)),
        Check("database", partial(database.check_database, settings)),
        Check("integrity", partial(database.check_integrity, settings), ("database",)),
        Check("schema", partial(database.check_schema, settings), ("database", "integrity")),
        Check("sealed rows", partial(database.check_sealed, settings), ("encryption key", "schema")),
        Check("stored times", partial(database.check_times, settings, clock), ("clock", "schema")),
    ]


def _running(settings: Settings, clock: Clock) -> bool:
    with suppress(OSError):  # told by the check of the data directory
        return Ownership(settings.data_dir, clock).held()
    return False


def _run(checks: Sequence[Check]) -> Iterator[Finding]:
    broken: set[str] = set()
    for check in checks:
        lacking = [name for name in check.needs if name in broken]
        verdict = skipped(f"needs: {', '.join(lacking)}") if lacking else _guarded(check)
        if verdict.level in (Level.FAIL, Level.SKIP):
            broken.add(check.name)
        yield Finding.of(check.name, verdict)


def _guarded(check: Check) -> Verdict:
    try:
        return check.run()
    except Exception as error:  # noqa: BLE001  a host may be broken in ways nobody thought of; the others still tell
        return fault(f"the check itself failed: {type(error).__name__}", "Please report this.")
