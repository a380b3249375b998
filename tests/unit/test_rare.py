import json
from pathlib import Path

import numpy as np
import pytest
from rare import venue

from stress.cli import main
from stress.rare import Law, _shares, importance, mixture_weights
from stress.scenario import Scenario, ScenarioError
from stress.summary import summarize_weighted

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = str(CONFIGS / "tiny.toml")


def test_weights_of_a_mixture_are_the_models_density_over_the_mixtures():
    # Densities 1, 4 and shares 1/4, 3/4: 1 / (1/4 + 3) = 4/13; and 1 / (1/4 + 3/16) = 16/7.
    density = np.log([[1.0, 1.0], [4.0, 0.25]])
    assert mixture_weights(density, np.array([0.25, 0.75])) == pytest.approx([4 / 13, 16 / 7])


def test_no_weight_exceeds_the_inverse_of_the_defensive_share():
    density = np.random.default_rng(1).normal(0, 200, (3, 1_000))
    assert mixture_weights(density, np.array([0.2, 0.4, 0.4])).max() <= 5.0


def test_laws_are_drawn_from_evenly_and_by_the_part_of_the_losses_that_each_is_for():
    # A fifth is the model's; of the rest half goes to the last stage: to two laws, for 3/4 and 1/4 of the losses,
    # 0.4 x (1/4 + 3/8) and 0.4 x (1/4 + 1/8).
    law, three, one = (Law({}, np.empty(0), part) for part in (1.0, 0.75, 0.25))
    assert _shares([law], [three, one]) == pytest.approx([0.2, 0.4, 0.25, 0.15])
    assert _shares([], [three, one]) == pytest.approx([0.2, 0.5, 0.3])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run.n_paths": 1_000, "run.redraw_every": 300}, "needs whole blocks"),
        ({"run.n_paths": 1_000, "run.redraw_every": 10}, "of at least 20"),
    ],
)
def test_designs_that_cannot_be_weighted_are_refused(changes, said):
    with pytest.raises(ScenarioError, match=said):
        importance(Scenario.load(TINY).with_(**changes))


def test_several_symbols_are_refused_by_name():
    with pytest.raises(ScenarioError, match="use --method crude"):
        importance(Scenario.load(CONFIGS / "cross_margin.toml"))


def test_a_weighted_run_is_saved_shown_and_checked(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--paths", "4000", "--set", "run.redraw_every=40", "--set", "fund.initial_usd=6e5"]
    code = main(["run", TINY, "--method", "importance", "--no-progress", "--out", str(out), *words])
    assert code == 0
    found = json.loads((out / "summary.json").read_text())
    assert found["schema"] == "fundstress.weighted/1"
    assert found["weights_agree"]
    assert found["ruin"]["effective"] >= 100
    capsys.readouterr()
    assert main(["show", str(out)]) == 0
    assert "importance sampling" in capsys.readouterr().out
    assert main(["check", str(out), "--require", "0.9"]) == 0
    assert "met" in capsys.readouterr().out


def test_a_pilot_keeps_the_side_that_has_ruined_less():
    # Under this seed a stage of counted paths sees 29 losses with falls among 77; without their law the run has 12
    # effective paths.
    size = {"run.n_paths": 4_000, "run.redraw_every": 40, "run.seed": 204, "fund.initial_usd": 192_289.0}
    found = importance(venue(**size, **{"reserve.levels": (0.5,)}))
    assert [len(stage.laws) for stage in found.stages] == [2, 2]
    assert summarize_weighted(found.outcomes, levels=(0.5,)).ruin.effective > 100


def test_what_does_not_go_with_weights_is_one_line(capsys):
    assert main(["run", TINY, "--method", "importance", "--ledger"]) == 2
    assert "neither --resume nor --ledger" in capsys.readouterr().err
