from __future__ import annotations

from decimal import Decimal

import pyarrow as pa

from leapstream.frames.columnar import plain_arrow


def test_decimals_are_the_nearest_doubles() -> None:
    numbers = [Decimal(cents).scaleb(-2) for cents in range(-1000, 1000)] + [Decimal("1e-18"), Decimal(10**19), None]
    nearest = [None if number is None else float(number) for number in numbers]
    for kind in (pa.decimal128(38, 18), pa.decimal256(76, 18)):
        assert plain_arrow(pa.array(numbers, kind)).to_pylist() == nearest
    assert plain_arrow(pa.array([numbers], pa.list_(pa.decimal128(38, 18)))).to_pylist() == [nearest]
