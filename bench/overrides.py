"""What a suite changes of an objective's search space: `[space.lr] log = [1e-4, 1e-2]`.

A parameter is narrowed, widened or fixed; whether it is a float or an integer is the objective's
to say, and so is how far it can be widened (`Objective.limits`).
"""

import json
import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BeforeValidator

from bench.errors import UserError, one_of
from bench.objective import Limits, Objective, Overrides
from bench.seeds import canonical

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

    from bench.space import Parameter

Kind = TypeVar("Kind", bound=Objective)

FORMS = "linear = [low, high], log = [low, high], choices = [a, b, …], constant = a"


def _form(said: Any) -> Any:
    """ValueError for what can be an override of no parameter."""
    if not isinstance(said, dict) or len(said) != 1:
        raise ValueError(f"give one of {FORMS}")
    ((form, value),) = said.items()
    if form in ("linear", "log"):
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
            raise ValueError(f"give {form} = [low, high], two numbers")
        if not value[0] < value[1]:
            raise ValueError("low must be below high; for a single value: constant = a")
        if form == "log" and value[0] <= 0:
            raise ValueError("a logarithmic range begins above 0")
    elif form == "choices":
        if not isinstance(value, list) or not value or not all(map(_is_plain, value)):
            raise ValueError("give choices = [a, b, …], of numbers, texts, true or false")
        if len({canonical(each) for each in value}) < len(value):
            raise ValueError("a choice comes twice")
    elif form != "constant":
        raise ValueError(f"give one of {FORMS}")
    elif not _is_plain(value):
        raise ValueError("give constant = a, a number, a text, true or false")
    return said


Override = Annotated[dict[str, Any], BeforeValidator(_form)]
"""Of one parameter: its form, and the values."""


def in_words(override: Any) -> str:
    """As a suite has it, right or wrong.

    >>> in_words({"log": [0.0001, 0.01]})
    'log = [0.0001, 0.01]'
    """
    if not isinstance(override, dict):
        return json.dumps(override, default=str)
    return ", ".join(f"{form} = {json.dumps(said, default=str)}" for form, said in override.items())


def form_of(parameter: "Parameter") -> dict[str, Any]:
    """The one form in which a parameter is an override."""
    if parameter.kind != "choice":
        return {"log" if parameter.log else "linear": [parameter.lower, parameter.upper]}
    if len(parameter.choices) == 1:
        return {"constant": parameter.choices[0]}
    return {"choices": [*parameter.choices]}


def resolve(objective: Objective, said: Mapping[str, Any]) -> Overrides:
    """Check overrides and bring them into their one form; what changes nothing is left out.

    Raises UserError (one line that begins with `space.NAME`) for an unknown name, for values that
    the parameter cannot have, and if nothing is left to search.
    """
    from bench.conditions import replaced
    from bench.space import parameters

    space = objective.space()
    own = {each.name: each for each in parameters(space)}
    changed = {}
    for name, each in said.items():
        if name not in own:
            raise UserError(f"space.{name}: no parameter of this name; {one_of(list(own))}")
        limits = None if space.children_of[name] else objective.limits.get(name)
        try:
            made = _changed(own[name], _form(each), limits)
        except ValueError as error:
            raise UserError(f"space.{name}: {error}, not {in_words(each)}") from None
        if made != own[name]:
            changed[name] = made
    left = parameters(replaced(space, changed))
    if gone := [name for name in changed if name not in {each.name for each in left}]:
        raise UserError(
            f"space.{gone[0]}: never active with what the others are set to; remove its override"
        )
    if changed and all(len(each.choices) == 1 for each in left):
        raise UserError("space: every parameter is fixed; leave at least one to be searched")
    return {name: form_of(each) for name, each in sorted(changed.items())}


def overridden(kind: type[Kind], overrides: Overrides) -> type[Kind]:
    """An objective's class with these (resolved) overrides: the same in all but its space."""
    return _overridden(kind, canonical(overrides)) if overrides else kind


