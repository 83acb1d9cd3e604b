"""The SLURM of the tests: brought up and down, nodes fail, jobs are submitted and waited for."""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import wait_for

from bench.journal import Record, read

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Slurm:
    """The cluster in `folder`, seen from its login node; commands run as `user` in `checkout`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    checkout: Path = ROOT

    @property
    def shared(self) -> Path:
        """A folder that all nodes see."""
        return self.folder / "shared"

    def script(self, *arguments: object, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run tests/cluster/slurm.sh."""
        env = {"CLUSTER_ROOT": str(self.folder), "CLUSTER_SHARED": str(ROOT)}
        return subprocess.run(
            [ROOT / "tests/cluster/slurm.sh", *map(str, arguments)],
            env={**os.environ, **env, **{name: str(each) for name, each in settings.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def run(self, *command: object, **environment: object) -> str:
        """Run a command and return what it prints; its failure fails the test."""
        who = [] if self.user == "root" else ["runuser", "--user", self.user, "--"]
        ran = subprocess.run(
            [*who, *map(str, command)],
            cwd=self.checkout,
            env=self._environment(environment),
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, f"{command} failed:\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def bench(self, *arguments: object, **environment: object) -> str:
        """Run bench as the user does on a login node: in the image, if there is one."""
        return self.run("slurm/bench", *arguments, **environment)

    def submit(self, script: str, plan: Path, *options: str, **environment: object) -> str:
        """Submit a script of slurm/ as an array; its job's number."""
        log = f"--output={plan.parent}/%a.log"
        command = ("sbatch", "--parsable", log, *options, f"slurm/{script}", plan)
        return self.run(*command, **environment).strip()

    def job(self, job: str) -> dict[str, str]:
        """What SLURM says of a job or a task (`12_3`): JobState, BatchHost, Restarts, and more."""
        said = self.run("scontrol", "--oneliner", "show", "job", job).splitlines()[0]
        return dict(re.findall(r"(\w+)=(\S*)", said))

    def ended(self, job: str) -> dict[str, str]:
        """The same, when it is over."""
        over = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
        wait_for(lambda: self.job(job)["JobState"] in over, f"the end of job {job}")
        return self.job(job)

    def let_time_run_out(self, job: str) -> None:
        """Set a running job's time limit so that SLURM will soon tell it, and not yet end it."""
        hours, minutes, _ = map(int, self.job(job)["RunTime"].split(":"))
        self.give_time(job, 60 * hours + minutes + 2)

    def give_time(self, job: str, minutes: int) -> None:
        self.run("scontrol", "update", f"jobid={job}", f"timelimit={minutes}")

    def processes(self, of: str) -> list[str]:
        """Command lines of what runs on the nodes, as far as they have a word in them."""
        found = []
        for path in (self.folder / "run").glob("node*.pid"):
            node = Path(f"/proc/{path.read_text().strip()}/task").glob("*/children")
            inside = next(iter("".join(each.read_text() for each in node).split()))
            listed = ["nsenter", "-t", inside, "-a", "ps", "-eo", "args"]
            found += subprocess.run(listed, capture_output=True, text=True).stdout.splitlines()
        return [line for line in found if of in line]

    def _environment(self, more: dict[str, Any]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BENCH_", "SLURM_", "PYTEST_", "RAY_"))
        }
        mine = {**self.environment, **more}
        return {**inherited, "TMPDIR": "/tmp", **{name: str(each) for name, each in mine.items()}}


@dataclass(frozen=True)
class Case:
    """A suite of logged trainings in a folder that all nodes see, its results and its plan."""

    slurm: Slurm
    folder: Path

    @classmethod
    def make(cls, slurm: Slurm, folder: Path, training: dict[str, Any], **keys: Any) -> "Case":
        """`training` are options of the objective, `keys` are the suite's."""
        keys = {"budget": 4, "seeds": 1, "gpus": [1], **keys}
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        path = str(slurm.checkout / "tests/plugins/logged.py")
        options = {"path": path, "log": str(folder / "steps.log"), **training}
        lines += ["[[objectives]]", *(f"{k} = {json.dumps(v)}" for k, v in options.items())]
        lines += ["[[algorithms]]", 'name = "random"']
        case = cls(slurm, folder)
        case.suite.write_text("\n".join(lines))
        return case

    @property
    def suite(self) -> Path:
        return self.folder / "logged.toml"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def plan(self) -> Path:
        """Made by hand, as a user would who has no `bench submit`."""
        path = self.folder / "plan.jsonl"
        if not path.exists():
            path.write_text(self.bench("plan", self.suite, "--device", "cpu", "--json"))
        return path

    def submit(self, script: str, *options: str, **environment: object) -> str:
        return self.slurm.submit(
            script, self.plan, *options, **{"BENCH_RESULTS": self.results, **environment}
        )

    def bench(self, *arguments: object) -> str:
        return self.slurm.bench(*arguments, BENCH_RESULTS=self.results)

    def __str__(self) -> str:
        """What the batch scripts printed, for a failed test to show."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n{log.read_text()}" for log in logs if log.stem != "steps"
        )

    def log(self, index: int = 0) -> str:
        """What a task's batch script printed."""
        path = self.folder / f"{index}.log"
        return path.read_text() if path.exists() else ""

    def records(self) -> list[Record]:
        """Journals, in the order of their names."""
        return [read(path) for path in sorted((self.results / "logged").glob("*.jsonl"))]

    def steps(self, job: str | None = None) -> list[dict[str, Any]]:
        """Steps that were trained, each time that they were; in one job, if it is given."""
        path = self.folder / "steps.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [step for step in map(json.loads, lines) if job in (None, step["job"])]

    def finished(self) -> set[float]:
        """The x of the trials of which the journals say now that they came to their end."""
        found = set()
        for record in self.records():
            suggested = {e["trial"]: e["configuration"]["x"] for e in events(record, "suggest")}
            found |= {suggested[e["trial"]] for e in events(record, "finish")}
        return found

    def trained_twice(self, finished: set[float]) -> list[dict[str, Any]]:
        """Steps of these trials that were trained more than once."""
        found, seen = [], set()
        for step in self.steps():
            which = (step["x"], step["step"])
            if which in seen and step["x"] in finished:
                found.append(step)
            seen.add(which)
        return found


def events(record: Record, kind: str) -> list[dict[str, Any]]:
    return [event for event in record.events if event["event"] == kind]


def is_done(record: Record) -> bool:
    return record.finished and record.end is not None and record.end["status"] == "completed"
