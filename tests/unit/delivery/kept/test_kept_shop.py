"""Promises on the real orders of an online marketplace, replayed day by day."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bench.delivery.kept import LEAST, by_window, judge, of_all, of_delivered, read
from driveaway.delivery.kept.calibration import Method, replay
from tests.surroundings import MACHINE


def test_nine_of_ten_are_kept_and_no_month_is_under_eight() -> None:
    bench = MACHINE.get("DRIVEAWAY_BENCH") or os.environ.get("DRIVEAWAY_BENCH")
    if not bench:
        pytest.skip("DRIVEAWAY_BENCH does not name the folder of real data sets")
    shop = read(Path(bench) / "delivery" / "olist")
    assert len(shop.month) == 5164
    promised = replay(shop.history, Method()).wait
    total, months = judge(shop, promised)
    assert total.promises == np.isfinite(promised).sum() == 5132  # all but the first weeks
    assert total.share is not None
    assert 0.89 <= total.share <= 0.92
    assert [part.cohort for part in months] == [
        f"{year}-{month:02}"
        for year, month in [(2017, m) for m in range(2, 13)] + [(2018, m) for m in range(1, 9)]
    ]
    assert min(part.promises for part in months) >= LEAST
    assert min(part.share or 0 for part in months) >= 0.8
    # Not bought with long dates: less loss, and more kept, than learning from a plain window,
    assert total.wait is not None
    assert total.pinball is not None
    for bound in (of_delivered, of_all):
        plain, plain_months = judge(shop, by_window(shop, bound, False))
        assert plain.share is not None
        assert plain.pinball is not None
        assert plain.share < 0.89
        assert min(part.share or 0 for part in plain_months) < 0.8
        assert total.pinball < plain.pinball
    # and shorter dates than the shop's own.
    own, _ = judge(shop, shop.own - shop.history.started)
    assert own.wait is not None
    assert own.pinball is not None
    assert total.wait < own.wait
    assert total.pinball < own.pinball
