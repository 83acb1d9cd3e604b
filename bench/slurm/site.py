"""A site: what a cluster wants of those who submit there. One TOML file in slurm/sites/."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)

from bench import duration
from bench.errors import UserError, one_of
from bench.options import read_toml

CHECKOUT = next(
    (each for each in (Path(), Path(__file__).parents[2]) if (each / "slurm/sites").is_dir()),
    Path(),
).absolute()
"""Where slurm/ is: the current folder, else the checkout that this package is in."""

FOLDER = CHECKOUT / "slurm/sites"

Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f]*$")]
Count = Annotated[int, Field(ge=1)]


def _seconds(value: Any) -> int:
    return duration.parse(value if isinstance(value, str) else "")


Duration = Annotated[int, Field(ge=60), BeforeValidator(_seconds)]
"""Seconds; in the file HH:MM:SS or D-HH:MM:SS."""


class Site(BaseModel):
    """A site file's contents. Where `device` is "cpu", a "GPU" is a core."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    verified: Literal[False] | Text
    """When, on which SLURM and how jobs were submitted with this file; false: never yet."""
    device: Literal["cpu", "cuda"] = "cuda"
    gpus_per_node: Count
    """A cell with more is given several nodes."""
    max_nodes: Count | None = None
    """A job may have at most so many; cells that need more are not submitted."""
    whole_nodes: bool = False
    """Whether a job is given (and charged) whole nodes, however few GPUs it asks for."""
    gpu_option: Text | None = None
    """The option of sbatch that asks for GPUs on each node, with {gpus} in it."""
    cpus_per_gpu: Count = 1
    memory_gb_per_gpu: Annotated[float, Field(gt=0)] | None = None
    """GiB of host memory; None: what the site gives by default."""
    partition: Text | None = None
    account: Text | None = None
    account_required: bool = False
    default_time: Duration
    """The time limit of cells of which no pilot says how long they take."""
    max_time: Duration
    min_time: Duration = 60
    max_array_size: Count | None = None
    """SLURM's MaxArraySize, which the greatest index is below; None: ask scontrol."""
    max_jobs: Count | None = None
    """A user may have at most so many jobs in the queue; each index of an array is one."""
    modules: list[Text] = []
    """What `module load` brings, e.g. apptainer."""
    image: str = ""
    """The image to run in; variables are replaced, a relative path begins at the checkout.
    "": the checkout's .venv."""
    binds: list[Text] = []
    """Folders that the image needs besides the results and the data."""
    scratch: Text = "/tmp"
    """A folder on the nodes for temporary files, its path at most 24 characters long."""
    options: list[Text] = []
    """More options of sbatch."""

    @field_validator("gpu_option")
    @classmethod
    def _has_place_for_the_count(cls, option: str | None) -> str | None:
        if option is not None and not re.fullmatch(r"--[^{}]*\{gpus\}[^{}]*", option):
            raise ValueError("write an option of sbatch, e.g. --gres=gpu:{gpus}")
        return option

    @field_validator("options")
    @classmethod
    def _are_options(cls, options: list[str]) -> list[str]:
        if any(not option.startswith("-") for option in options):
            raise ValueError("write options of sbatch, e.g. --qos=normal")
        return options


def names() -> list[str]:
    """Names of the sites in slurm/sites/."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def load(name_or_path: str) -> Site:
    """Read and check a site given by name or by path; UserError says in one line what is wrong."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise UserError(
            f"no site '{name_or_path}' ({path} is not there); {one_of(names())}, or a .toml path"
        )
    site = read_toml(path, Site)
    if not site.min_time <= site.default_time <= site.max_time:
        default, *legal = map(duration.text, (site.default_time, site.min_time, site.max_time))
        raise UserError(f"{path}: default_time is {default}; legal: {' to '.join(legal)}")
    return site


def expand(text: str) -> str:
    """Replace a site's $VARIABLES by those of this shell; UserError if one is not set."""
    expanded = os.path.expandvars(text)
    if unset := re.search(r"\$\{?(\w+)", expanded):
        raise UserError(f"the site says {text}, and {unset[1]} is not set here: export it")
    return expanded
