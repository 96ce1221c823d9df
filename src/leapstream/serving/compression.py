"""Compression of answers, for clients that ask for it."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace

from leapstream.serving.http import Request, Response
from leapstream.serving.scoring import TooLongForLoopError

# Smaller bodies would grow, or shrink by less than compressing costs.
_LEAST = 4096
# Compressing more takes too long in the event loop.
_MOST_IN_LOOP = 64 << 10
_LEVEL = 1
# gzip's header instead of zlib's.
_WINDOW = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_ACCEPTED = re.compile(r"\b(gzip|deflate)\b(?!\s*;\s*q\s*=\s*0(?:\.0*)?\s*(?:,|$))", re.IGNORECASE)


def compressed(request: Request, response: Response) -> Response:
    """The response, compressed if its body is large and the request accepts that.

    Raises:
        TooLongForLoopError: it would take too long for the event loop.
    """
    if len(response.body) < _LEAST or b"accept-encoding" not in request.headers:
        return response
    match = _ACCEPTED.search(request.header(b"accept-encoding"))
    if match is None:
        return response
    if request.in_loop and len(response.body) > _MOST_IN_LOOP:
        raise TooLongForLoopError
    encoding = match[1].lower()
    work = zlib.compressobj(_LEVEL, wbits=_WINDOW[encoding])
    body = work.compress(response.body) + work.flush()
    return replace(response, body=body, headers=(*response.headers, (b"content-encoding", encoding.encode())))
