"""Calls that are sent again, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from sidecar.access.ledger import Bounds, Call, Ledger
from sidecar.access.repeats import Given, Outcome, Repeats, Reserved
from sidecar.errors import (
    CliUnavailable,
    Draining,
    InputStalled,
    InvalidRequest,
    IsolationUnavailable,
    KeyReused,
    LimitReached,
    MenuOpen,
    NotFound,
    OutcomeUnknown,
    SessionEnded,
    ShuttingDown,
    SidecarError,
    StartFailed,
    StorageUnavailable,
    TooManyWaiting,
    Unavailable,
)
from sidecar.model.answer import Answer
from sidecar.storage.answers import AnswerStore
from sidecar.storage.database import Database
from sidecar.storage.tables import answers
from sidecar.vault.cipher import Cipher
from tests.fakes.clock import FakeClock
from tests.waiting import until

OLD, NEW = bytes(32), bytes(range(32))
CALL = Call("ann", "key", b"d" * 32)
DAY_S = 24 * 3600


@dataclass
class Program:
    """What a call does: counts, and answers or fails as told."""

    error: Exception | None = None
    ran: list[Reserved] = field(default_factory=list)
    #: Held by the test as long as the call shall run.
    gate: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, reserved: Reserved) -> Outcome:
        self.ran.append(reserved)
        with self.gate:
            body = f"run {len(self.ran)}".encode()
            return Outcome(Answer(503 if self.error else 200, "text/plain", body), self.error)


@dataclass
class Waits:
    """Counts who waits."""

    now: int = 0
    refuses: bool = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self.refuses:
            raise TooManyWaiting
        self.now += 1
        yield
        self.now -= 1


@dataclass
class House:
    """Repeats on one database; `restarted` is the next run of the service."""

    database: Database
    clock: FakeClock
    keys: tuple[bytes, ...] = (OLD,)
    bounds: Bounds = field(default_factory=Bounds)
    patience_s: float = 30
    waits: Waits = field(default_factory=Waits)

    def __post_init__(self) -> None:
        store = AnswerStore(self.database)
        self.ledger = Ledger(store, Cipher(self.keys), self.clock, self.bounds)
        self.repeats = Repeats(self.ledger, self.patience_s)

    def restarted(self, **changes: object) -> House:
        return replace(self, **changes)  # type: ignore[arg-type]  # passed on by name

    def call(self, program: Program, call: Call = CALL) -> Given:
        return self.repeats.once(call, program, self.waits)


@pytest.fixture
def house(database: Database, clock: FakeClock) -> House:
    return House(database, clock)


def body(given: Given) -> str:
    return given.answer.body.decode()


class Killed(BaseException):
    """The process ends in the middle of a call."""


def cut(house: House, call: Call = CALL) -> Reserved:
    """Execute a call of which no answer is stored."""
    ran: list[Reserved] = []

    def run(reserved: Reserved) -> Outcome:
        ran.append(reserved)
        raise Killed

    with pytest.raises(Killed):
        house.repeats.once(call, run, house.waits)
    return ran[0]


# -- once ------------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_first_answer_and_is_not_executed(house: House) -> None:
    program = Program()
    assert [house.call(program) for _ in range(3)] == [
        Given(Answer(200, "text/plain", b"run 1"), replayed=False),
        *[Given(Answer(200, "text/plain", b"run 1"), replayed=True)] * 2,
    ]
    assert len(program.ran) == 1


def test_a_repeat_after_a_restart_gets_the_first_answer(house: House) -> None:
    program = Program()
    house.call(program)
    assert house.restarted().call(program) == Given(Answer(200, "text/plain", b"run 1"), replayed=True)


def test_another_user_may_use_the_same_key(house: House) -> None:
    program = Program()
    house.call(program)
    assert body(house.call(program, replace(CALL, user_id="bob"))) == "run 2"


def test_the_same_key_for_something_else_is_refused(house: House) -> None:
    program = Program()
    house.call(program)
    for again in (house, house.restarted()):
        with pytest.raises(KeyReused):
            again.call(program, replace(CALL, digest=b"e" * 32))
    assert len(program.ran) == 1


def test_an_answer_is_kept_for_24_hours(house: House, clock: FakeClock) -> None:
    program = Program()
    house.call(program)
    clock.advance(DAY_S)
    house.ledger.tidy()
    assert house.call(program).replayed
    clock.advance(1)
    house.ledger.tidy()
    assert house.call(program) == Given(Answer(200, "text/plain", b"run 2"), replayed=False)


@pytest.mark.parametrize("error", [NotFound(), MenuOpen(), SessionEnded(), InputStalled(), StartFailed()])
def test_what_went_wrong_is_the_answer_for_good(house: House, error: SidecarError) -> None:
    program = Program(error)
    house.call(program)
    assert house.call(program).replayed
    assert len(program.ran) == 1


def test_an_unexpected_fault_is_the_answer_for_good(house: House) -> None:
    program = Program(ZeroDivisionError())
    house.call(program)
    assert house.restarted().call(program).replayed


@pytest.mark.parametrize(
    "error",
    [InvalidRequest(), LimitReached(), Draining(), ShuttingDown(), CliUnavailable(), IsolationUnavailable()],
)
def test_a_refusal_of_which_nothing_was_done_is_not_kept(house: House, error: SidecarError) -> None:
    program = Program(error)
    assert not house.call(program).replayed
    program.error = None
    assert house.call(program, replace(CALL, digest=b"e" * 32)) == Given(
        Answer(200, "text/plain", b"run 2"), replayed=False
    )


# -- while it runs ---------------------------------------------------------------------------------------


@contextmanager
def running(house: House, program: Program) -> Iterator[list[Given | SidecarError]]:
    """Let a call run until the end of the block; give the list of its answers and those of `repeat`."""
    given: list[Given | SidecarError] = []
    with program.gate:
        first = threading.Thread(target=repeat, args=(house, program, given))
        first.start()
        assert until(lambda: program.ran)
        yield given
    first.join()


def repeat(house: House, program: Program, given: list[Given | SidecarError]) -> None:
    try:
        given.append(house.call(program))
    except SidecarError as error:
        given.append(error)


def test_repeats_of_a_running_call_wait_for_it_in_places_of_their_own(house: House) -> None:
    program = Program()
    with running(house, program) as given:
        threads = [threading.Thread(target=repeat, args=(house, program, given)) for _ in range(5)]
        for thread in threads:
            thread.start()
        assert until(lambda: house.waits.now == 5)
    for thread in threads:
        thread.join()
    assert len(program.ran) == 1
    answers = [item for item in given if isinstance(item, Given)]
    assert {item.answer.body for item in answers} == {b"run 1"}
    assert sorted(item.replayed for item in answers) == [False, *[True] * 5]


def test_a_repeat_without_a_place_to_wait_is_refused(house: House) -> None:
    house.waits.refuses = True
    program = Program()
    with running(house, program), pytest.raises(TooManyWaiting):
        house.call(program)
    assert house.call(program).replayed


def test_while_it_runs_the_key_is_taken(house: House) -> None:
    program = Program()
    with running(house, program), pytest.raises(KeyReused):
        house.call(program, replace(CALL, digest=b"e" * 32))


def test_a_repeat_gives_up_a_call_that_takes_too_long(house: House) -> None:
    house = house.restarted(patience_s=0.05)
    program = Program()
    with running(house, program), pytest.raises(Unavailable):
        house.call(program)
    assert house.call(program).replayed


def test_a_waiting_repeat_ends_when_the_service_does(house: House) -> None:
    program = Program()
    with running(house, program) as given:
        waiter = threading.Thread(target=repeat, args=(house, program, given))
        waiter.start()
        assert until(lambda: house.waits.now)
        house.repeats.stop_waiting()
        waiter.join()
    assert isinstance(given[0], ShuttingDown)


# -- cut short -------------------------------------------------------------------------------------------


def test_after_a_crash_the_outcome_of_an_input_is_unknown_for_good(house: House) -> None:
    cut(house)
    program = Program()
    for again in (house, house.restarted(), house.restarted()):
        with pytest.raises(OutcomeUnknown):
            again.call(program)
    assert not program.ran


def test_after_a_crash_a_thing_is_made_once_more_under_the_same_id(house: House) -> None:
    wanted = uuid4()
    assert cut(house, replace(CALL, makes=wanted)) == Reserved(wanted)
    program = Program()
    later = replace(CALL, makes=uuid4())  # every call brings a new one; the first counts
    assert house.restarted().call(program, later).replayed
    assert program.ran == [Reserved(wanted, again=True)]
    assert house.restarted().call(program, later).replayed
    assert len(program.ran) == 1


@pytest.mark.parametrize("error", [StorageUnavailable(), CliUnavailable(), IsolationUnavailable()])
def test_what_was_perhaps_made_is_made_again_under_the_same_id(house: House, error: SidecarError) -> None:
    making = replace(CALL, makes=uuid4())
    program = Program(error)
    house.call(program, making)
    house.call(program, making)
    program.error = None
    assert body(house.call(program, replace(making, makes=uuid4()))) == "run 3"
    assert [item.id for item in program.ran] == [making.makes] * 3
    assert [item.again for item in program.ran] == [False, True, True]


def test_a_refusal_does_not_free_an_id_under_which_something_may_exist(house: House) -> None:
    making = replace(CALL, makes=uuid4())
    cut(house, making)
    program = Program(LimitReached())
    house.call(program, making)
    house.call(program, making)
    assert [item.id for item in program.ran] == [making.makes] * 2


# -- the database is away --------------------------------------------------------------------------------


def test_without_the_database_nothing_is_executed(house: House) -> None:
    house.database.close()
    program = Program()
    with pytest.raises(StorageUnavailable):
        house.call(program)
    assert not program.ran
    house.database.open()
    assert not house.call(program).replayed


def lose(house: House, program: Program, call: Call = CALL) -> Given:
    """Execute a call while which the database goes away."""

    def run(reserved: Reserved) -> Outcome:
        house.database.close()
        return program(reserved)

    return house.repeats.once(call, run, house.waits)


def test_an_answer_the_database_missed_is_kept_in_memory_and_stored_later(house: House) -> None:
    program = Program()
    assert body(lose(house, program)) == "run 1"
    assert house.call(program).replayed
    house.database.open()
    house.ledger.flush()
    assert house.restarted().call(program) == Given(Answer(200, "text/plain", b"run 1"), replayed=True)
    assert len(program.ran) == 1


def test_only_so_much_is_kept_in_memory_and_the_oldest_counts_as_cut_short(house: House) -> None:
    house = house.restarted(bounds=Bounds(pending_bytes=100))
    program = Program()
    second = replace(CALL, key="second")
    for call in (CALL, second):
        lose(house, program, call)
        house.database.open()
    assert body(house.call(program, second)) == "run 2"
    with pytest.raises(OutcomeUnknown):
        house.call(program)


def test_a_refusal_the_database_missed_counts_as_cut_short(house: House) -> None:
    lose(house, Program(LimitReached()))
    house.database.open()
    with pytest.raises(OutcomeUnknown):
        house.call(Program())


# -- bounds and seals ------------------------------------------------------------------------------------


def test_a_user_with_too_many_keys_gets_no_new_one(house: House, clock: FakeClock) -> None:
    house = house.restarted(bounds=Bounds(keys=2))
    program = Program()
    house.call(program)
    house.call(program, replace(CALL, key="second"))
    house.ledger.tidy()
    assert house.call(program).replayed
    third = replace(CALL, key="third")
    with pytest.raises(LimitReached):
        house.call(program, third)
    assert not house.call(program, replace(third, user_id="bob")).replayed
    clock.advance(DAY_S + 1)
    house.ledger.tidy()
    assert not house.call(program, third).replayed


def stored(database: Database) -> bytes:
    with database.reading() as connection:
        sealed: bytes = connection.execute(select(answers.c.sealed)).scalar_one()
        return sealed


def test_neither_the_answer_nor_a_digest_of_the_request_is_stored_in_clear(house: House) -> None:
    house.call(Program())
    assert b"run 1" not in stored(house.database)
    assert CALL.digest not in stored(house.database)


def test_an_answer_opens_after_a_newer_key_came_but_not_without_its_own(house: House) -> None:
    program = Program()
    house.call(program)
    assert house.restarted(keys=(NEW, OLD)).call(program).replayed
    with pytest.raises(OutcomeUnknown):
        house.restarted(keys=(NEW,)).call(program)
    assert len(program.ran) == 1


def test_the_id_is_a_new_one_where_nothing_is_made(house: House) -> None:
    program = Program()
    house.call(program)
    house.call(program, replace(CALL, key="second"))
    ids = {item.id for item in program.ran}
    assert len(ids) == 2
    assert all(isinstance(item, UUID) for item in ids)
