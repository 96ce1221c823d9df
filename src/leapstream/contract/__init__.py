"""Contracts: a bundle with recorded frames, and the differences of a backend's answers from them.

A contract is a folder: ``bundle.zip`` or ``bundle/``, an ``input`` and an ``expected`` leap frame (``.json``, or ``.leap`` where
JSON cannot hold a value), and ``case.json``, whose keys are those of the cases that MLeap's own runtime recorded
(``tests/golden/README.md``).
"""

from leapstream.contract.answers import Answers, answers
from leapstream.contract.case import Contract, contracts
from leapstream.contract.comparing import ColumnReport, Report
from leapstream.contract.recording import record
from leapstream.contract.tolerance import Tolerance
from leapstream.contract.verifying import verify_folder, verify_frames

__all__ = [
    "Answers",
    "ColumnReport",
    "Contract",
    "Report",
    "Tolerance",
    "answers",
    "contracts",
    "record",
    "verify_folder",
    "verify_frames",
]
