import time

import pytest
import torch

from paraclap.speed import Meter, Readings


def test_rows_add_up_and_cover_the_steps_that_they_say() -> None:
    meter = Meter(torch.device("cpu"), peak_flops=1e9, every=3)
    for number in range(1, 9):
        with meter.counting("seconds"), meter.counting("waiting"):
            time.sleep(0.002)
        with meter.counting("seconds"):
            time.sleep(0.001)
        meter.step(number, pairs=4, flops=10.0)
    meter.close(8)
    meter.close(8)  # nothing is left: no row
    assert [row["step"] for row in meter.rows] == [3, 6, 8]
    assert [row["pairs"] for row in meter.rows] == [12, 12, 8]
    assert [row["flops"] for row in meter.rows] == [30, 30, 20]
    for row in meter.rows:
        assert 0.002 < row["waiting"] < row["seconds"]
        assert row["peak_memory"] > 1e6
        assert row["peak_flops"] == 1e9


@pytest.mark.parametrize("behind", [0, 3])
def test_values_are_read_in_order_and_none_is_lost(behind: int) -> None:
    readings = Readings(behind)
    read = []
    for step in range(10):
        readings.add(step, torch.tensor([float(step), 1.0]))
        read += readings.due()
        assert len(read) == max(0, step + 1 - behind)
    read += readings.due(all_of_them=True)
    assert read == [(step, [float(step), 1.0]) for step in range(10)]
