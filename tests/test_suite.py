"""Suites: planning is pure, its order stable; whatever is wrong is one line that says where."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PLUGINS, WriteSuite

from bench import plugins, suite
from bench.errors import UserError
from bench.results import cannot_run
from bench.tables import plan_table

GOOD = """
budget = 2
seeds = 2
gpus = [1, 2]
[[objectives]]
name = "mnist_cnn"
[[algorithms]]
name = "random"
[[algorithms]]
name = "asha"
reduction_factor = 4
"""


def plan(tmp_path: Path, text: str) -> list:
    path = tmp_path / "suite.toml"
    path.write_text(text)
    loaded = suite.load(path)
    return suite.plan(path, loaded.gpus or [1], "cpu")


def test_lists_multiply_into_cells_with_whole_seeds_first(tmp_path: Path) -> None:
    cells = plan(tmp_path, GOOD)
    assert [(c.gpus, c.seed, c.algorithm.name) for c in cells] == [
        (1, 0, "random"),
        (1, 0, "asha"),
        (1, 1, "random"),
        (1, 1, "asha"),
        (2, 0, "random"),
        (2, 0, "asha"),
        (2, 1, "random"),
        (2, 1, "asha"),
    ]
    assert plan(tmp_path, GOOD) == cells


def test_gpus_of_a_trial_are_an_axis_and_each_seed_has_all_of_them(tmp_path: Path) -> None:
    cells = plan(tmp_path, "gpus_per_trial = [1, 0.5, 2]\n" + GOOD)
    assert [(c.gpus, c.seed, c.gpus_per_trial) for c in cells[::2]] == [
        (1, 0, 1),
        (1, 0, 0.5),
        (1, 0, 2),
        (1, 1, 1),
        (1, 1, 0.5),
        (1, 1, 2),
        (2, 0, 1),
        (2, 0, 0.5),
        (2, 0, 2),
        (2, 1, 1),
        (2, 1, 0.5),
        (2, 1, 2),
    ]
    assert len({cell.key for cell in cells}) == len(cells) == 24


def test_one_share_is_the_same_cell_alone_in_a_list_or_left_out(tmp_path: Path) -> None:
    keys = [
        [cell.key for cell in plan(tmp_path, f"{said}\n{GOOD}")]
        for said in ("", "gpus_per_trial = 1", "gpus_per_trial = [1.0]")
    ]
    assert keys[0] == keys[1] == keys[2]
    assert keys[0][0] == "mnist_cnn-random-ray-cpu-g1-s0-b2-1dfdef3d69"


def test_a_trial_that_takes_more_gpus_than_there_are_is_skipped_and_the_plan_says_so(
    tmp_path: Path,
) -> None:
    cells = plan(tmp_path, "gpus_per_trial = [0.5, 2]\n" + GOOD)
    too_large = [cell for cell in cells if cell.slots < 1]
    assert {(cell.gpus, cell.gpus_per_trial) for cell in too_large} == {(1, 2)}
    assert {cannot_run(cell) for cell in too_large} == {
        "gpus_per_trial = 2 is more than the cell's 1"
    }
    shown = plan_table(cells)
    assert "4 of the cells have fewer cores than a trial takes: skipped" in shown
    assert "trials share cores: fractions of cores, not of GPUs" in shown
    assert "share" not in plan_table(plan(tmp_path, GOOD))


def test_every_default_is_resolved_in_the_cell(tmp_path: Path) -> None:
    asha = plan(tmp_path, GOOD)[1].algorithm
    assert asha.options == {"reduction_factor": 4, "grace_period": 1}
    explicit = GOOD.replace("reduction_factor = 4", "reduction_factor = 4\ngrace_period = 1")
    assert [c.key for c in plan(tmp_path, explicit)] == [c.key for c in plan(tmp_path, GOOD)]


def test_a_users_file_is_a_plugin_like_any_other(write_suite: WriteSuite) -> None:
    path = write_suite(["random", {"path": str(PLUGINS / "pausing.py")}], [{"max_steps": 6}])
    cells = suite.plan(path, [1], "cpu")
    assert [cell.algorithm.name for cell in cells] == ["random", "pausing"]
    assert cells[0].objective.name == "toy" and cells[0].max_steps == 6


def test_an_edited_plugin_makes_other_cells(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    text = GOOD.replace('name = "mnist_cnn"', 'path = "mine.py"')
    source = (PLUGINS / "toy.py").read_text()
    keys = []
    for addition in ("", "\n# edited"):
        mine.write_text(source + addition)
        keys.append(plan(tmp_path, text)[0].key)
    assert keys[0] != keys[1]


def test_an_edited_plugin_is_not_run_under_the_old_name(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text((PLUGINS / "toy.py").read_text())
    cell = plan(tmp_path, GOOD.replace('name = "mnist_cnn"', 'path = "mine.py"'))[0]
    mine.write_text(mine.read_text() + "\n# edited")
    with pytest.raises(UserError, match="has changed since the plan"):
        plugins.make("objectives", cell.objective)


def test_planning_imports_neither_torch_nor_ray(write_suite: WriteSuite) -> None:
    path = write_suite(["random", "tpe", "asha"])
    code = (
        "import sys; from pathlib import Path; from bench import suite, report, cli;"
        f"suite.plan(Path({str(path)!r}), [1, 2], 'cpu');"
        "print({'torch', 'ray', 'ConfigSpace'} & set(sys.modules))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert printed.stdout.strip() == "set()", printed


@pytest.mark.parametrize("engine", ["ray", "optuna"])
def test_several_gpus_per_trial_are_for_objectives_that_processes_can_share(
    tmp_path: Path, engine: str
) -> None:
    text = GOOD.replace("seeds = 2", f'seeds = 2\ngpus_per_trial = 2\nengines = ["{engine}"]')
    assert plan(tmp_path, text)[0].ranks == 2
    with pytest.raises(UserError) as caught:
        plan(tmp_path, text.replace("mnist_cnn", "tiny_t5"))
    assert str(caught.value) == (
        f"{tmp_path}/suite.toml: engine {engine}, tiny_t5, gpus_per_trial = 2: a training "
        "of it is one process's; legal: at most 1, or an objective that has train_part, as "
        "mnist_cnn has"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("budget = 2", "budget = 0"), "budget: input should be greater than or equal to 1, not 0"),
        (("budget = 2", "budget = 2.5"), "budget: input should be a valid integer, not 2.5"),
        (("budget = 2", 'budget = "2"'), "budget: input should be a valid integer, not '2'"),
        (("budget = 2", ""), "budget: field required"),
        (("budget = 2", "budget = 2\nbugdet = 3"), "bugdet: unknown key; legal: algorithms, bud"),
        (("seeds = 2", "seeds = []"), "seeds: list should have at least 1 item"),
        (("seeds = 2", "seeds = [-1]"), "seeds[0]: input should be greater than or equal to 0"),
        (("seeds = 2", "seeds = [3, 3]"), "comes twice"),
        (("seeds = 2", "seeds = 0"), "seeds: give how many, e.g. 3, or which, e.g. [0, 1"),
        (("gpus = [1, 2]", "gpus = []"), "gpus: list should have at least 1 item"),
        (("gpus = [1, 2]", "gpus = [0]"), "gpus[0]: input should be greater than or equal to 1"),
        (('name = "mnist_cnn"', 'name = "mnits_cnn"'), "objectives[0]: unknown objective 'mnits_"),
        (('name = "random"', 'name = "rnadom"'), "unknown algorithm 'rnadom'; legal: asha, "),
        (('name = "random"', 'name = "_random"'), "algorithms[0]: unknown algorithm '_random'"),
        (('name = "random"', ""), "algorithms[0]: give either name or path"),
        (('name = "random"', 'name = "asha"\nreduction_factor = 4'), "comes twice"),
        (
            ("reduction_factor = 4", "reduction_facter = 4"),
            "algorithms[1] (asha).reduction_facter: unknown key; legal: grace_period, reduction_f",
        ),
        (
            ("reduction_factor = 4", "reduction_factor = 1"),
            "algorithms[1] (asha).reduction_factor: input should be greater than or equal to 2",
        ),
        (('name = "random"', 'path = "none.py"'), "none.py: No such file or directory"),
        (("seeds = 2", 'seeds = 2\nengines = ["slurm"]'), "unknown engine 'slurm'; legal: "),
        (
            ("seeds = 2", "seeds = 2\ngpus_per_trial = 0"),
            "gpus_per_trial: legal: 0.0001 to 1, a wh",
        ),
        (
            ("seeds = 2", "seeds = 2\ngpus_per_trial = 1.5"),
            "a whole number, or a list of such, not 1.",
        ),
        (("seeds = 2", "seeds = 2\ngpus_per_trial = [1, 1.5]"), "list of such, not [1, 1.5]"),
        (("seeds = 2", "seeds = 2\ngpus_per_trial = []"), "gpus_per_trial: list should have at"),
        (("seeds = 2", "seeds = 2\ngpus_per_trial = [1, 1.0]"), "GPUs of a trial or seed"),
        (("seeds = 2", "seeds = 2\ngpus_per_trial = true"), "a whole number, or a list of such"),
        (
            ("seeds = 2", 'seeds = 2\nengines = ["virtual"]\ngpus_per_trial = [1, 0.5]'),
            "gpus_per_trial = 0.5: curves are recorded of trainings with one GPU",
        ),
        (
            ("seeds = 2", 'seeds = 2\nengines = ["virtual"]\ngpus_per_trial = 2'),
            "gpus_per_trial = 2: curves are recorded of trainings with one GPU",
        ),
        (("seeds = 2", "seeds = 2\nmax_seconds = inf"), "max_seconds: input should be a finite nu"),
        (
            ("reduction_factor = 4", 'reduction_factor = "4"'),
            "algorithms[1] (asha).reduction_factor: input should be a valid integer, not '4'",
        ),
        (
            ('name = "mnist_cnn"', 'name = "mnist_cnn"\ntrain_images = 500.0'),
            "objectives[0] (mnist_cnn).train_images: input should be a valid integer, not 500.0",
        ),
        (
            ("reduction_factor = 4", "grace_period = 20"),
            "(asha) on mnist_cnn: grace_period = 20 is more than a full training's 9 steps",
        ),
        (
            ('name = "random"', 'name = "tpe"\nmultivariate = false'),
            "algorithms[0] (tpe): group needs multivariate: set group = false too",
        ),
        (("seeds = 2", "seeds = = 2"), "not TOML: Invalid value (at line 3"),
    ],
    ids=lambda case: case[1][:30] if isinstance(case, tuple) else "",
)
def test_a_mistake_is_one_line_with_its_place_and_what_is_legal(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(UserError) as caught:
        plan(tmp_path, GOOD.replace(*change))
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}/suite.toml: ") and message in text and "\n" not in text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = (", "cannot be imported: SyntaxError"),
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        ("x = 1", "must define exactly one class of kind Algorithm"),
    ],
)
def test_a_broken_plugin_file_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(source)
    with pytest.raises(UserError, match=message):
        plan(tmp_path, GOOD.replace('name = "random"', 'path = "mine.py"'))


def test_gpu_counts_double() -> None:
    assert [suite.doubling(most) for most in (1, 2, 3, 8)] == [[1], [1, 2], [1, 2], [1, 2, 4, 8]]


def test_the_shipped_suites_plan(bench: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    for name in suite.names():
        printed = bench("plan", name, "--gpus", 4, "--device", "cuda", "--json")
        assert printed.returncode == 0, printed.stderr
        lines = [json.loads(line) for line in printed.stdout.splitlines()]
        assert [line["index"] for line in lines] == list(range(len(lines)))
        assert {line["gpus"] for line in lines} == {1, 2, 4}
