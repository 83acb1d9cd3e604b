"""From a ConfigSpace to each engine's native search space, and back to active values.

One walk over the hyper-parameters (`parameters`) feeds every conversion. Priors other than uniform
and log-uniform, weighted choices and forbidden clauses have no counterpart in the engines: they
are refused, never dropped.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import UserError

if TYPE_CHECKING:
    import optuna
    from ConfigSpace import ConfigurationSpace
    from ConfigSpace.hyperparameters import Hyperparameter
    from ray.tune.search.sample import Domain


@dataclass(frozen=True)
class Parameter:
    """A hyper-parameter in neutral terms: a range (bounds inclusive) or a choice."""

    name: str
    kind: str
    """float, int or choice."""
    lower: float = 0
    upper: float = 0
    log: bool = False
    choices: tuple[Any, ...] = ()

    def lies_in(self, other: "Parameter") -> bool:
        """Whether the other one has all of its values, up to the rounding of bounds."""
        if self.kind == "choice" and other.kind == "choice":
            return set(self.choices) <= set(other.choices)
        if other.kind == "choice":
            return False
        values = self.choices or (self.lower, self.upper)
        if not all(isinstance(each, int | float) for each in values):
            return False
        if other.kind == "int" and not all(isinstance(each, int) for each in values):
            return False
        slack = 1e-9 * max(abs(other.lower), abs(other.upper))
        return other.lower - slack <= min(values) and max(values) <= other.upper + slack


def parameters(space: "ConfigurationSpace") -> list[Parameter]:
    """The space's hyper-parameters, parents before children; UserError for what is not covered."""
    if space.forbidden_clauses:
        raise UserError(
            f"the search space has forbidden clauses ({space.forbidden_clauses[0]}), which no "
            "engine's space can express: use conditions, or parameters that cannot clash"
        )
    return [_parameter(hyperparameter) for hyperparameter in space.values()]


def to_ray(space: "ConfigurationSpace") -> "dict[str, Domain]":
    """Ray Tune's domains, by name; flat: it has no conditions, `active` applies them after."""
    from ray import tune

    def domain(parameter: Parameter) -> "Domain":
        lower, upper, log = parameter.lower, parameter.upper, parameter.log
        if parameter.kind == "choice":
            return tune.choice(list(parameter.choices))
        if parameter.kind == "int":  # Ray excludes the upper bound
            return (tune.lograndint if log else tune.randint)(int(lower), int(upper) + 1)
        return (tune.loguniform if log else tune.uniform)(lower, upper)

    return {parameter.name: domain(parameter) for parameter in parameters(space)}


def to_optuna(space: "ConfigurationSpace") -> "Callable[[optuna.trial.BaseTrial], None]":
    """Optuna's define-by-run form: suggests what is active, in order, conditions included."""
    known = {parameter.name: parameter for parameter in parameters(space)}

    def suggest(trial: "optuna.trial.BaseTrial") -> None:
        def value(name: str) -> Any:
            parameter = known[name]
            lower, upper, log = parameter.lower, parameter.upper, parameter.log
            if parameter.kind == "choice":
                return trial.suggest_categorical(name, parameter.choices)
            if parameter.kind == "int":
                return trial.suggest_int(name, int(lower), int(upper), log=log)
            return trial.suggest_float(name, lower, upper, log=log)

        for _ in _walk(space, value):
            pass

    return suggest


def to_distributions(
    space: "ConfigurationSpace",
) -> "dict[str, optuna.distributions.BaseDistribution]":
    """Optuna's distributions, by name; of a conditional parameter, where it is active."""
    return distributions(parameters(space))


