"""The poller as a process: built from its settings, ended by signals."""

from __future__ import annotations

import logging
import logging.config
import os
import random
import secrets
import signal
import threading

from sidecar.clock import Clock, SystemClock
from sidecar.config import PollerSettings
from sidecar.errors import InstanceRefused
from sidecar.logs.configuration import capture, configuration
from sidecar.poller.instance import LONGEST_CLAIM, Instance
from sidecar.poller.interval import Interval
from sidecar.poller.lanes import Lanes
from sidecar.poller.login import login_of
from sidecar.poller.patience import Patience
from sidecar.poller.poller import Poller
from sidecar.poller.row import numbered
from sidecar.poller.sidecar import LONGEST_ANSWER, Sidecar
from sidecar.poller.wire import Manner, Wire

log = logging.getLogger(__name__)

#: The instance refuses us until somebody changes something; of sysexits.h, so that systemd can tell it apart.
REFUSED = 78
_AT_ONCE = 1
#: A second signal so soon after the first is the same one.
_TWICE_S = 0.2
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def instance_of(settings: PollerSettings, clock: Clock) -> Instance:
    """Return the instance these settings name, with connections of its own."""
    # One for each row in work, and one for the claims.
    wire = Wire(settings.instance, clock, Manner(settings.workers + 1, LONGEST_CLAIM, proxies=True))
    owner = f"{settings.name}/{secrets.token_hex(8)}"
    return Instance(wire, login_of(settings, wire, clock), settings.name, owner)


def sidecar_of(settings: PollerSettings, clock: Clock) -> Sidecar:
    """Return the sidecar these settings name. No proxy ever sees its token."""
    manner = Manner(0, LONGEST_ANSWER, authorities=settings.sidecar_ca_file)
    return Sidecar(Wire(settings.sidecar_url, clock, manner), settings.api_auth_token)


def poller_of(settings: PollerSettings, clock: Clock) -> Poller:
    """Return the poller these settings describe, which has not begun."""
    patience = Patience(clock, random.SystemRandom().uniform)
    poller = Poller(
        instance_of(settings, clock),
        sidecar_of(settings, clock),
        clock,
        Interval(settings.interval),
        patience,
    )
    poller.lanes = Lanes(poller.work, lambda row: numbered(row.payload), settings.workers, clock)
    return poller


def run(settings: PollerSettings) -> int:
    """Poll until SIGTERM or SIGINT; return the exit status. A second signal ends the process at once."""
    logging.config.dictConfig(configuration(settings))
    capture()
    poller = poller_of(settings, SystemClock())
    # Before the first thread: signals come to the one thread that waits for them, and interrupt nobody else.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    threading.Thread(target=_listen, args=(poller,), name="signals", daemon=True).start()
    try:
        poller.run(settings.name)
    except InstanceRefused as error:
        log.critical("%s The poller ends; nothing is tried again.", error.detail)
        _leave(REFUSED)
    poller.lanes.close()
    return 0


def _listen(poller: Poller) -> None:
    signal.sigwait(_SIGNALS)
    poller.stop()
    # Some senders, such as timeout(1), tell the process and its group: that is one signal, told twice.
    while signal.sigtimedwait(_SIGNALS, _TWICE_S) is not None:
        pass
    signal.sigwait(_SIGNALS)
    log.warning("a second signal: the poller ends at once; what it held goes back to the queue")
    _leave(_AT_ONCE)


def _leave(status: int) -> None:
    """End without waiting for the threads: what they do can only be thrown away."""
    logging.shutdown()
    os._exit(status)
