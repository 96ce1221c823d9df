"""The files of the page at ``/``: one each of HTML, CSS and JavaScript, without a build step and without any other source."""

from pathlib import Path

FILES = {
    "index.html": b"text/html; charset=utf-8",
    "page.css": b"text/css; charset=utf-8",
    "page.js": b"text/javascript; charset=utf-8",
}
"""The media type of each file."""


def read(name: str) -> bytes:
    """The contents of a file."""
    return (Path(__file__).parent / name).read_bytes()
