"""Reports a second of Syne Tune's simulator backend, for test_loop_speed.py.

Run by an environment of its own (requirements/syne-tune.txt): `python syne_tune_speed.py asha 64
500` prints the seconds and the reports of one search by 64 workers that starts 500 trials. The
problem is that of test_loop_speed.py: four parameters, curves of nine steps, from a formula.
"""

import json
import logging
import os
import sys
import tempfile
import time

import numpy as np

STEPS = 9
NAMES = ["x0", "x1", "x2", "x3"]


def main(algorithm: str, workers: int, trials: int) -> None:
    os.environ["SYNETUNE_FOLDER"] = tempfile.mkdtemp()
    from syne_tune import StoppingCriterion, Tuner
    from syne_tune.backend.simulator_backend.simulator_callback import SimulatorCallback
    from syne_tune.blackbox_repository.blackbox import Blackbox
    from syne_tune.blackbox_repository.simulated_tabular_backend import UserBlackboxBackend
    from syne_tune.config_space import randint, uniform
    from syne_tune.optimizer.baselines import ASHA, RandomSearch

    logging.disable(logging.CRITICAL)
    steps = np.arange(1, STEPS + 1)

    class Formula(Blackbox):
        fidelity_values = steps

        def _objective_function(self, configuration, fidelity=None, seed=None):  # type: ignore[no-untyped-def]
            total = sum(configuration[name] for name in NAMES)
            return np.stack([total + 1 / steps, np.cumsum(np.full(STEPS, 1 + total / 7))], axis=1)

        def fidelity_name(self) -> str:
            return "step"

    space = {name: uniform(0, 1) for name in NAMES}
    blackbox = Formula(space, {"step": randint(1, STEPS)}, ["loss", "elapsed"])
    if algorithm == "random":
        scheduler = RandomSearch(space, metrics=["loss"], random_seed=0)
    else:
        scheduler = ASHA(space, metric="loss", time_attr="step", max_t=STEPS, random_seed=0)
    tuner = Tuner(
        trial_backend=UserBlackboxBackend(blackbox, elapsed_time_attr="elapsed"),
        scheduler=scheduler,
        stop_criterion=StoppingCriterion(max_num_trials_started=trials),
        n_workers=workers,
        sleep_time=0,
        callbacks=[SimulatorCallback()],
        results_update_interval=1e9,
        print_update_interval=1e9,
        save_tuner=False,
    )
    began = time.perf_counter()
    tuner.run()
    seconds = time.perf_counter() - began
    reports = tuner.tuning_status.overall_metric_statistics.count
    print(json.dumps({"seconds": seconds, "reports": reports}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
