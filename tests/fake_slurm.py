"""SLURM's commands as a test wants them to answer: `sbatch` writes down how it was called."""

import json
import os
import stat
from pathlib import Path

SBATCH = """#!/bin/sh
cd "{folder}"
if [ -f sbatch.refusal ]; then cat sbatch.refusal >&2; exit 1; fi
number=$(($(cat number 2>/dev/null || echo 100) + 1))
echo $number >number
printf '%s\\n' "$@" >call.$number
env >env.$number
echo $number
"""

ANSWER = """#!/bin/sh
cd "{folder}"
for file in "{command}" "{command}.$1" "{command}.$2" "{command}.$3"; do
  if [ -f "$file.answer" ]; then cat "$file.answer"; exit 0; fi
done
echo "{refusal}" >&2
exit 1
"""

REFUSALS = {
    "squeue": "slurm_load_jobs error: Invalid job id specified",
    "sacct": "Slurm accounting storage is disabled",
    "scontrol": "slurm_load_jobs error: Invalid job id specified",
}
"""What a SLURM without accounting says of a job that it has forgotten."""


class FakeSlurm:
    """`path` is to be the PATH; without answers every job is forgotten."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "slurm"
        (self.folder / "bin").mkdir(parents=True)
        self._command("sbatch", SBATCH.format(folder=self.folder))
        for command, refusal in REFUSALS.items():
            script = ANSWER.format(folder=self.folder, command=command, refusal=refusal)
            self._command(command, script)
        self.path = f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def answer(self, command: str, text: str) -> None:
        """Have a command answer this; "scontrol.config": only to `scontrol show config`."""
        (self.folder / f"{command}.answer").write_text(text)

    def forget(self, command: str) -> None:
        (self.folder / f"{command}.answer").unlink()

    def refuse(self, command: str, text: str) -> None:
        """Have a command fail with this message."""
        if command == "sbatch":
            (self.folder / "sbatch.refusal").write_text(text)
        else:
            self._command(command, f'#!/bin/sh\necho "{text}" >&2\nexit 1\n')

    @property
    def calls(self) -> dict[str, list[str]]:
        """The options and arguments of each call of sbatch, by the job's number."""
        files = sorted(self.folder.glob("call.*"))
        return {file.suffix[1:]: file.read_text().splitlines() for file in files}

    def environment(self, job: str) -> dict[str, str]:
        lines = (self.folder / f"env.{job}").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def _command(self, name: str, text: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)


def site_text(**keys: object) -> str:
    """A site of nodes with four cores; keywords replace or add keys, None removes one."""
    site: dict[str, object] = {
        "verified": False,
        "device": "cpu",
        "gpus_per_node": 4,
        "default_time": "1:00:00",
        "max_time": "10:00:00",
        **keys,
    }
    return "\n".join(f"{k} = {json.dumps(v)}" for k, v in site.items() if v is not None)
