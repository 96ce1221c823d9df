from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from leapstream.serving.compression import compressed
from leapstream.serving.http import Request, Response
from leapstream.serving.scoring import TooLongForLoopError

BODY = b"0123456789" * 1000


def request(accepted: str | None, *, in_loop: bool = True) -> Request:
    headers = {} if accepted is None else {b"accept-encoding": accepted.encode()}
    return Request("GET", "/", b"", headers, b"", "id", 1e9, in_loop)


@pytest.mark.parametrize(
    ("accepted", "encoding", "decompress"),
    [
        ("gzip", b"gzip", gzip.decompress),
        ("br, GZIP;q=0.5", b"gzip", gzip.decompress),
        ("deflate, gzip", b"deflate", zlib.decompress),
        ("gzip;q=0, deflate", b"deflate", zlib.decompress),
    ],
)
def test_a_large_body_is_compressed_if_the_client_wants_it(
    accepted: str, encoding: bytes, decompress: Callable[[bytes], bytes]
) -> None:
    response = compressed(request(accepted), Response(BODY, headers=((b"a", b"b"),)))
    assert response.headers == ((b"a", b"b"), (b"content-encoding", encoding))
    assert decompress(response.body) == BODY


@pytest.mark.parametrize("accepted", [None, "", "br", "identity", "gzip;q=0", "gzip; q=0.0"])
def test_a_body_stays_as_it_is_if_the_client_does_not_want_it(accepted: str | None) -> None:
    response = Response(BODY)
    assert compressed(request(accepted), response) is response


def test_a_small_body_stays_as_it_is() -> None:
    response = Response(b"x" * 1000)
    assert compressed(request("gzip"), response) is response


def test_a_very_large_body_is_compressed_in_a_thread() -> None:
    with pytest.raises(TooLongForLoopError):
        compressed(request("gzip"), Response(BODY * 20))
    assert gzip.decompress(compressed(request("gzip", in_loop=False), Response(BODY * 20)).body) == BODY * 20
