"""The cipher on its own: what it opens, and that everything else fails alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import ConfigurationError, DecryptionFailed
from sidecar.vault.cipher import Cipher

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CIPHER = Cipher([NEW])
TOKEN = CIPHER.encrypt(b"a secret", "credential:1")


@given(st.binary(max_size=2000), st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_what_was_encrypted_is_decrypted(plaintext: bytes, purpose: str) -> None:
    assert plaintext == CIPHER.decrypt(CIPHER.encrypt(plaintext, purpose), purpose)


@pytest.mark.parametrize("position", range(len(TOKEN)))
@pytest.mark.parametrize("bit", [1, 128])
def test_a_flipped_bit_anywhere_is_refused(position: int, bit: int) -> None:
    flipped = bytearray(TOKEN)
    flipped[position] ^= bit

    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(bytes(flipped), "credential:1")


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_torn_token_is_refused(length: int) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(TOKEN[:length], "credential:1")


@given(st.binary(max_size=200))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(garbage, "credential:1")


@given(st.binary(min_size=1, max_size=40))
def test_garbage_behind_a_true_header_is_refused(garbage: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(TOKEN[:9] + garbage, "credential:1")


def test_bytes_behind_the_end_are_refused() -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(TOKEN + b"\0", "credential:1")


@pytest.mark.parametrize("purpose", ["", "credential:2", "credential:1 ", "Credential:1"])
def test_another_purpose_is_refused(purpose: str) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.decrypt(TOKEN, purpose)


def test_another_key_is_refused() -> None:
    with pytest.raises(DecryptionFailed):
        Cipher([OLD]).decrypt(TOKEN, "credential:1")


def test_a_token_renamed_to_another_key_is_refused() -> None:
    renamed = Cipher([OLD]).encrypt(b"", "credential:1")[:9] + TOKEN[9:]

    with pytest.raises(DecryptionFailed):
        Cipher([NEW, OLD]).decrypt(renamed, "credential:1")


def test_an_old_key_still_decrypts() -> None:
    token = Cipher([OLD]).encrypt(b"a secret", "p")

    assert Cipher([NEW, OLD]).decrypt(token, "p") == b"a secret"


def test_the_newest_key_encrypts() -> None:
    token = Cipher([NEW, OLD]).encrypt(b"a secret", "p")

    assert Cipher([NEW]).decrypt(token, "p") == b"a secret"


def test_nonces_differ() -> None:
    nonces = {CIPHER.encrypt(b"a secret", "p")[9:21] for _ in range(1000)}

    assert len(nonces) == 1000


def test_failures_are_told_alike_and_without_a_cause() -> None:
    texts = set()
    for token, purpose in [(b"", "credential:1"), (TOKEN, "x"), (TOKEN[:-1], "credential:1")]:
        with pytest.raises(DecryptionFailed) as caught:
            CIPHER.decrypt(token, purpose)
        texts.add(str(caught.value))
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    assert len(texts) == 1


def test_the_header_gives_nothing_of_the_key_away() -> None:
    assert NEW[:4] not in TOKEN
    assert NEW.hex() not in repr(CIPHER)


def test_threads_share_a_cipher() -> None:
    def turn(number: int) -> bool:
        plaintext = str(number).encode() * 1000
        return plaintext == CIPHER.decrypt(CIPHER.encrypt(plaintext, "p"), "p")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(turn, range(400)))


def test_a_setting_holds_keys_newest_first() -> None:
    both = Cipher.parse(f"{NEW.hex().upper()}, {OLD.hex()}")

    assert Cipher([NEW]).decrypt(both.encrypt(b"new", "p"), "p") == b"new"
    assert both.decrypt(Cipher([OLD]).encrypt(b"old", "p"), "p") == b"old"


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "cafe",
        "g" * 64,
        "ab" * 33,
        "ab" * 31 + " ab",
        "ab" * 32 + ",",
        "ab" * 32 + "\n" + "ab" * 32,
        "٣" * 64,
    ],
)
def test_a_wrong_setting_is_refused_without_repeating_it(setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Cipher.parse(setting)

    assert not setting or setting not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("keys", [[], [b""], [b"x" * 31], [NEW, b"x" * 33]])
def test_keys_of_another_length_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ConfigurationError):
        Cipher(keys)
