"""One conversion, two native spaces: what goes in comes out, within the bounds."""

from typing import Any

import ConfigSpace as cs
import numpy as np
import optuna
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bench import space
from bench.errors import UserError
from bench.objectives.mnist_cnn import MnistCnn

optuna.logging.set_verbosity(optuna.logging.ERROR)


def hyperparameter(draw: Any, name: str) -> Any:
    kind = draw(st.sampled_from(["float", "int", "choice", "ordinal", "constant"]))
    log = draw(st.booleans())
    if kind == "float":
        lower = draw(st.floats(1e-6, 1e3))
        return cs.Float(name, (lower, lower * draw(st.floats(1.5, 1e3))), log=log)
    if kind == "int":
        lower = draw(st.integers(1, 50))
        return cs.Integer(name, (lower, lower + draw(st.integers(1, 200))), log=log)
    if kind == "constant":
        return cs.Constant(name, draw(st.sampled_from(["a", 3, 0.5])))
    choices = draw(st.lists(st.integers(0, 99), min_size=2, max_size=5, unique=True))
    if kind == "ordinal":
        return cs.OrdinalHyperparameter(name, sorted(choices))
    return cs.Categorical(name, choices)


@st.composite
def spaces(draw: Any) -> cs.ConfigurationSpace:
    """Spaces of every kind of hyper-parameter; children come before parents in the alphabet."""
    names = [f"{letter}{i}" for i, letter in enumerate(draw(st.permutations("abcdef")))]
    members = [hyperparameter(draw, name) for name in names[: draw(st.integers(1, 6))]]
    drawn = cs.ConfigurationSpace(seed=draw(st.integers(0, 2**31)))
    drawn.add(*members)
    conditions: list[Any] = []
    for child, parent in zip(members[1:], members[:-1], strict=True):
        if isinstance(parent, cs.CategoricalHyperparameter) and draw(st.booleans()):
            value = draw(st.sampled_from(parent.choices))
            # Of "not equal to the value of what is inactive" ConfigSpace 1.2.2 thinks both ways.
            hangs = any(each.child is parent for each in conditions)
            kinds = [cs.EqualsCondition, *([] if hangs else [cs.NotEqualsCondition])]
            conditions.append(draw(st.sampled_from(kinds))(child, parent, value))
    try:
        drawn.add(*conditions)
    except cs.ActiveHyperparameterNotSetError:
        # ConfigSpace 1.2.2 cannot hold some chains of conditions whose children come before
        # their parents in the alphabet: it checks a default configuration out of order.
        reject()
    return drawn


def legal(drawn: cs.ConfigurationSpace, configuration: dict[str, Any]) -> None:
    """ConfigSpace itself accepts it: values, bounds, and exactly the active parameters."""
    cs.Configuration(drawn, values=configuration).check_valid_configuration()


@given(spaces())
@settings(max_examples=150, deadline=None)
def test_a_configspace_configuration_survives_the_round_trip(drawn: cs.ConfigurationSpace) -> None:
    for sample in drawn.sample_configuration(5):
        configuration = dict(sample)
        assert space.active(drawn, configuration) == configuration


