"""A user's algorithm that pauses every trial after its third step, and resumes it later."""

from typing import Any

from bench.algorithm import Algorithm, Problem


class Pausing(Algorithm):
    """Random search; a paused trial goes on before a new one begins."""

    def ray(self, problem: Problem) -> tuple[Any, Any]:
        from ray.tune.experiment import Trial
        from ray.tune.schedulers import FIFOScheduler

        from bench.algorithms._random import RandomSearcher

        class PauseOnce(FIFOScheduler):
            def on_trial_result(self, tune_controller: Any, trial: Any, result: Any) -> str:
                return self.PAUSE if result["training_iteration"] == 3 else self.CONTINUE

            def choose_trial_to_run(self, tune_controller: Any) -> Any:
                for trial in tune_controller.get_trials():
                    if trial.status == Trial.PAUSED:
                        return trial
                return super().choose_trial_to_run(tune_controller)

        return RandomSearcher(problem), PauseOnce()
