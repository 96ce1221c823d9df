"""Draws what ``leapstream demo`` prints, as README.md shows it: ``docs/images/demo.svg``."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "demo.svg"
COMMAND = "leapstream demo"


def main() -> None:
    leapstream = Path(sys.executable).with_name("leapstream")
    done = subprocess.run([leapstream, "demo"], capture_output=True, text=True, check=True)
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(f"[bold]$ {COMMAND}[/]")
    for line in done.stdout.splitlines():
        # The type of the third function is longer than the picture is wide.
        console.print(line if len(line) <= 116 else f"{line[:115]}…", markup=False, highlight=False)
    drawn = console.export_svg(title=COMMAND, theme=MONOKAI, unique_id="demo")
    # A picture asks no other host for a font.
    PICTURE.write_text(re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL), encoding="utf-8")
    print(PICTURE)


if __name__ == "__main__":
    main()
