"""`bench best`: the best configurations, as TOML or JSON."""

import tomllib
from pathlib import Path

from journals import cell, end, report, suggest, write
from test_export import HOSTILE, PLAIN, mnist, write_search

from bench.cell import PlugIn
from bench.export._source import Source
from bench.export.best import as_toml, best


def test_the_best_is_the_least_loss_that_was_reported_at_whichever_step(tmp_path: Path) -> None:
    cells = [mnist(seed=0), mnist("tpe", seed=1, gpus=2)]
    write_search(tmp_path, cells[0], least=0.25)
    write_search(tmp_path, cells[1], least=0.125)
    source = Source.of(tmp_path, cells)
    (found,) = best(source)
    assert found == {
        "objective": "mnist_cnn",
        "algorithm": "tpe",
        "virtual": False,
        "loss": 0.125,
        "accuracy": 0.75,
        "step": 2,
        "max_steps": 3,
        "cell": cells[1].key,
        "trial": 0,
        "seed": 1,
        "clock": "wall",
        "device": "cpu",
        "gpus": 2,
        "seconds": 2.0,
        "configuration": PLAIN,
    }
    each = best(source, by_algorithm=True)
    assert [(entry["algorithm"], entry["loss"]) for entry in each] == [
        ("tpe", 0.125),
        ("random", 0.25),
    ]


def test_a_virtual_best_is_never_shown_as_a_real_one(tmp_path: Path) -> None:
    cells = [mnist(), mnist(engine="virtual")]
    write_search(tmp_path, cells[0], least=0.25)
    write_search(tmp_path, cells[1], least=0.125, clock="virtual")
    found = tomllib.loads(as_toml(best(Source.of(tmp_path, cells))))
    (real,), (virtual,) = found["best"], found["virtual_best"]
    assert (real["loss"], real["virtual"], real["clock"]) == (0.25, False, "wall")
    assert (virtual["loss"], virtual["virtual"], virtual["clock"]) == (0.125, True, "virtual")
    assert "never trained" in virtual["note"]
    assert real["configuration"] == PLAIN


def test_text_of_a_strangers_journal_is_text_in_toml(tmp_path: Path) -> None:
    of = cell(objective=PlugIn('a"b\\'), budget=1)
    configuration = {'k"] \n[x': HOSTILE, "yes": True, "small": 1e-12, "none": None}
    events = [suggest(0, configuration=configuration), report(0, 1.0, 0.5), end(1.0)]
    write(tmp_path, of, events)
    (found,) = tomllib.loads(as_toml(best(Source.of(tmp_path, [of]))))["best"]
    assert found["objective"] == 'a"b\\'
    assert found["configuration"] == {
        'k"] [x': "=1+1 <script>alert(1)</script> [31m",
        "yes": True,
        "small": 1e-12,
    }
