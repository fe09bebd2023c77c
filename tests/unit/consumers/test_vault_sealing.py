from __future__ import annotations

import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from consumers.vault import VaultKeyError, VaultKeys
from consumers.vault.sealing import PIECE_BYTES, TAG_BYTES, SealBrokenError, SealedFile, SealingSink
from tests.unit.consumers.vaults import KEYED, ONE, TWO

SALT = bytes(range(16))
HEADER_BYTES = 32


def sealed(*pieces: bytes) -> bytes:
    target = io.BytesIO()
    sink = SealingSink(target, ONE, SALT)
    for piece in pieces:
        sink.write(piece)
    sink.finish()
    return target.getvalue()


def opened(data: bytes, keys: VaultKeys = KEYED) -> bytes:
    with SealedFile(io.BytesIO(data), keys) as file:
        return io.BufferedReader(file).read()


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_is_sealed_is_opened_whatever_its_size(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    packed = sealed(data)
    assert opened(packed) == data
    pieces = max(1, -(-size // PIECE_BYTES))
    assert len(packed) == HEADER_BYTES + size + pieces * TAG_BYTES


@given(st.lists(st.binary(max_size=PIECE_BYTES), max_size=4))
def test_it_does_not_matter_how_it_is_written(pieces: list[bytes]) -> None:
    assert sealed(*pieces) == sealed(b"".join(pieces))


def test_a_stranger_opens_it_by_the_description() -> None:
    packed = sealed(b"a" * PIECE_BYTES, b"b")
    header, first, last = packed[:32], packed[32 : 32 + PIECE_BYTES + 16], packed[32 + PIECE_BYTES + 16 :]
    assert header == b"GWVAULT1" + bytes.fromhex(ONE.id) + SALT
    cipher = AESGCM(ONE.object_key(SALT))
    assert cipher.decrypt(bytes(12), first, header) == b"a" * PIECE_BYTES
    assert cipher.decrypt(bytes(10) + b"\x01\x01", last, header) == b"b"


@given(st.integers(0, 200), st.integers(1, 255))
def test_no_byte_can_be_changed(place: int, change: int) -> None:
    packed = bytearray(sealed(b"x" * 150))
    packed[place % len(packed)] ^= change
    with pytest.raises((SealBrokenError, VaultKeyError)):
        opened(bytes(packed))


@pytest.mark.parametrize("left", [0, 8, 31, 32, 33, 47, 48, 49, 32 + PIECE_BYTES, 32 + PIECE_BYTES + 16, -1, -17])
def test_nothing_can_be_cut_off(left: int) -> None:
    with pytest.raises(SealBrokenError):
        opened(sealed(b"x" * (PIECE_BYTES + 1))[:left])


def test_pieces_can_neither_be_left_out_nor_change_places_nor_be_added() -> None:
    packed = sealed(b"a" * PIECE_BYTES + b"b" * PIECE_BYTES + b"c")
    size = PIECE_BYTES + TAG_BYTES
    header, one, two, last = packed[:32], packed[32:][:size], packed[32 + size :][:size], packed[32 + 2 * size :]
    for changed in (one + last, two + one + last, one + two, one + two + last + last, one + two + two + last):
        with pytest.raises(SealBrokenError):
            opened(header + changed)


def test_another_key_is_named_and_not_tried() -> None:
    with pytest.raises(VaultKeyError, match=f"the key {ONE.id}, which is not in"):
        opened(sealed(b"x"), VaultKeys([TWO]))
    with pytest.raises(VaultKeyError, match="no key is set"):
        opened(sealed(b"x"), VaultKeys())
    assert opened(sealed(b"x"), VaultKeys([TWO, ONE])) == b"x"
