"""Sites: every one that is shipped can be submitted to; a mistake in one is a line."""

import re
import tomllib
from pathlib import Path

import pytest
from fake_slurm import site_text
from hypothesis import given
from hypothesis import strategies as st

from bench import duration
from bench.errors import UserError
from bench.slurm import site
from bench.slurm.site import Site


@pytest.mark.parametrize("name", site.names())
def test_a_shipped_site_is_legal_and_says_where_its_figures_are_from(name: str) -> None:
    made = site.load(name)
    text = (site.FOLDER / f"{name}.toml").read_text()
    if name == "local":
        assert made.verified and made.device == "cpu"
    else:
        assert made.verified is False, "until a job of ours has run there"
        assert made.device == "cuda" and made.gpu_option is not None
        assert re.search(r"# .*(https://\S+|See turpan\.toml)", text)
    assert made.min_time <= made.default_time <= made.max_time
    assert made.account is None, "accounts are the users'"


def test_they_are_those_of_the_documentation() -> None:
    assert {"turpan", "ft3", "narval", "juwels-booster", "local"} <= set(site.names())


def test_times_are_in_slurms_form() -> None:
    assert site.load("narval").max_time == 7 * 24 * 3600
    assert site.load("turpan").max_time == 4 * 3600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_a_path_is_as_good_as_a_name(path: Path) -> None:
    path.write_text(site_text())
    assert site.load(str(path)).gpus_per_node == 4


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gpus": 3}, "mine.toml: gpus: unknown key; legal: account, account_required, binds"),
        ({"gpus_per_node": 0}, "mine.toml: gpus_per_node: input should be greater than"),
        ({"gpus_per_node": "4"}, "mine.toml: gpus_per_node: input should be a valid integer"),
        ({"gpus_per_node": None}, "mine.toml: gpus_per_node: field required"),
        ({"verified": None}, "mine.toml: verified: field required"),
        ({"verified": True}, "mine.toml: verified"),
        ({"device": "tpu"}, "mine.toml: device: input should be 'cpu' or 'cuda'"),
        ({"max_time": "4h"}, "mine.toml: max_time: write HH:MM:SS or D-HH:MM:SS, e.g. 12:00:00"),
        ({"max_time": 60}, "mine.toml: max_time: write HH:MM:SS or D-HH:MM:SS"),
        ({"gpu_option": "gpu:2"}, "mine.toml: gpu_option: write an option of sbatch, e.g. --gres"),
        ({"gpu_option": "--gres=gpu:2"}, "mine.toml: gpu_option: write an option of sbatch"),
        ({"options": ["normal"]}, "mine.toml: options: write options of sbatch, e.g. --qos"),
        ({"partition": "a\nb"}, "mine.toml: partition: string should match"),
        ({"scratch": ""}, "mine.toml: scratch: string should have at least 1 character"),
        (
            {"default_time": "11:00:00"},
            "mine.toml: default_time is 11:00:00; legal: 00:01:00 to 10:00:00",
        ),
    ],
    ids=str,
)
def test_a_mistake_is_one_line(path: Path, keys: dict[str, object], message: str) -> None:
    path.write_text(site_text(**keys))
    with pytest.raises(UserError) as caught:
        site.load(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "no site 'nowhere'"),
        ("nowhere.toml", "no site 'nowhere.toml'"),
        ("../local", "no site '../local'"),
    ],
)
def test_an_unknown_site_lists_the_legal_ones(name: str, message: str) -> None:
    with pytest.raises(UserError, match="legal: ft3, juwels-booster, local, narval, turpan") as e:
        site.load(name)
    assert message in str(e.value) and str(e.value).endswith("or a .toml path")


def test_what_is_not_toml_is_said(path: Path) -> None:
    path.write_text("partition = ")
    with pytest.raises(UserError, match="mine.toml: not TOML: "):
        site.load(str(path))
    path.write_bytes(b"\xff")
    with pytest.raises(UserError, match="mine.toml: cannot be read: "):
        site.load(str(path))


def test_every_key_of_a_site_is_explained_in_the_documentation() -> None:
    page = (site.CHECKOUT / "docs/cluster.md").read_text()
    for key in Site.model_fields:
        assert f"`{key}`" in page, key


def test_no_site_names_a_person_or_an_account() -> None:
    for name in site.names():
        assert "account" not in tomllib.loads((site.FOLDER / f"{name}.toml").read_text())


@given(st.integers(min_value=0, max_value=10**7))
def test_a_duration_that_is_written_reads_back(seconds: int) -> None:
    assert duration.parse(duration.text(seconds)) == seconds
