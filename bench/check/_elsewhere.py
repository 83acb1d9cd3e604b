"""Ask a module of this package something about a plug-in, in a process with another hash seed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.check._violation import Violation
from bench.options import Options

ROOT = Path(__file__).parent.parent.parent


def ask_elsewhere(module: str, plugin: Options, asked: dict[str, Any]) -> Any:
    """The last line that `python -m MODULE` prints, which is JSON; it reads JSON from its input.

    There the plug-in is found as a trial's process finds it: by its name, or by the path of the
    user's own file. Raises Violation if that process fails.
    """
    file = sys.modules[type(plugin).__module__]
    own = file.__name__.startswith("bench.")
    asked = {
        "name": Path(str(file.__file__)).stem,
        "path": None if own else file.__file__,
        "options": plugin.model_dump(mode="json"),
        **asked,
    }
    python_path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": python_path},
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["died without a word"])[-1]
        raise Violation(f"in another process it fails: {last}")
    return json.loads(done.stdout.splitlines()[-1])
