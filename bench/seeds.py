"""Seeds by SHA-256 from named parts: the same in every process, on every machine."""

import hashlib
import json


def canonical(value: object) -> str:
    """Serialise a JSON value in the one form that hashes are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: object) -> str:
    """Hash named parts (JSON values) to 64 hexadecimal digits."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def derive(*parts: object) -> int:
    """Derive a seed in [0, 2**32) from named parts (JSON values).

    >>> derive("search", "mnist_cnn", 0)
    3642764049
    """
    return int(digest(*parts)[:8], 16)


def search_seed(objective: str, seed: int) -> int:
    """Seed of a search: the same for every algorithm and GPU count, so that runs are paired."""
    return derive("search", objective, seed)


def worker_seed(seed: int, number: int, suggestions: int = 0) -> int:
    """Seed of one of Optuna's workers, from its search's.

    `number` counts the workers that were started, from 1; of a search that goes on, `suggestions`
    are those that it had. The first worker of all has the search's own.
    """
    if (number, suggestions) == (1, 0):
        return seed
    return derive("worker", seed, number, suggestions)


def training_seed(objective: str, seed: int, configuration: dict) -> int:
    """Seed of one training: every algorithm that tries a configuration meets the same noise."""
    return derive("training", objective, seed, configuration)
