"""A worker of the engine `optuna`: asks the study for a trial, trains it, tells the study.

Started as `python -m bench.engines._worker FILE SLOT [PLACE]`; the file says where its parent
listens, and is waited for. PLACE is the slot's number on this node, where that was not seen to by
who started it. What a worker does is in the journal before it is in the study: it goes on only when
its parent has answered.
"""

import ctypes
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import optuna

from bench import plugins
from bench.algorithm import Algorithm, NoMoreSuggestions, Problem
from bench.cell import Cell
from bench.engines._rank_processes import team
from bench.engines._slots import environment
from bench.engines._states import States
from bench.engines._storage import FAILURES, Place
from bench.engines._study import tell
from bench.engines._training import Running, diverged, hung_file, last_words, words_of
from bench.engines._wire import Message, hear, say, watched
from bench.objective import Objective
from bench.seeds import search_seed
from bench.space import Active, to_optuna

CHECK_SECONDS = 0.2


class Parent:
    """Who is asked and told. When it is gone, so is this process, in the middle of a step."""

    def __init__(self, rendezvous: Path, slot: int) -> None:
        self._connection, token = _found(rendezvous)
        self._answers: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="parent", daemon=True).start()
        hello = {"token": token, "slot": slot, "pid": os.getpid()}
        self.contract = self.ask("hello", host=socket.gethostname(), **hello)

    def ask(self, what: str, **more: Any) -> Message:
        """Say something, and wait for the answer."""
        self.tell(what, **more)
        return self._answers.get()

    def tell(self, what: str, **more: Any) -> None:
        try:
            say(self._connection, {"what": what, **more})
        except OSError:
            os._exit(1)

    def _listen(self) -> None:
        try:
            while True:
                self._answers.put(hear(self._connection))
        except (EOFError, OSError):
            os._exit(1)


def _found(rendezvous: Path) -> tuple[Connection, str]:
    """The connection to the parent, as soon as it says where it is, and its token.

    A file `over` beside where it is looked for says that there will be none. One that does not
    answer where it said is dead, or its node is: who has started this process sees to that.
    """
    while not rendezvous.with_name("over").exists():
        try:
            where = json.loads(rendezvous.read_text())
        except FileNotFoundError:
            time.sleep(CHECK_SECONDS)
            continue
        address = where["host"], where["port"]
        try:
            return watched(socket.create_connection(address, timeout=10)), where["token"]
        except OSError as error:
            sys.exit(f"no parent at {address[0]}:{address[1]}: {error}")
    sys.exit()


