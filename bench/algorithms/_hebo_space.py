"""HEBO's form of a search space; and HEBO itself, imported without noise."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import torch

from bench.space import Parameter


@contextmanager
def one_silent_thread() -> Iterator[io.StringIO]:
    """HEBO's surroundings: warnings are dropped; yields what it prints.

    HEBO, when imported, sets torch to one thread for the whole process. Here it has one thread
    while it works, on every machine, and the rest of the process keeps what it had.
    """
    threads = torch.get_num_threads()
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()) as printed:
            torch.set_num_threads(1)
            yield printed
    finally:
        torch.set_num_threads(threads)


with one_silent_thread():
    from hebo.design_space.categorical_param import CategoricalPara
    from hebo.design_space.design_space import DesignSpace
    from hebo.design_space.integer_param import IntegerPara
    from hebo.design_space.pow_integer_param import PowIntegerPara

ALMOST_HALF = 0.4999


class WholeCells:
    """HEBO draws a discrete parameter by rounding: so its range begins half a cell earlier.

    Otherwise the first and the last value come half as often as the others.
    """

    lb: float
    ub: float

    @property
    def opt_lb(self) -> float:
        return self.lb - ALMOST_HALF

    @property
    def opt_ub(self) -> float:
        return self.ub + ALMOST_HALF


class Choice(WholeCells, CategoricalPara):
    """A choice by its index: HEBO would turn values of mixed types into strings."""


class Whole(WholeCells, IntegerPara):
    """An integer on a linear scale."""


class LogWhole(PowIntegerPara):
    """An integer on a logarithmic scale."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        ends = np.array([settings["lb"] - ALMOST_HALF, settings["ub"] + ALMOST_HALF])
        self.lb, self.ub = (np.log(ends) / np.log(self.base)).tolist()


def design_space(parameters: list[Parameter]) -> DesignSpace:
    """All parameters that can vary; HEBO knows no conditions."""
    space = DesignSpace()
    for name, kind in {"choice": Choice, "whole": Whole, "log_whole": LogWhole}.items():
        space.register_para_type(name, kind)
    return space.parse([_settings(each) for each in parameters if len(each.choices) != 1])


def value(parameter: Parameter, suggested: dict[str, Any]) -> Any:
    """A parameter's value; HEBO computes with float32, so rounding may take it past a bound."""
    if parameter.kind == "choice":
        return parameter.choices[int(suggested.get(parameter.name, 0))]  # a constant has only one
    number = min(max(suggested[parameter.name], parameter.lower), parameter.upper)
    return int(number) if parameter.kind == "int" else float(number)


def _settings(parameter: Parameter) -> dict[str, Any]:
    if parameter.kind == "choice":
        indices = list(range(len(parameter.choices)))
        return {"name": parameter.name, "type": "choice", "categories": indices}
    kinds = ("whole", "log_whole") if parameter.kind == "int" else ("num", "pow")
    bounds = {"lb": parameter.lower, "ub": parameter.upper}
    return {"name": parameter.name, "type": kinds[parameter.log], **bounds}
