"""The loop: claim, work, answer, wait."""

from __future__ import annotations

import logging
import threading

from sidecar.clock import Clock
from sidecar.errors import InstanceAway, InstanceRefused, PollerUnknown, SidecarError
from sidecar.poller.answer import Answer, problem
from sidecar.poller.instance import Claim, Instance, Outcome, Row
from sidecar.poller.interval import Interval
from sidecar.poller.lanes import Lanes
from sidecar.poller.patience import Patience
from sidecar.poller.sidecar import Sidecar
from sidecar.poller.trial import Trial

log = logging.getLogger(__name__)

#: How long a poller that was told to end tries to hand in its answers; then the leases give the rows back.
_HAND_IN_S = 20.0
#: How often an instance that has forgotten the name is asked whether it knows it again.
_UNKNOWN_S = 30.0
#: How often a thread that is to be patient looks whether it has been for long enough, or should give up.
_LOOK_S = 0.25
#: A lease is renewed three times before it would end.
_RENEWALS = 3
#: A row that cannot be answered so often, while the instance answers claims, is the fault and not the instance.
_MOST_FAILURES = 5
_NOT_TAKEN = problem(502, "Answer not taken", "The instance does not take the sidecar's answer to this call.")


class Poller:
    """Claims rows until it is stopped. It keeps no state: whatever ends it, leases and keys make that harmless."""

    def __init__(
        self, instance: Instance, sidecar: Sidecar, clock: Clock, interval: Interval, patience: Patience
    ) -> None:
        """Prepare; `run` begins. `lanes` has to be set before."""
        self._instance = instance
        self._sidecar = sidecar
        self._clock = clock
        self._interval = interval
        self._patience = patience
        self._stop = threading.Event()
        self._stopped_at = float("inf")
        self._refusal: SidecarError | None = None
        self._known = False
        #: Claims that were answered.
        self._claims = 0
        self._away = False
        self.lanes: Lanes

    def run(self, name: str) -> None:
        """Work until `stop`, then finish what is held and say good-bye.

        Raises:
            InstanceRefused: the instance will not have us; nothing is tried again.
        """
        while not self._stop.is_set():
            self._stop.wait(self.round(name))
            self._check()
        self._finish(name)

    def stop(self) -> None:
        """Claim nothing more; from any thread."""
        self._stopped_at = self._clock.monotonic()
        self._stop.set()

    def round(self, name: str) -> float:
        """Ask once for rows and hand them to the lanes; return the seconds until the next round."""
        left = self._patience.left_s()
        if left > 0:
            return min(left, _LOOK_S)
        try:
            claim = self._claim(self.lanes.room)
        except InstanceAway:
            return 0.0
        except PollerUnknown as error:
            if not self._known:
                raise
            log.warning("%s", error.detail)
            return _UNKNOWN_S
        if not self._known:
            self._known = True
            log.info("this poller now asks %s as %s", self._instance.address, name)
        return self._pause(claim)

    def _pause(self, claim: Claim) -> float:
        pause = self._interval.after(claim, self._clock.monotonic())
        return min(pause, claim.lease_s / _RENEWALS)

    def _claim(self, limit: int) -> Claim:
        began, held = self._clock.monotonic(), self.lanes.claiming()
        try:
            claim = self._instance.claim(held, limit, left=self.lanes.left())
        except InstanceAway as error:
            self._note_away(began, error)
            raise
        self._claims += 1
        self._note_answer()
        until = began + claim.lease_s
        self.lanes.keep(held, claim.lost, until)
        self.lanes.take(claim.rows, until)
        return claim

    # -- one row, on a thread of the lanes -----------------------------------------------------------------

    def work(self, row: Row) -> Outcome:
        """Do what a row asks and answer it; return what became of the answer."""
        answer = self._answer(row)
        if answer.problem is not None:
            log.info("a row was answered with an error", extra={"row": row.id, "status": answer.status})
        outcome = self._delivered(row, answer, _MOST_FAILURES)
        if outcome is Outcome.REFUSED:
            # Something has to be answered, or the row would come again and again.
            outcome = self._delivered(row, _NOT_TAKEN, 1)
        if outcome is not Outcome.ANSWERED and not self._given_up():
            log.warning("the answer to a row was not taken: %s", outcome, extra={"row": row.id})
        return outcome

    def _answer(self, row: Row) -> Answer:
        try:
            return self._sidecar.answer(row.payload)
        except Exception as error:
            # Answered, or it would come again and again.
            log.exception("a row could not be worked off", extra={"row": row.id})
            return problem(500, "Poller failed", f"The poller failed: {type(error).__name__}.")

    def _delivered(self, row: Row, answer: Answer, most: int) -> Outcome:
        """Hand the answer in, however often it takes, but for `most` failures that are the row's own.

        The row stays ours as long as claims renew its lease.
        """
        trial = Trial(self._patience, self._claims)
        while self._refusal is None:
            if (left := trial.left_s()) > 0:
                self._clock.sleep(min(left, _LOOK_S))
            elif (outcome := self._handed_in(row, answer, trial)) is not None:
                return outcome
            if trial.failures >= most:
                return Outcome.REFUSED
            if self._given_up():
                break
        return Outcome.LOST

    def _handed_in(self, row: Row, answer: Answer, trial: Trial) -> Outcome | None:
        """Hand the answer in once; return nothing when the instance said nothing that helps."""
        began = self._clock.monotonic()
        try:
            outcome = self._instance.complete(row, answer.text, answer.error)
        except InstanceAway as error:
            if trial.failed(began, error, self._claims):
                self._note_away(began, error)
            return None
        except InstanceRefused as error:
            self._refuse(error)
            return None
        self._note_answer()
        return outcome

    def _given_up(self) -> bool:
        late = self._clock.monotonic() > self._stopped_at + _HAND_IN_S
        return late or self._refusal is not None

    # -- the end -------------------------------------------------------------------------------------------

    def _refuse(self, error: SidecarError) -> None:
        self._refusal = error
        self._stop.set()

    def _check(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def _finish(self, name: str) -> None:
        log.info("the poller %s ends; rows in work: %d", name, len(self.lanes.held()))
        while not self.lanes.wait(self._renewed()):
            self._check()
        self._check()
        try:
            self._instance.claim((), 0, leaving=True)
        except SidecarError as error:
            log.warning("the instance was not told of the end: %s", error.detail)

    def _renewed(self) -> float:
        """Renew what is held; return the seconds until that is due again."""
        try:
            if self._patience.left_s() <= 0 and self.lanes.held():
                return self._claim(0).lease_s / _RENEWALS
        except (InstanceAway, PollerUnknown):
            pass  # the answers are still handed in, or given up
        return 1.0

    # -- how the instance does -----------------------------------------------------------------------------

    def _note_away(self, began: float, error: InstanceAway) -> None:
        if self._patience.failed(began, error.retry_after_s):
            self._away = True
            log.warning("%s It is asked again, with pauses.", error.detail)

    def _note_answer(self) -> None:
        self._patience.answered()
        if self._away:
            self._away = False
            log.info("the instance answers again")
