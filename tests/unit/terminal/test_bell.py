"""Waking waiters."""

from __future__ import annotations

import threading

from sidecar.terminal.bell import Bell, listening


def test_a_ring_wakes_every_listener_and_nobody_afterwards() -> None:
    bell = Bell()
    with listening([bell]) as one, listening([bell]) as two:
        assert bell.heard
        bell.ring()
        assert one.is_set()
        assert two.is_set()
    late = threading.Event()
    bell.add(late)
    bell.discard(late)

    bell.ring()

    assert not late.is_set()


def test_one_event_hears_many_bells() -> None:
    bells = [Bell() for _ in range(3)]
    with listening(bells) as event:
        for bell in bells:
            event.clear()
            bell.ring()
            assert event.is_set()


def test_what_rang_before_is_not_remembered() -> None:
    bell = Bell()
    bell.ring()
    with listening([bell]) as event:
        assert not event.is_set()


def test_listeners_may_come_and_go_while_it_rings() -> None:
    bell = Bell()
    stop = threading.Event()

    def ring() -> None:
        while not stop.is_set():
            bell.ring()

    ringer = threading.Thread(target=ring)
    ringer.start()
    for _ in range(100):
        with listening([bell]) as event:
            assert event.wait(60)
    stop.set()
    ringer.join()
