"""password2 columns hold ciphertext, and plain text only passes through two calls."""

from __future__ import annotations

import sqlite3

import pytest

from emulator.platform import Platform
from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

SECRET = "a secret of the test: é€"


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    return build(instance, "u_secrets", {"word": {"internal_type": "password2", "max_length": "4000"}})


def kept(shelf: Shelf, secret: str) -> str:
    made: str = shelf.run(f"""
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.word.setDisplayValue('{secret}');
        return record.insert();
    """)
    return made


@pytest.mark.parametrize("length", [1, 124, 126, 300], ids=["1", "124", "126", "300"])
def test_what_was_written_is_read_again(shelf: Shelf, length: int) -> None:
    sys_id = kept(shelf, "k" * length)

    assert shelf.run(f"return one('{sys_id}').word.getDecryptedValue();") == "k" * length


def test_the_value_is_ciphertext_everywhere_else(shelf: Shelf) -> None:
    sys_id = kept(shelf, SECRET)
    shown = shelf.run(f"""
        var record = one('{sys_id}');
        return ['' + record.word, record.getValue('word'), record.getDisplayValue('word'),
            record.word.getDisplayValue()];
    """)

    assert all(shown)
    assert not [text for text in shown if SECRET in text]


def test_the_same_secret_is_stored_differently_each_time(shelf: Shelf) -> None:
    one, other = kept(shelf, SECRET), kept(shelf, SECRET)

    assert shelf.run(f"return one('{one}').getValue('word') === one('{other}').getValue('word');") is False


@pytest.mark.parametrize(
    "write", ["record.setValue('word', 'x')", "record.word = 'x'", "record.word.setValue('x')"]
)
def test_set_value_throws(shelf: Shelf, write: str) -> None:
    error = shelf.refusal(f"var record = new GlideRecord(TABLE); record.initialize(); {write};")

    assert "setDisplayValue() only" in error


def test_other_columns_cannot_be_decrypted(shelf: Shelf) -> None:
    error = shelf.refusal("new GlideRecord('sys_user').user_name.getDecryptedValue();")

    assert "not a password2 column" in error


def test_another_scope_cannot_read_it(shelf: Shelf) -> None:
    sys_id = kept(shelf, SECRET)
    error = shelf.refusal(f"one('{sys_id}').word.getDecryptedValue();", scope="x_other")

    assert "not allowed from the scope x_other" in error


def test_what_rest_writes_is_stored_as_ciphertext(shelf: Shelf) -> None:
    row = shelf.instance.table("u_secrets").insert(word=SECRET)
    stored, read = shelf.run(f"""
        var record = one('{row["sys_id"]}');
        return [record.getValue('word'), record.word.getDecryptedValue()];
    """)

    assert SECRET not in stored
    assert read == SECRET


def test_an_empty_secret_is_empty(shelf: Shelf) -> None:
    sys_id = kept(shelf, "")

    assert shelf.run(f"return one('{sys_id}').word.getDecryptedValue();") is None


def test_rest_never_answers_it(shelf: Shelf) -> None:
    sys_id = kept(shelf, SECRET)
    answer = shelf.instance.request("GET", f"/api/now/table/u_secrets/{sys_id}?sysparm_display_value=all")

    assert answer.status_code == 200
    assert SECRET not in answer.text


def test_the_database_holds_no_plain_text_and_a_restart_can_still_read_it(empty_platform: Platform) -> None:
    shelf = build(empty_platform.admin, "u_secrets", {"word": "password2"})
    sys_id = kept(shelf, SECRET)

    empty_platform.stop()
    with sqlite3.connect(empty_platform.data / "instance.db") as database:
        [stored] = database.execute("SELECT word FROM u_secrets").fetchone()
    database.close()
    empty_platform.start()

    assert SECRET not in stored
    again = Shelf(empty_platform.admin, "u_secrets")
    assert again.run(f"return one('{sys_id}').word.getDecryptedValue();") == SECRET
    assert (empty_platform.data / "instance.key").stat().st_mode & 0o777 == 0o600
