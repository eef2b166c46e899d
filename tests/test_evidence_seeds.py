"""Claims about seeds: values worked by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.evidence import seeds


def table(values, system="x"):
    return pd.DataFrame(
        {"system": system, "task": "one", "seed": range(len(values)), "uar": values}
    )


def test_three_seeds_of_hand():
    row = seeds.over_seeds(table([0.4, 0.5, 0.6])).iloc[0]
    assert (row["seeds"], row["min"], row["max"]) == (3, 0.4, 0.6)
    assert (row["mean"], row["std"]) == pytest.approx((0.5, 0.1))
    # Student's 97.5 % quantile with two degrees of freedom is 4.3027
    reach = 4.3027 * 0.1 / np.sqrt(3)
    assert (row["seeds_low"], row["seeds_high"]) == pytest.approx(
        (0.5 - reach, 0.5 + reach), abs=1e-4
    )


def test_one_seed_has_no_spread():
    row = seeds.over_seeds(table([0.4])).iloc[0]
    assert row["mean"] == 0.4
    assert np.isnan(row[["std", "seeds_low", "seeds_high"]].to_numpy(float)).all()


def test_systems_are_kept_apart_in_their_order():
    both = pd.concat([table([0.4, 0.6], "z"), table([0.1, 0.2], "a")])
    found = seeds.over_seeds(both)
    assert found["system"].tolist() == ["z", "a"]
    assert found["mean"].tolist() == pytest.approx([0.5, 0.15])


def test_no_scores_give_no_rows():
    assert seeds.over_seeds(table([])).empty


def test_the_interval_over_voices_stands_beside():
    found = seeds.over_seeds(table([0.4, 0.6]))
    over = pd.DataFrame(
        {"system": ["x"], "task": "one", "unit": "speakers", "uar_low": 0.3, "uar_high": 0.7}
    )
    row = seeds.beside_bootstrap(found, over).iloc[0]
    assert (row["uar_low"], row["uar_high"], row["unit"], row["mean"]) == (
        0.3,
        0.7,
        "speakers",
        0.5,
    )
    with pytest.raises(ValueError, match="No bootstrap interval"):
        seeds.beside_bootstrap(found, over.assign(system="y"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="seed"), "No column .*seed"),
        (lambda t: pd.concat([t, t]), "Seeds come twice"),
        (lambda t: t.assign(uar=np.nan), "No uar for"),
    ],
)
def test_bad_scores_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        seeds.over_seeds(change(table([0.4, 0.6])))
