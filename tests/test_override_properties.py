"""Any override of any search space."""

import json
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from test_overrides import Seen
from test_space import legal, spaces

from bench.errors import UserError
from bench.overrides import form_of, overridden, resolve
from bench.space import Parameter, active, parameters

VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-3, 300), st.floats(-1e3, 1e3), st.sampled_from(["a", "b", ""]), st.booleans()
)
SAID: st.SearchStrategy[Any] = st.one_of(
    st.dictionaries(st.sampled_from(["linear", "log"]), st.lists(VALUES, max_size=3), max_size=2),
    st.fixed_dictionaries({"choices": st.lists(VALUES, max_size=3)}),
    st.fixed_dictionaries({"constant": VALUES}),
    VALUES,
    st.lists(VALUES),
)


class OfSpace(Seen):
    """An objective of any space."""

    def space(self) -> Any:
        return self._drawn

    _drawn: Any = None


@st.composite
def narrower(draw: Any, parameter: Parameter) -> dict[str, Any]:
    """A part of a parameter's values."""
    if parameter.kind == "choice":
        some = st.lists(st.sampled_from(parameter.choices), min_size=1, unique=True)
        return {"choices": draw(some)}
    if parameter.kind == "int":
        value = st.integers(int(parameter.lower), int(parameter.upper))
    else:
        value = st.floats(parameter.lower, parameter.upper)  # type: ignore[assignment]
    low, high = sorted([draw(value), draw(value)])
    form = draw(st.sampled_from(["linear", "log"] if low > 0 else ["linear"]))
    return {form: [low, high]} if low < high else {"constant": low}


def of(drawn: Any) -> OfSpace:
    made = OfSpace()
    made._drawn = drawn
    return made


@given(spaces(), st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_said_is_one_refusal_or_lies_in_the_space(drawn: Any, data: Any) -> None:
    known = parameters(drawn)
    said = {
        each.name: data.draw(st.one_of(SAID, narrower(each)))
        for each in known
        if data.draw(st.booleans())
    }
    try:
        found = resolve(of(drawn), said)
    except UserError as error:
        said_so = str(error)
    else:
        said_so = ""
    if said_so:
        assert "\n" not in said_so
        assert said_so.startswith("space")
        return
    made = {each.name: each for each in parameters(space_of(drawn, found))}
    for each in known:
        if each.name in made:
            assert made[each.name].lies_in(each), "without limits nothing is widened"
        if each.name in found:
            ((form, values),) = form_of(made[each.name]).items()
            assert [form] == [*found[each.name]]
            rounded = pytest.approx(values) if form in ("linear", "log") else values
            assert found[each.name][form] == rounded
        else:
            assert made.get(each.name, each) == each
    assert resolve(of(drawn), found) == found, "it is in its one form"
    assert json.loads(json.dumps(found)) == found


@given(spaces(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_drawn_from_a_narrower_space_is_legal_in_the_whole_one(
    drawn: Any, data: Any
) -> None:
    """With the same active parameters; so conditions were simplified rightly."""
    said = {
        each.name: data.draw(narrower(each))
        for each in parameters(drawn)
        if data.draw(st.booleans())
    }
    try:
        found = resolve(of(drawn), said)
    except UserError:
        reject()
    new = space_of(drawn, found)
    new.seed(0)
    for sample in new.sample_configuration(10):
        configuration = active(new, dict(sample))
        legal(new, configuration)
        legal(drawn, configuration)
        assert active(drawn, configuration) == configuration


def space_of(drawn: Any, found: dict[str, Any]) -> Any:
    class Narrower(OfSpace):
        def space(self) -> Any:
            return drawn

    return overridden(Narrower, found)().space()