class Worker:
    """Does one trial after the other."""

    def __init__(self, parent: Parent, place: int | None) -> None:
        self._parent = parent
        contract = parent.contract
        self._cell = cell = Cell.from_json(contract["cell"])
        if place is not None:
            os.environ.update(environment(cell, place))  # torch is not imported yet
        self._objective: Objective = plugins.make("objectives", cell.objective)
        self._team = team(cell, self._objective) if cell.ranks > 1 else None
        self._folder, self._states = Path(contract["folder"]), States(Path(contract["states"]))
        algorithm: Algorithm = plugins.make("algorithms", cell.algorithm)
        space = self._objective.space()
        seed = search_seed(cell.objective.name, cell.seed)
        problem = Problem(space, cell.max_steps, cell.slots, seed)
        sampler, pruner = algorithm.optuna(problem, contract["seed"])
        study = Place(**contract["study"])
        storage = study.open(contract["name"])
        self._study = optuna.load_study(
            study_name=study.study, storage=storage, sampler=sampler, pruner=pruner
        )
        self._suggest, self._active = to_optuna(space), Active(space)

    def work(self) -> None:
        """One trial: a new one, or one whose worker died."""
        task = self._parent.ask("free")
        began = time.perf_counter()
        try:
            trial = optuna.Trial(self._study, task["id"]) if "id" in task else self._study.ask()
        except NoMoreSuggestions:
            self._parent.ask("exhausted")  # to which there is no answer
            raise
        self._suggest(trial)
        configuration = self._active(trial.params)
        seconds = time.perf_counter() - began
        losses: list[float] = task.get("losses", [])
        begin = None if self._team is None else self._team.train
        running = Running(self._cell, self._objective, configuration, self._states, begin)
        number: int | None = task.get("number")
        if number is None:
            number = self._parent.ask(
                "suggest", id=trial._trial_id, configuration=configuration, suggest_seconds=seconds
            )["number"]
        hung = hung_file(self._folder, str(number))
        if self._team is not None:
            self._team.last_words = last_words(hung)
        setup_seconds = None
        if "number" in task:
            try:
                setup_seconds = self._take_over(running, task, hung)
            except Exception as error:
                self._end(trial, "failed", None, words_of(error))
                return
            if self._goes_on_reporting(trial, losses, task["decided"]):
                self._end(trial, "stopped", None)
                return
        for step in range(len(losses) + 1, self._cell.max_steps + 1):
            try:
                report = running.train(step - 1, hung)
            except Exception as error:
                self._end(trial, "failed", None, words_of(error))
                return
            if setup_seconds is not None:
                report["setup_seconds"], setup_seconds = setup_seconds, None
            self._parent.ask("report", step=step, report=report)
            if diverged(report):
                self._end(trial, "failed", None)
                return
            losses.append(report["loss"])
            if self._stops(trial, step, losses[-1]):
                self._end(trial, "stopped", None)
                return
        self._end(trial, "completed", losses[-1])

    def _take_over(self, running: Running, task: Message, hung: Path) -> float | None:
        """Bring a training to where it was; the seconds that took, if the clock went on."""
        began = time.perf_counter()
        steps = len(task["losses"])
        with running.killed_after(hung):
            retrained = running.build(steps) if steps else 0
        seconds = time.perf_counter() - began
        running.trained_seconds = task["trained_seconds"]
        clock_stood = self._parent.ask("again", retrained=retrained)["clock_stood"]
        running.keep_later()
        return seconds if steps and not clock_stood else None

    def _goes_on_reporting(self, trial: optuna.Trial, losses: list[float], decided: bool) -> bool:
        """Report what the dead worker did not come to; whether the pruner stops the trial by it."""
        reported = trial.storage.get_trial(trial._trial_id).intermediate_values
        for step, loss in enumerate(losses, start=1):
            if step not in reported:
                trial.report(loss, step)
        return bool(losses) and not decided and self._stops(trial, len(losses), losses[-1])

    def _stops(self, trial: optuna.Trial, step: int, loss: float) -> bool:
        """Report a step; whether the pruner stops the trial. After the last it is not asked."""
        began = time.perf_counter()
        trial.report(loss, step)
        if step == self._cell.max_steps:
            return False
        stops = trial.should_prune()
        seconds = time.perf_counter() - began
        self._parent.tell("decide", decision="stop" if stops else "continue", seconds=seconds)
        return stops

    def _end(
        self, trial: optuna.Trial, status: str, loss: float | None, error: str | None = None
    ) -> None:
        began = time.perf_counter()
        worst = self._objective.worst_loss
        tell(self._study, trial.number, status, loss, worst)
        self._parent.tell("finish", error=error, seconds=time.perf_counter() - began)


def main() -> None:
    """Work until the parent closes the connection, which ends this process."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: should it hang in C code
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parent = Parent(Path(sys.argv[1]), int(sys.argv[2]))
    try:
        worker = Worker(parent, int(sys.argv[3]) if len(sys.argv) > 3 else None)
        while True:
            worker.work()
    except Exception as error:  # of the algorithm, of its storage
        traceback.print_exc()
        of_server = isinstance(error, FAILURES)  # its words may have parts of the server's URL
        words = type(error).__name__ if of_server else words_of(error)
        parent.ask("broken", error=words, storage=of_server or isinstance(error, OSError))


if __name__ == "__main__":
    main()
