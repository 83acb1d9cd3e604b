"""What the README shows works."""

import re
from pathlib import Path

from contracts.test_algorithms import problem

from bench import plugins
from bench.space import active

README = Path(__file__).parent.parent / "README.md"


def test_the_algorithm_that_it_shows_is_one(tmp_path: Path) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    mine = tmp_path / "mine.py"
    mine.write_text(source)
    plugin = plugins.resolve("algorithms", None, mine, {"scramble": False})
    searcher, _ = plugins.make("algorithms", plugin).ray(problem(0))
    drawn = [active(problem(0).space, searcher.suggest(str(i))) for i in range(3)]
    assert len({str(each) for each in drawn}) == 3


def test_its_links_lead_somewhere() -> None:
    for page in [README, *README.parent.glob("docs/**/*.md"), README.parent / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links {target}"
