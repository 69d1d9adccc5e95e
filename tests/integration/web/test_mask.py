"""The user's own key, printed in a terminal, goes no further than the terminal."""

from __future__ import annotations

from uuid import UUID

from sidecar.services import Services
from tests.fixtures.services import API_KEY
from tests.integration.web.api import Api
from tests.waiting import until


def test_the_key_is_masked_in_output_screen_recording_and_database(
    api: Api, session: str, web_services: Services
) -> None:
    answer = api.command(session, f"my key is {API_KEY}, keep it", waitMs=20_000)
    path = f"/api/session/{session}"
    output = api.get(f"{path}/output?cursor=0").json
    offset = output["nextCursor"]
    store = web_services.records.outputs

    def stored() -> bytes:
        return b"".join(chunk.data for chunk in store.chunks(UUID(session)))

    assert until(lambda: len(stored()) >= offset)
    screen = api.get(f"{path}/screen").json
    told = {
        "answer": answer.text,
        "output": output["data"],
        "screen": "\n".join(screen["lines"]),
        "repaint": screen["ansi"],
        "recording": api.get(f"{path}/recording").text,
        "database": stored().decode(),
    }
    hidden = "my key is " + "*" * len(API_KEY)
    assert [name for name, text in told.items() if API_KEY in text] == []
    assert [name for name, text in told.items() if "*" * (len(API_KEY) - 15) not in text] == []
    assert hidden in told["screen"]
    assert output["nextCursor"] == len(output["data"].encode())