@cache
def _overridden(kind: type[Kind], text: str) -> type[Kind]:
    said: Overrides = json.loads(text)

    def space(self: Objective) -> "ConfigurationSpace":
        from bench.conditions import replaced
        from bench.space import parameters

        own = kind.space(self)
        known = {each.name: each for each in parameters(own)}
        if unknown := [name for name in said if name not in known]:
            raise UserError(f"space.{unknown[0]}: no parameter of this name; {one_of(list(own))}")
        return replaced(own, {name: _changed(known[name], each) for name, each in said.items()})

    body = {"space": space, "overrides": said, "__module__": kind.__module__}
    body |= {"__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    body["__annotations__"] = {}
    return type(kind.__name__, (kind,), body)


ROUNDING = 1e-9

ANY: Limits = (-math.inf, math.inf)


def _changed(own: "Parameter", override: Mapping[str, Any], limits: Limits | None = ANY) -> Any:
    """The parameter as overridden; ValueError for values beyond its own and the limits."""
    from bench.space import Parameter

    ((form, said),) = override.items()
    kind = _kind(own)
    if form in ("linear", "log"):
        if kind is None:
            raise ValueError(f"give choices or a constant, legal: {_legal(own, None)}")
        least, most = _bounds(own, limits)
        low, high = (_unrounded(_number(each, kind), (least, most)) for each in said)
        if not least <= low < high <= most:
            raise ValueError(f"legal: {_legal(own, limits)}")
        return Parameter(own.name, kind, low, high, log=form == "log")
    values = said if form == "choices" else [said]
    if kind is not None:
        bounds = _bounds(own, limits)
        values = [_unrounded(_number(each, kind), bounds) for each in values]
    if not all(_is_legal(each, own, limits) for each in values):
        raise ValueError(f"legal: {_legal(own, limits)}")
    if all(each in own.choices for each in values):
        values = sorted(values, key=own.choices.index)
    if len({canonical(each) for each in values}) < len(values):
        raise ValueError("a choice comes twice")
    return Parameter(own.name, "choice", choices=tuple(values))


def _kind(own: "Parameter") -> str | None:
    """Float or int, also of choices among numbers; None: its values are no numbers."""
    if own.kind != "choice":
        return own.kind
    if not all(map(_is_number, own.choices)):
        return None
    return "int" if all(isinstance(each, int) for each in own.choices) else "float"


def _number(value: Any, kind: str) -> int | float:
    if not _is_number(value):
        raise ValueError("its values are numbers")
    if kind == "int" and value != int(value):
        raise ValueError("its values are whole numbers")
    return int(value) if kind == "int" else float(value)


def _unrounded(value: float, bounds: Limits) -> float:
    """The bound, where a value is one up to rounding: ConfigSpace rounds those of a space."""
    return next((each for each in bounds if math.isclose(value, each, rel_tol=ROUNDING)), value)


def _bounds(own: "Parameter", limits: Limits | None) -> Limits:
    """Between which a range may be; of choices without limits: nowhere."""
    ends = [] if own.kind == "choice" else [own.lower, own.upper]
    ends += limits or []
    return (min(ends), max(ends)) if ends else (math.inf, -math.inf)


def _is_legal(value: Any, own: "Parameter", limits: Limits | None) -> bool:
    if any(type(value) is type(each) and value == each for each in own.choices):
        return True
    least, most = _bounds(own, limits)
    return _is_number(value) and least <= value <= most


def _legal(own: "Parameter", limits: Limits | None) -> str:
    least, most = _bounds(own, limits)
    choices = ", ".join(json.dumps(each) for each in own.choices)
    span = f"{'whole numbers ' * (_kind(own) == 'int')}from {least:g} to {most:g}"
    return " or ".join([*filter(None, [choices]), *([span] if least <= most else [])])


def _is_number(value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | str) or _is_number(value)
