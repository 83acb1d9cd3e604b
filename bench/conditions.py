"""A search space with some of its parameters replaced; its conditions are simplified to match.

A condition that can never be met takes its parameter away, one that is always met falls away.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.space import Parameter

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from ConfigSpace.hyperparameters import Hyperparameter

Condition = Any
"""A ConfigSpace condition or conjunction; True: always met; False: never."""


def replaced(space: "ConfigurationSpace", changed: Mapping[str, Parameter]) -> "ConfigurationSpace":
    """A new space: the same names with the parameters in `changed` in place of their own.

    What others depend on may take fewer values than before, and no others.
    """
    from ConfigSpace import ConfigurationSpace

    made = _Replaced(space)
    for name in space:  # parents before children
        made.add(space[name], changed.get(name))
    new = ConfigurationSpace()
    new.add(*made.members.values(), *made.conditions)
    return new


def without_fixed(space: "ConfigurationSpace") -> "tuple[dict[str, Any], ConfigurationSpace]":
    """The values of parameters that are fixed, and a space without them; itself if none are.

    A fixed parameter that others depend on stays.
    """
    from ConfigSpace import ConfigurationSpace, Constant

    fixed = {
        name: each.value
        for name, each in space.items()
        if isinstance(each, Constant) and not space.children_of[name]
    }
    if not fixed:
        return {}, space
    rest = ConfigurationSpace()
    conditions = [each for each in space.conditions if each.child.name not in fixed]
    rest.add(*(each for name, each in space.items() if name not in fixed), *conditions)
    return fixed, rest


class _Replaced:
    """The parts of the new space."""

    def __init__(self, space: "ConfigurationSpace") -> None:
        self._old = space
        self.members: dict[str, Hyperparameter] = {}
        self._values: dict[str, Parameter] = {}
        self.conditions: list[Condition] = []

    def add(self, old: "Hyperparameter", changed: Parameter | None) -> None:
        from bench.space import _parameter

        new = old if changed is None else _hyperparameter(changed, old)
        met = self._all([self._met(each, new) for each in self._conditions_of(old.name)])
        if met is False:
            return
        self.members[old.name] = new
        self._values[old.name] = _parameter(old) if changed is None else changed
        if met is not True:
            self.conditions.append(met)

    def _conditions_of(self, name: str) -> list[Condition]:
        return list(self._old.parent_conditions_of[name])

    def _met(self, condition: Condition, child: "Hyperparameter") -> Condition:
        """The condition for `child`, in terms of the new parents."""
        from ConfigSpace import AndConjunction, EqualsCondition, InCondition, OrConjunction

        if isinstance(condition, AndConjunction):
            return self._all([self._met(each, child) for each in condition.components])
        if isinstance(condition, OrConjunction):
            parts = [self._met(each, child) for each in condition.components]
            some = _distinct([each for each in parts if each is not False])
            if any(each is True for each in some):
                return True
            return OrConjunction(*some) if len(some) > 1 else some[0] if some else False
        name = condition.parent.name
        if name not in self.members:
            return False
        parent, values = self.members[name], self._values[name]
        if values.kind != "choice":
            return self._met_by_number(condition, child)
        good = [each for each in values.choices if condition.satisfied_by_value({name: each})]
        if len(good) == len(values.choices):
            return self._whenever_active(name, child)
        if len(good) > 1:
            return InCondition(child, parent, good)
        return EqualsCondition(child, parent, good[0]) if good else False

    def _met_by_number(self, condition: Condition, child: "Hyperparameter") -> Condition:
        from ConfigSpace import (
            EqualsCondition,
            GreaterThanCondition,
            InCondition,
            NotEqualsCondition,
        )

        name = condition.parent.name
        parent, values = self.members[name], self._values[name]
        low, high = values.lower, values.upper
        if isinstance(condition, InCondition):
            inside = [each for each in condition.value if low <= each <= high]
            return InCondition(child, parent, inside) if inside else False
        value = condition.value
        if isinstance(condition, EqualsCondition | NotEqualsCondition):
            never, always = not low <= value <= high, False
            if isinstance(condition, NotEqualsCondition):
                never, always = always, never
        elif isinstance(condition, GreaterThanCondition):
            never, always = high <= value, low > value
        else:
            never, always = low >= value, high < value
        if always:
            return self._whenever_active(name, child)
        return False if never else type(condition)(child, parent, value)

    def _whenever_active(self, parent: str, child: "Hyperparameter") -> Condition:
        """Any value of the parent will do: the child has the parent's own conditions."""
        return self._all([self._met(each, child) for each in self._conditions_of(parent)])

    @staticmethod
    def _all(parts: list[Condition]) -> Condition:
        from ConfigSpace import AndConjunction

        if any(each is False for each in parts):
            return False
        some = _distinct([each for each in parts if each is not True])
        return AndConjunction(*some) if len(some) > 1 else some[0] if some else True


def _distinct(conditions: list[Condition]) -> list[Condition]:
    found: list[Condition] = []
    for each in conditions:
        if not any(each is other or each == other for other in found):
            found.append(each)
    return found


def _hyperparameter(parameter: Parameter, old: "Hyperparameter") -> "Hyperparameter":
    import ConfigSpace as cs

    name, bounds = parameter.name, (parameter.lower, parameter.upper)
    if parameter.kind == "float":
        return cs.Float(name, bounds, log=parameter.log)
    if parameter.kind == "int":
        return cs.Integer(name, (int(bounds[0]), int(bounds[1])), log=parameter.log)
    if len(parameter.choices) == 1:
        return cs.Constant(name, parameter.choices[0])
    if isinstance(old, cs.OrdinalHyperparameter):
        return cs.OrdinalHyperparameter(name, parameter.choices)
    return cs.Categorical(name, parameter.choices)
