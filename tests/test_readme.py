"""What the README shows works."""

import re
from itertools import product
from pathlib import Path

from bench import plugins, suite
from bench.algorithm import Algorithm
from bench.check._searches import forms
from bench.check.algorithms import CHECKS

README = Path(__file__).parent.parent / "README.md"


def test_the_algorithm_that_it_shows_is_one(tmp_path: Path) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    mine = tmp_path / "mine.py"
    mine.write_text(source)
    plugin = plugins.resolve("algorithms", None, mine, {"scramble": False})
    made = plugins.make("algorithms", plugin)
    assert isinstance(made, Algorithm)
    for tried, check in product(forms(made), CHECKS):
        check(tried)


def test_its_suites_have_as_many_cells_as_it_says() -> None:
    rows = re.findall(r"^\| (`.*`) \| ([\d, ]+) \|", README.read_text(), re.MULTILINE)
    said = {
        name.strip(" `"): int(count)
        for suites, counts in rows
        for name, count in zip(suites.split(","), counts.split(","), strict=True)
    }
    planned = {name: len(suite.plan(suite.find(name), [1], "cpu")) for name in suite.names()}
    assert said == planned


def test_its_links_lead_somewhere() -> None:
    for page in [README, *README.parent.glob("docs/**/*.md"), README.parent / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links {target}"
