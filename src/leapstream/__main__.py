"""``python -m leapstream`` is the command ``leapstream``."""

from leapstream.cli import main

if __name__ == "__main__":
    main()