def distributions(
    known: Iterable[Parameter],
) -> "dict[str, optuna.distributions.BaseDistribution]":
    """Optuna's distributions of parameters, by name."""
    from optuna.distributions import (
        BaseDistribution,
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    def distribution(parameter: Parameter) -> BaseDistribution:
        if parameter.kind == "choice":
            return CategoricalDistribution(parameter.choices)
        if parameter.kind == "int":
            return IntDistribution(int(parameter.lower), int(parameter.upper), log=parameter.log)
        return FloatDistribution(parameter.lower, parameter.upper, log=parameter.log)

    return {parameter.name: distribution(parameter) for parameter in known}


def within(distribution: "optuna.distributions.BaseDistribution", value: Any) -> Any:
    """The value, without the rounding error that takes a bound out of its own range."""
    low, high = getattr(distribution, "low", None), getattr(distribution, "high", None)
    if low is None or high is None or isinstance(value, str) or distribution._contains(value):
        return value
    nearest = min(max(value, low), high)
    return nearest if abs(nearest - value) <= 1e-9 * abs(nearest) else value


def active(space: "ConfigurationSpace", values: dict[str, Any]) -> dict[str, Any]:
    """The configuration that native values stand for: active parameters, plain Python values.

    Raises ValueError for a missing, unknown or illegal value: an engine left the space. Who asks
    often makes one `Active` and asks that.
    """
    return Active(space)(values)


class Active:
    """Like `active`, for many configurations of one space."""

    def __init__(self, space: "ConfigurationSpace") -> None:
        self._space = space
        self._names = set(space)
        self._checks = {each.name: _surely_legal(each) for each in parameters(space)}
        self._unconditional = not space.conditions

    def __call__(self, values: dict[str, Any]) -> dict[str, Any]:
        if not self._names.issuperset(values):
            raise ValueError(f"not in the search space: {sorted(set(values) - self._names)}")
        if self._unconditional:
            return {name: self._value(name, values) for name in self._checks}
        return dict(_walk(self._space, lambda name: self._value(name, values)))

    def _value(self, name: str, values: dict[str, Any]) -> Any:
        if name not in values:
            raise ValueError(f"no value for {name}, which is active")
        value = values[name]
        if self._checks[name](value):
            return value
        plain = value.item() if hasattr(value, "item") else value
        if not self._space[name].legal_value(plain):
            raise ValueError(f"{name} = {plain!r} is outside {self._space[name]}")
        return plain


def _surely_legal(parameter: Parameter) -> Callable[[Any], bool]:
    """A quick test that what is plain and legal passes; of the rest ConfigSpace is asked."""
    if parameter.kind == "choice":
        plain = {(type(each), each) for each in parameter.choices}
        return lambda value: (type(value), value) in plain
    kind = float if parameter.kind == "float" else int
    lower, upper = parameter.lower, parameter.upper
    return lambda value: type(value) is kind and lower <= value <= upper


def _walk(space: "ConfigurationSpace", value: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
    """Ask for the value of each active parameter, parents first, and yield both."""
    from ConfigSpace.types import NotSet

    values: dict[str, Any] = {}
    conditions_of = space.parent_conditions_of
    for name in space:
        conditions = conditions_of[name]
        if not conditions or all(each.satisfied_by_value(values) for each in conditions):
            values[name] = value(name)
            yield name, values[name]
        else:
            values[name] = NotSet


def _parameter(hyperparameter: "Hyperparameter") -> Parameter:
    import ConfigSpace as cs

    name = hyperparameter.name
    if isinstance(hyperparameter, cs.UniformFloatHyperparameter):
        bounds = float(hyperparameter.lower), float(hyperparameter.upper)
        return Parameter(name, "float", *bounds, log=hyperparameter.log)
    if isinstance(hyperparameter, cs.UniformIntegerHyperparameter):
        whole = int(hyperparameter.lower), int(hyperparameter.upper)
        return Parameter(name, "int", *whole, log=hyperparameter.log)
    if isinstance(hyperparameter, cs.Constant):
        return Parameter(name, "choice", choices=(hyperparameter.value,))
    if isinstance(hyperparameter, cs.OrdinalHyperparameter):
        return Parameter(name, "choice", choices=tuple(hyperparameter.sequence))
    if isinstance(hyperparameter, cs.CategoricalHyperparameter) and _unweighted(hyperparameter):
        return Parameter(name, "choice", choices=tuple(hyperparameter.choices))
    raise UserError(
        f"hyper-parameter {name}: {type(hyperparameter).__name__} with weights or a prior is not "
        "supported; legal: Float and Integer (uniform or log), Categorical without weights, "
        "Ordinal, Constant"
    )


def _unweighted(hyperparameter: Any) -> bool:
    return len({float(p) for p in hyperparameter.probabilities}) == 1
