"""What speech costs follows from rates by arithmetic, and rates are what a clock has measured."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paraclap import features, hardware, levels, scaling, stopwatch, tables, throughput
from paraclap.machine import Machine
from paraclap.model import ParaCLAP
from paraclap.scaling import Stage

STAGES = [
    Stage("audio store", "core", 2000.0),
    Stage("features", "core", 50.0),
    Stage("queries", "core", 100_000.0, most=1),
    Stage("training", "GPU", 5000.0, passes=50),
    Stage("scoring", "GPU", 10_000.0),
]
CORE = {"audio store": 2000.0, "features": 50.0, "queries": 20_000.0}
GPU = hardware.Gpu(1000.0, 10_000.0, ("measured on a GPU", "assumed"), ("", ""))


# --- the model, reckoned by hand ---------------------------------------------------------------


def test_ten_thousand_hours_cost_what_a_hand_reckons():
    table = scaling.costs(STAGES, [10_000], cores=10, gpus=4)
    assert table["device_hours"].tolist() == [5.0, 200.0, 0.1, 100.0, 1.0]
    assert table["wall_hours"].tolist() == [0.5, 20.0, 0.1, 25.0, 0.25]
    assert table["devices"].tolist() == [10, 10, 1, 4, 4]


def test_a_hundred_times_the_speech_costs_a_hundred_times_as_much():
    table = scaling.costs(STAGES, [100, 10_000], cores=3, gpus=2)
    few, many = (table[table["hours"] == hours]["wall_hours"].to_numpy() for hours in (100, 10_000))
    assert many == pytest.approx(100 * few)


def test_twice_the_cores_halve_what_cores_do_and_nothing_else():
    few = scaling.costs(STAGES, [500], cores=8, gpus=2)
    many = scaling.costs(STAGES, [500], cores=16, gpus=2)
    gain = (few["wall_hours"] / many["wall_hours"]).tolist()
    assert gain == pytest.approx([2, 2, 1, 1, 1])
    assert few["device_hours"].tolist() == many["device_hours"].tolist()


def test_hours_may_be_given_once_and_read_once():
    assert len(scaling.costs(STAGES, iter([1.0, 2.0]), 1, 1)) == 2 * len(STAGES)


@pytest.mark.parametrize(
    ("stages", "hours", "cores", "told"),
    [
        (STAGES, [0.0], 1, "hours of speech: 0"),
        (STAGES, [1.0], 0, "core: 0"),
        ([Stage("features", "core", 0.0)], [1.0], 1, "rate of 'features': 0"),
        ([Stage("features", "core", float("nan"))], [1.0], 1, "rate of 'features': nan"),
        ([Stage("features", "core", 1.0, passes=-1)], [1.0], 1, "passes of 'features'"),
        ([Stage("features", "TPU", 1.0)], [1.0], 1, "device 'TPU' of 'features'"),
    ],
)
def test_what_cannot_be_reckoned_is_refused_by_name(stages, hours, cores, told):
    with pytest.raises(ValueError, match=told):
        scaling.costs(stages, hours, cores, gpus=1)


def test_totals_keep_cores_and_gpus_apart():
    (row,) = scaling.totals(scaling.costs(STAGES, [10_000], 10, 4)).to_dict("records")
    assert row["core_hours"] == pytest.approx(205.1)
    assert row["gpu_hours"] == 101.0
    assert row["wall_hours"] == pytest.approx(45.85)


def test_the_bottleneck_is_the_longest_step_and_its_lead_the_way_to_the_next():
    found = scaling.bottlenecks(STAGES, 10_000, [(10, 4), (10, 5), (10, 8)])
    first, second, third = found.to_dict("records")
    assert (first["slowest"], first["next"]) == ("training", "features")
    assert first["wall_hours"] == pytest.approx(45.85)
    assert first["share"] == pytest.approx(25 / 45.85)
    assert first["lead"] == pytest.approx(1.25)
    assert second["lead"] == pytest.approx(1.0)  # with 1.25 times as many GPUs
    assert (third["slowest"], third["next"]) == ("features", "training")


def test_an_hour_of_speech_takes_115_megabytes_of_the_store():
    assert scaling.STORE == 115_200_000
    table = scaling.storage({"store": scaling.STORE}, {"checkpoint": 3e9}, [1, 10_000])
    assert table["gigabytes"].tolist() == pytest.approx([0.1152, 3.0, 1152.0, 3.0])


def test_feeding_counts_crops_bytes_and_cores():
    assert scaling.feeding(1000, 8, 5.0, 2000) == (8000, 1280.0, 4.0)
    with pytest.raises(ValueError, match="crops per core: 0"):
        scaling.feeding(1000, 8, 5.0, 0)


def test_the_pipeline_turns_pairs_and_rows_into_hours_of_speech():
    stages = {s.name: s for s in scaling.pipeline(CORE, GPU, 6.0, 50, together=0.5)}
    assert list(stages) == ["audio store", "features", "queries", "training", "scoring"]
    assert stages["queries"] == Stage("queries", "core", 120_000.0, most=1)
    assert stages["training"] == Stage("training", "GPU", 3000.0, passes=50)
    # By another way: voices x passes over pairs a second.
    table = scaling.costs(list(stages.values()), [10_000], cores=1, gpus=2)
    voices = 10_000 * 3600 / 6
    wall = table.set_index("stage")["wall_hours"]["training"]
    assert wall == pytest.approx(voices * 50 / (2 * 1000 * 0.5) / 3600)


def test_every_rate_says_how_it_is_known():
    rows = scaling.sources(scaling.pipeline(CORE, GPU, 6.0, 50, 1.0), GPU)
    known = [row[3] for row in rows]
    assert known == ["measured above"] * 3 + ["measured on a GPU", "assumed"]


# --- what devices do ---------------------------------------------------------------------------


def test_the_papers_model_asks_for_what_its_layers_add_up_to():
    found = hardware.operations(5.0, 6.0, 32)
    assert found.dimension == 768
    assert 2.7e8 < found.weights < 2.8e8  # 165 million for voices, 110 for texts, and heads
    assert 0.30e12 < found.pair < 0.38e12
    assert [row[1] for row in hardware.counted(found)] == pytest.approx(
        [found.weights / 1e6, found.pair / 1e12, found.second / 1e9]
    )
    # Twice a weight and frame: the 12 layers alone, of 12 x 1024^2 weights, at 49 frames a second
    assert found.second > 2 * 49 * 12 * 12 * 1024**2


def test_a_share_of_a_devices_speed_gives_a_rate():
    assert hardware.rate_of(operations=0.4e12, tera=400, share=0.5) == pytest.approx(500)
    with pytest.raises(ValueError, match=r"share of 1\.5"):
        hardware.rate_of(1e12, 400, 1.5)


def test_without_a_benchmark_the_speed_is_assumed_and_said_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    page = {
        "device": "a GPU",
        "date": "2026-01-01",
        "model": "full size",
        "ways": {
            "released": {"hours_per_hour": 9000},
            "ours, float32": {"hours_per_hour": 4000},
            "ours, bf16": {"hours_per_hour": 5000},
        },
    }
    (tmp_path / "scoring.json").write_text(json.dumps(page))
    gpu = hardware.gpu_speeds("training.json", "scoring.json", 300.0, 900.0)
    assert (gpu.pairs, gpu.spoken) == (300.0, 5000.0)
    assert gpu.known == ("assumed", "measured on a GPU, 2026-01-01")
    assert "python -m benchmarks.training" in gpu.told[0]
    assert "are assumed" in gpu.told[0]


@pytest.mark.parametrize(
    "page",
    [{"model": "tiny", "pairs_per_second": 3}, {"model": "full size", "pairs_per_second": None}],
    ids=["tiny", "none"],
)
def test_a_benchmark_of_another_model_or_of_nothing_is_refused(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    (tmp_path / "training.json").write_text(json.dumps(page))
    with pytest.raises(ValueError, match="expected a number, of 'full size'"):
        hardware.gpu_speeds("training.json", "scoring.json", 300.0, 900.0)


def test_training_tells_how_busy_it_was(tmp_path):
    assert "no speed.csv" in hardware.told(hardware.speed_of(tmp_path))[0]
    speed = pd.DataFrame(
        {
            "step": [20, 40, 60],
            "pairs": [100, 100, 100],
            "seconds": [9.0, 3.0, 1.0],
            "waiting": [9.0, 0.5, 0.5],
            "flops": [0.0, 1e9, 1e9],
            "peak_flops": [1e9, 1e9, 1e9],
            "peak_memory": [1e9, 1e9, 2e9],
        }
    )
    tables.write_table(speed, tmp_path / "speed.csv")
    told = " ".join(hardware.told(hardware.speed_of(tmp_path)))
    assert "25.0 % of the time" in told
    assert "50.0 % of 1 GFLOP/s" in told
    assert "2.00 GB" in told


def test_this_machine_has_a_processor_and_cores():
    facts = hardware.here()["this machine"]
    assert int(facts["cores"]) >= 1
    assert facts["processor"]


# --- the clock ---------------------------------------------------------------------------------


def test_a_step_of_known_speed_is_measured_as_such():
    def sleep(count: int, _: Path) -> None:
        time.sleep(0.002 * count)

    row = stopwatch.Watch(0.1, 3).measure("sleep", "rows/s", sleep, np.full(1000, 0.5))
    assert set(row) == set(stopwatch.COLUMNS)
    assert row["rate"] == pytest.approx(500, rel=0.5)
    assert row["real_time"] == pytest.approx(row["rate"] * 0.5)
    assert row["low"] <= row["rate"] <= row["high"]
    assert row["amount"] == pytest.approx(row["rate"] * row["seconds"])
    assert 10 <= row["amount"] <= 100  # of a tenth of a second, not of all there is


def test_a_rate_in_hours_is_a_multiple_of_real_time():
    row = stopwatch.Watch(0.02, 1).measure(
        "sleep", stopwatch.HOURS, lambda count, _: time.sleep(0.01), np.full(4, 9.0)
    )
    assert row["amount"] == pytest.approx(36 / 3600)
    assert row["rate"] == pytest.approx(row["real_time"])


def test_each_pass_has_an_empty_folder_and_nothing_is_left(tmp_path):
    seen = []

    def work(count: int, folder: Path) -> None:
        assert not list(folder.iterdir())
        (folder / "x").write_text("x")
        seen.append((folder, count))

    stopwatch.Watch(1.0, 2, tmp_path).measure("x", "rows/s", work, np.ones(10))
    assert len({folder for folder, _ in seen}) == len(seen)
    assert not list(tmp_path.iterdir())
    # To warm up, to find the pace, and as many as there are: more do not make it longer.
    assert [count for _, count in seen] == [8, 8, 10, 10]


def test_a_step_with_a_price_of_its_own_is_measured_on_many_items():
    def sleep(count: int, _: Path) -> None:
        time.sleep(0.05 + 0.0001 * count)

    row = stopwatch.Watch(0.4, 1).measure("sleep", "rows/s", sleep, np.ones(100_000))
    assert row["amount"] > 1000  # the first look promised 64


@pytest.mark.parametrize("given", [(0.0, 3), (1.0, 0)])
def test_a_measurement_of_nothing_is_refused(given):
    with pytest.raises(ValueError, match="Bad measurement"):
        stopwatch.Watch(*given)


def test_a_sample_is_mixed_the_same_for_a_seed_and_has_no_voice_twice(voices):
    few = throughput.sample(voices, seed=1, most=20)
    assert len(few) == few.nunique() == 20
    assert few.equals(throughput.sample(voices, seed=1, most=20))
    assert not few.equals(throughput.sample(voices, seed=2, most=20))
    assert len(throughput.sample(voices)) == len(voices)


def test_efficiency_is_the_speedup_over_the_processes():
    rows = [
        {"stage": "features", "cores": 1, "rate": 50.0},
        {"stage": "features", "cores": 4, "rate": 180.0},
        {"stage": "queries", "cores": 1, "rate": 1.0},
        {"stage": "scoring", "cores": 4, "rate": 7.0},
    ]
    table = stopwatch.efficiency(pd.DataFrame(rows))
    assert table["stage"].tolist() == ["features", "features"]
    assert table["speedup"].tolist() == [1.0, 3.6]
    assert table["efficiency"].tolist() == [1.0, 0.9]
    assert stopwatch.per_core(pd.DataFrame(rows)) == {
        "features": 45.0,
        "queries": 1.0,
        "scoring": 1.75,
    }


def test_training_counts_as_it_wrote_down_without_its_first_window():
    speed = pd.DataFrame({"pairs": [100] * 4, "seconds": [9.0, 2.0, 1.0, 4.0]})
    row = throughput.trained(speed, 2.0, Machine(device="cpu", jobs=2))
    assert (row["rate"], row["low"], row["high"], row["repeats"]) == (50, 25, 100, 3)
    assert row["real_time"] == 100


# --- real voices -------------------------------------------------------------------------------


@pytest.fixture
def watch(tmp_path: Path) -> stopwatch.Watch:
    return stopwatch.Watch(0.05, 2, tmp_path)


def test_every_step_can_be_measured_and_kept(voices, model: ParaCLAP, watch, tmp_path):
    index = throughput.sample(voices, most=24)
    speech = throughput.lengths(index)
    ends = voices.loc[index].index.get_level_values("end")
    assert speech == pytest.approx(ends.total_seconds())
    measured = features.extract(index, tmp_path / "run" / "features.parquet", jobs=1)
    table = measured.join(voices)
    edges = levels.fit(table)
    rows = [
        throughput.decoding(index, speech, watch),
        throughput.measuring(index, speech, watch),
        throughput.describing(table.loc[index], speech, edges, watch),
        throughput.cropping(index, None, 0.4, watch),
    ]
    with throughput.stored(index, tmp_path) as store:
        rows.append(throughput.cropping(index, store, 0.4, watch))
    rows.append(throughput.scoring(model, index, speech, watch))
    found = stopwatch.table(rows)
    assert list(found) == stopwatch.COLUMNS
    assert found["stage"].is_unique
    assert (found[["rate", "low", "high", "real_time", "seconds"]] > 0).all(axis=None)
    assert (found["low"] <= found["high"]).all()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    throughput.write(found, tmp_path / "run")
    again = tables.read_table(tmp_path / "run" / "throughput.csv")
    pd.testing.assert_frame_equal(again, found, check_dtype=False)


def test_measurements_are_silent(voices, watch, capfd):
    index = throughput.sample(voices, most=8)
    throughput.measuring(index, throughput.lengths(index), watch)
    assert capfd.readouterr() == ("", "")


def test_bytes_per_voice_are_those_of_the_files(tmp_path):
    for name, rows in (("features", 10), ("queries", 5)):
        tables.write_table(pd.DataFrame({"x": range(rows)}), tmp_path / f"{name}.parquet")
    found = hardware.bytes_per_voice(tmp_path)
    size = (tmp_path / "queries.parquet").stat().st_size
    assert found["queries"] == size / 5
    assert list(found) == ["features", "queries"]