@given(spaces(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_what_ray_draws_is_legal_once_inactive_parameters_are_dropped(
    drawn: cs.ConfigurationSpace, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(5):
        flat = {k: d.sample(random_state=generator) for k, d in space.to_ray(drawn).items()}
        assert set(flat) == set(drawn)
        configuration = space.active(drawn, flat)
        legal(drawn, configuration)
        assert all(type(v) in (int, float, str) for v in configuration.values())


@given(spaces(), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_what_optuna_draws_is_legal_as_it_is(drawn: cs.ConfigurationSpace, seed: int) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    suggest = space.to_optuna(drawn)
    for _ in range(3):
        trial = study.ask()
        suggest(trial)
        legal(drawn, trial.params)
        assert space.active(drawn, trial.params) == trial.params


@given(spaces())
@settings(max_examples=100, deadline=None)
def test_optuna_accepts_every_configspace_configuration(drawn: cs.ConfigurationSpace) -> None:
    for sample in drawn.sample_configuration(3):
        fixed = optuna.trial.FixedTrial(dict(sample))
        space.to_optuna(drawn)(fixed)
        assert fixed.params == dict(sample)


def test_bounds_and_scales_arrive_in_both_engines() -> None:
    drawn = cs.ConfigurationSpace()
    drawn.add(cs.Float("lr", (1e-5, 5e-3), log=True), cs.Float("decay", (0.0, 0.1)))
    drawn.add(cs.Integer("width", (8, 64), log=True), cs.Integer("depth", (1, 4)))
    drawn.add(cs.Categorical("act", ["relu", "gelu"]))

    ray = space.to_ray(drawn)
    assert (ray["lr"].lower, ray["lr"].upper) == (1e-5, 5e-3)
    assert (ray["width"].lower, ray["width"].upper) == (8, 65), "Ray excludes the upper bound"
    assert (ray["depth"].lower, ray["depth"].upper) == (1, 5)
    is_log = {name: type(domain.get_sampler()).__name__ for name, domain in ray.items()}
    assert is_log["lr"] == is_log["width"] == "_LogUniform"
    assert is_log["decay"] == is_log["depth"] == "_Uniform"
    assert ray["act"].categories == ["relu", "gelu"]

    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    space.to_optuna(drawn)(trial)
    kinds = optuna.distributions
    assert trial.distributions == {
        "lr": kinds.FloatDistribution(1e-5, 5e-3, log=True),
        "decay": kinds.FloatDistribution(0.0, 0.1),
        "width": kinds.IntDistribution(8, 64, log=True),
        "depth": kinds.IntDistribution(1, 4),
        "act": kinds.CategoricalDistribution(("relu", "gelu")),
    }


def test_mnists_conditional_parameters_appear_only_when_they_matter() -> None:
    drawn = MnistCnn().space()
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask
    for _ in range(60):
        asked = trial()
        space.to_optuna(drawn)(asked)
        is_step = asked.params["schedule"] == "step"
        assert ("gamma" in asked.params) == ("step_size" in asked.params) == is_step
        assert ("kernel3" in asked.params) == (asked.params["conv3"] != 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"x": 2.0, "kind": "a"}, "x = 2.0 is outside"),
        ({"x": 0.5, "kind": "c"}, "kind = 'c' is outside"),
        ({"kind": "a"}, "no value for x"),
        ({"x": 0.5, "kind": "a", "y": 1}, r"not in the search space: \['y'\]"),
    ],
)
def test_a_suggestion_outside_the_space_is_refused(values: dict, message: str) -> None:
    drawn = cs.ConfigurationSpace()
    drawn.add(cs.Float("x", (0.0, 1.0)), cs.Categorical("kind", ["a", "b"]))
    with pytest.raises(ValueError, match=message):
        space.active(drawn, values)


def test_numpys_scalars_become_plain_python() -> None:
    drawn = cs.ConfigurationSpace()
    drawn.add(cs.Float("x", (0.0, 1.0)), cs.Integer("n", (1, 3)))
    plain = space.active(drawn, {"x": np.float64(0.5), "n": np.int64(2)})
    assert plain == {"x": 0.5, "n": 2}
    assert [type(value) for value in plain.values()] == [int, float]


def test_what_no_engine_can_express_is_refused() -> None:
    x, y = cs.Integer("x", (1, 4), default=1), cs.Integer("y", (1, 4))
    clashing = cs.ConfigurationSpace()
    clashing.add(x, y)
    clashing.add(cs.ForbiddenEqualsClause(x, 2))
    with pytest.raises(UserError, match="forbidden clauses"):
        space.to_ray(clashing)
    for member in (
        cs.Float("z", (0.0, 1.0), distribution=cs.Normal(0.5, 0.1)),
        cs.Categorical("w", ["a", "b"], weights=[1, 3]),
    ):
        odd = cs.ConfigurationSpace()
        odd.add(member)
        with pytest.raises(UserError, match="weights or a prior"):
            space.to_optuna(odd)
