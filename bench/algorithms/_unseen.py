"""What a model does not see of a search space, in words for `Algorithm.remark`."""

from typing import TYPE_CHECKING

from bench.space import Parameter, parameters

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


def seen(space: "ConfigurationSpace", categoricals: bool) -> list[Parameter]:
    """The parameters that every configuration has, and that can take more than one value.

    That is what a model of vectors of one length can see; without `categoricals`, numbers only.
    """
    return [
        each
        for each in varying(space)
        if not space.parent_conditions_of[each.name] and (categoricals or each.kind != "choice")
    ]


def unseen(space: "ConfigurationSpace", categoricals: bool) -> str | None:
    """Name the parameters that are not `seen`, and say that they are drawn at random."""
    conditional = [name for name in space if space.parent_conditions_of[name]]
    choices = [each.name for each in varying(space) if each.kind == "choice" and not categoricals]
    groups = {
        "categoricals": [name for name in choices if name not in conditional],
        "conditional parameters": conditional,
    }
    named = [f"{group} ({', '.join(names)})" for group, names in groups.items() if names]
    if not named:
        return None
    return f"{' and '.join(named)} are drawn at random: its model does not see them"


def until(start: str, trials: int, budget: int, then: str | None = None) -> str:
    """How long the `start` of a search lasts, and what is to be known `then`.

    >>> until("configurations are random", 10, budget=8)
    'configurations are random until 10 trials have ended, and the budget is 8 full trainings'
    """
    words = f"{start} until {trials} trials have ended"
    words += f", and the budget is {budget} full trainings" if trials >= budget else ""
    return f"{words}; {then}" if then else words


def varying(space: "ConfigurationSpace") -> list[Parameter]:
    """The parameters that can take more than one value."""
    return [
        each
        for each in parameters(space)
        if (len(each.choices) > 1 if each.kind == "choice" else each.lower < each.upper)
    ]
