"""A paused trial whose training saves nothing begins again, and Ray says nothing of it.

Not a defect that a correction removes: the engine saves every training's `state`, and `bench check`
holds objectives to going on from it exactly. When this test fails, Ray refuses or warns.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
import ray
from ray import tune
from ray.tune.schedulers import HyperBandScheduler

FOLDER = sys.argv[1]

class Forgetful(tune.Trainable):
    def setup(self, config):
        self.config, self.trained = config, 0
    def reset_config(self, config):
        self.config, self.trained = config, 0
        return True
    def step(self):
        self.trained += 1
        with open(FOLDER + "/steps", "a") as file:
            file.write(str(self.trained) + "\\n")
        return {"loss": self.config["x"] + 1 / self.trained}
    def save_checkpoint(self, folder):
        return None
    def load_checkpoint(self, folder):
        pass

ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False,
         logging_level="error", _node_ip_address="127.0.0.1")
results = tune.Tuner(
    Forgetful,
    param_space={"x": tune.grid_search([n / 8 for n in range(8)])},
    tune_config=tune.TuneConfig(
        scheduler=HyperBandScheduler("training_iteration", "loss", "min", max_t=9),
        reuse_actors=True,
    ),
    run_config=tune.RunConfig(storage_path=FOLDER, verbose=0),
).fit()
recorded = sum(result.metrics["training_iteration"] for result in results)
print(json.dumps({"recorded": recorded, "errors": results.num_errors}))
"""


def test_ray_trains_a_paused_trial_from_its_first_step_and_counts_on(tmp_path: Path) -> None:
    """Three trials of 9 steps; five of 3 steps, of which two go on: 3 · 9 + 5 · 3 + 2 · 6 = 54."""
    environment = {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TMPDIR": "/tmp",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    steps = [int(line) for line in (tmp_path / "steps").read_text().split()]
    assert said == {"recorded": 54, "errors": 0}
    assert len(steps) == 54 and steps.count(9) == 3, "those that went on never had nine steps"
    assert steps.count(1) == 8 + 2, "and began again"
