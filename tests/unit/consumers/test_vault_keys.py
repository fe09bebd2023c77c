from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.vault import VaultKeyError, fresh_key, read_keys
from consumers.vault.keys import VaultKey

SECRET = bytes(range(224, 256))


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper(),
        base64.b64encode(SECRET).decode(),
        base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
        f" {SECRET.hex()} , ",
    ],
)
def test_a_key_may_be_written_in_several_ways(text: str) -> None:
    assert read_keys(text).current == VaultKey(SECRET)


def test_the_first_key_is_written_with_and_all_are_read_with() -> None:
    one, two = VaultKey(SECRET), VaultKey(bytes(32))
    keys = read_keys(f"{SECRET.hex()},{bytes(32).hex()}")
    assert keys.current == one
    assert keys.named(two.id) == two
    assert one.id != two.id


@pytest.mark.parametrize("text", ["", "  ", ",", " , "])
def test_no_key_is_a_way_to_run(text: str) -> None:
    assert not read_keys(text)


@pytest.mark.parametrize(
    "text", ["hunter2", SECRET.hex()[:-1], SECRET.hex() + "00", "é" * 43, f"{SECRET.hex()},x", "=" * 44]
)
def test_a_malformed_key_is_one_line_that_does_not_tell_it(text: str) -> None:
    with pytest.raises(VaultKeyError, match="GUIDEWATCH_EVIDENCE_VAULT_KEY") as caught:
        read_keys(text)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_fresh_key_is_a_key_and_another_each_time() -> None:
    assert read_keys(fresh_key()).current != read_keys(fresh_key()).current


def test_no_secret_shows() -> None:
    assert str(SECRET) not in repr(VaultKey(SECRET))


@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_read_back(secret: bytes) -> None:
    assert read_keys(base64.b64encode(secret).decode()).current == VaultKey(secret)


def test_id_log_key_and_object_keys_have_nothing_in_common() -> None:
    key = VaultKey(SECRET)
    made = {key.secret, key.log_key, key.object_key(bytes(16)), key.object_key(b"1" * 16)}
    assert len(made) == 4
    assert not any(secret.startswith(bytes.fromhex(key.id)) for secret in made)
