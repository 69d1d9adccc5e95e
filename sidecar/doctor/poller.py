"""What the ECC poller has to reach: the instance, as its account, and the sidecar. Nothing is claimed or written."""

from __future__ import annotations

from sidecar.clock import Clock
from sidecar.config import PollerSettings
from sidecar.doctor.finding import Verdict, fault, good, warning
from sidecar.errors import AccountRefused, InstanceAway, InstanceRefused, PollerUnknown
from sidecar.poller.instance import LONGEST_CLAIM
from sidecar.poller.process import instance_of, sidecar_of
from sidecar.poller.wire import Fault, Lost, Manner, Request, Wire

_TIMEOUT_S = 10.0
#: Every instance answers it with something.
_PATH = "/api/x_claude_terminal/v1/bridge/claim"

_MENDS = {
    Fault.UNREACHED: "Correct SERVICENOW_INSTANCE, or open the firewall for it; behind a proxy set HTTPS_PROXY.",
    Fault.LATE: "Open the firewall for it; behind a proxy set HTTPS_PROXY.",
    Fault.UNTRUSTED: "Set REQUESTS_CA_BUNDLE to the certificates of your proxy, or look at the clock.",
}
_MEND = "See whether the instance is up: open its address in a browser."


def check_instance(settings: PollerSettings, clock: Clock) -> Verdict:
    """Look whether anything answers at the instance's address; no account is told."""
    wire = Wire(settings.instance, clock, Manner(0, LONGEST_CLAIM, proxies=True))
    reply = wire.call(Request("GET", _PATH, {}, None, _TIMEOUT_S))
    wire.close()
    if isinstance(reply, Lost):
        return fault(
            f"{settings.instance} cannot be reached: {reply.fault} ({reply.kind})",
            _MENDS.get(reply.fault, _MEND),
        )
    return good(f"{settings.instance} answers")


def check_credentials(settings: PollerSettings, clock: Clock) -> Verdict:
    """Look whether the instance lets the account in."""
    try:
        _look(settings, clock)
    except AccountRefused as error:
        return fault(error.detail, "Correct the account or the client; each wrong try may lock it.")
    except (InstanceAway, InstanceRefused):
        pass  # the role's check tells it
    return good("the instance does not refuse the account")


def check_role(settings: PollerSettings, clock: Clock) -> Verdict:
    """Look whether the account may claim rows, in the poller's name."""
    try:
        _look(settings, clock)
    except PollerUnknown as error:
        return fault(error.detail, "Add the name to the property, or set POLLER_NAME to one of its names.")
    except InstanceRefused as error:
        return fault(error.detail, "Give the account the role; the installation of the app makes it.")
    except InstanceAway as error:
        return fault(error.detail, "Install the app on the instance, in this program's version; see its log.")
    return good(f"the account may claim rows as {settings.name}")


def _look(settings: PollerSettings, clock: Clock) -> None:
    instance = instance_of(settings, clock)
    try:
        instance.claim((), 0, look=True)
    finally:
        instance.close()


def check_sidecar(settings: PollerSettings, clock: Clock) -> Verdict:
    """Look whether the sidecar answers, is well, and takes the token."""
    sidecar = sidecar_of(settings, clock)
    try:
        health, key = sidecar.asked("health"), sidecar.asked("sealing_key")
    finally:
        sidecar.close()
    if key.status == 401:
        return fault(key.error, "Set API_AUTH_TOKEN to the one the sidecar was started with.")
    if key.problem is not None:
        return fault(key.error, "Start the sidecar, or correct POLLER_SIDECAR_URL.")
    if health.problem is not None:
        return warning(health.error, "`claude-sidecar doctor` on the sidecar's host tells more.")
    return good(f"it answers at {settings.sidecar_url} and takes the token")
