"""Another rank than 0 of a trial's training: does what rank 0 says, and ends when that ends.

Started as `python -m bench.engines._rank`, which reads from its input where rank 0 listens; or, by
the engine `ray`, as an actor (_rank_actors.py).
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
import threading
import traceback
from queue import SimpleQueue

from bench import plugins
from bench.cell import Cell
from bench.engines._training import words_of
from bench.engines._wire import Message, hear, say, watched
from bench.objective import Objective, Rank, Training


def serve(number: int, where: Message) -> None:
    """Train as told. It does not return: when rank 0 is gone, so is this process, in a step too."""
    raw = socket.create_connection((where["host"], where["port"]))
    own_address = raw.getsockname()[0]
    connection = watched(raw)
    say(connection, {"rank": number, "token": where["token"]})
    cell = Cell.from_json(hear(connection)["cell"])
    messages: SimpleQueue[Message] = SimpleQueue()

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = hear(connection)
                if message["what"] == "load":
                    message["state"] = connection.recv_bytes()
                messages.put(message)
        os._exit(0)

    threading.Thread(target=listen, name="rank 0", daemon=True).start()
    rank = Rank(number, cell.ranks, own_address, lambda _: str(messages.get()["word"]))
    try:
        objective: Objective = plugins.make("objectives", cell.objective)
        training: Training | None = None
        while True:
            message = messages.get()
            if message["what"] == "train":
                training = None  # first let go of the one before
                configuration, seed = message["configuration"], message["seed"]
                training = objective.train_part(configuration, seed, cell.device, rank)
            elif message["what"] == "load":
                assert training is not None
                training.load(message["state"])
            elif message["what"] == "step":
                assert training is not None
                training.step()
            say(connection, {})
    except Exception as error:
        traceback.print_exc()
        with contextlib.suppress(OSError):
            say(connection, {"error": words_of(error)})
        threading.Event().wait()  # until rank 0 has ended


def main() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: should it hang in C code
    asked = json.load(sys.stdin)
    serve(asked["rank"], asked["where"])


if __name__ == "__main__":
    main()
