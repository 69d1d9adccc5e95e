"""The states of a session and the legal steps between them."""

from __future__ import annotations

from itertools import product

import pytest

from sidecar.errors import InvalidRequest
from sidecar.model.session import SessionState, check_user_id
from tests.integration.storage.samples import a_session

S = SessionState
LEGAL = {
    *((S.STARTING, to) for to in (S.RUNNING, S.INTERRUPTED, S.TERMINATED, S.FAILED)),
    *((S.RUNNING, to) for to in (S.HIBERNATED, S.INTERRUPTED, S.TERMINATED, S.FAILED)),
    *((S.HIBERNATED, to) for to in (S.RUNNING, S.INTERRUPTED, S.TERMINATED, S.FAILED)),
    *((S.INTERRUPTED, to) for to in (S.RUNNING, S.TERMINATED, S.FAILED)),
}
#: A way to each state, from the start.
WAYS = {
    S.STARTING: (),
    S.RUNNING: (S.RUNNING,),
    S.HIBERNATED: (S.RUNNING, S.HIBERNATED),
    S.INTERRUPTED: (S.INTERRUPTED,),
    S.TERMINATED: (S.TERMINATED,),
    S.FAILED: (S.FAILED,),
}


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_only_legal_steps_are_taken(before: SessionState, after: SessionState) -> None:
    session = a_session()
    for state in WAYS[before]:
        session = session.evolve(state=state)

    if before is after or (before, after) in LEGAL:
        assert session.evolve(state=after).state is after
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            session.evolve(state=after)


def test_nothing_follows_an_end() -> None:
    assert {state for state in S if state.ended} == {
        before for before in S if not any((before, to) in LEGAL for to in S)
    }


@pytest.mark.parametrize("name", ["a", "A-b_c.9", "-", "a" * 64])
def test_user_ids_name_folders(name: str) -> None:
    assert check_user_id(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a..b", "a" * 65, "a/b", "a\n", "ä", "a b", "a\x00"])
def test_what_could_climb_or_hide_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_user_id(name)
