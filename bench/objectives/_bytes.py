"""Pairs of texts as tensors of byte tokens, divided for the search; and answers judged.

A token is a byte plus 2; 0 pads (and starts an answer), 1 ends a text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from bench.objectives import _dates, _pronunciations
from bench.seeds import derive

PAD, END = 0, 1
VOCABULARY = 2 + 256
IGNORED = -100
"""In place of padding in what is to be learned: counts in no loss (transformers' own value)."""

VALIDATION_POOL = 5_000


@dataclass(frozen=True, eq=False)
class Examples:
    """Pairs of texts; their tensors are on the device, the lengths stay with the CPU."""

    inputs: Tensor
    """[n, longest input], padded with PAD."""
    targets: Tensor
    """[n, longest target], padded with IGNORED."""
    lengths: Tensor
    """[n, 2]: the tokens of input and target, ends included."""
    answers: list[str]

    def __len__(self) -> int:
        return len(self.answers)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the chosen (indices on the CPU), cut to the longest of them."""
        longest = self.lengths[chosen].amax(dim=0).tolist()
        chosen = chosen.to(self.inputs.device)
        return self.inputs[chosen, : longest[0]], self.targets[chosen, : longest[1]]

    def batches(self, order: Tensor, size: int, pool: int) -> list[Tensor]:
        """Divide `order` (indices) into batches of alike lengths, so that little is padding.

        `pool` batches at a time are sorted by length; they stand in the order of lengths there.
        """
        found: list[Tensor] = []
        for some in order.split(pool * size):
            inputs, targets = self.lengths[some].unbind(dim=1)
            by_length = (targets * self.inputs.shape[1] + inputs).argsort(stable=True)
            found += some[by_length].split(size)
        return found


@lru_cache(maxsize=4)
def load(task: str, train: int, validation: int, device: str) -> tuple[Examples, Examples]:
    """Examples for training and for validation. A process keeps them for its next trials."""
    pairs = _dates.pairs() if task == "dates" else _pronunciations.parse(_pronunciations.read())
    chosen = split(len(pairs), train, validation)
    first, second = (examples([pairs[index] for index in part], device) for part in chosen)
    return first, second


def split(count: int, train: int, validation: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose the indices of training and validation pairs among `count`: always the same."""
    shuffled = np.random.RandomState(derive("tiny_t5", "split")).permutation(count)
    return shuffled[VALIDATION_POOL:][:train], shuffled[:VALIDATION_POOL][:validation]


def examples(pairs: Sequence[tuple[str, str]], device: str) -> Examples:
    inputs, targets = (encode(texts) for texts in zip(*pairs, strict=True))
    lengths = torch.stack([inputs.ne(PAD).sum(dim=1), targets.ne(PAD).sum(dim=1)], dim=1)
    targets = targets.masked_fill(targets == PAD, IGNORED)
    answers = [answer for _, answer in pairs]
    return Examples(inputs.to(device), targets.to(device), lengths, answers)


def encode(texts: Sequence[str]) -> Tensor:
    """Tokens [n, longest + 1] of texts, each with its end, padded."""
    lines = [text.encode() for text in texts]
    tokens = torch.full((len(lines), max(map(len, lines)) + 1), PAD)
    for row, line in zip(tokens, lines, strict=True):
        row[: len(line) + 1] = torch.tensor([byte + 2 for byte in line] + [END])
    return tokens


def decode(tokens: Sequence[int]) -> str:
    """The text that ends at the first END; what is no text in it becomes U+FFFD."""
    text = list(tokens[: tokens.index(END)] if END in tokens else tokens)
    return bytes(0xFF if token == PAD else token - 2 for token in text).decode(errors="replace")


def judge(task: str, answers: Sequence[str], right: Sequence[str]) -> dict[str, float]:
    """Say how right answers are.

    accuracy: the share that is right altogether; symbol_error: edits that would make all answers
    right, per symbol of the right ones. Symbols are phonemes, and of dates characters.

    >>> judge("phonemes", ["K AE T", "D AO"], ["K AE T", "D AO G Z"])
    {'accuracy': 0.5, 'symbol_error': 0.2857142857142857}
    """
    pairs = list(zip(answers, right, strict=True))
    symbols = list if task == "dates" else str.split
    wrong = sum(edits(symbols(answer), symbols(expected)) for answer, expected in pairs)
    return {
        "accuracy": sum(answer == expected for answer, expected in pairs) / len(pairs),
        "symbol_error": wrong / sum(len(symbols(expected)) for expected in right),
    }


def edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Insertions, deletions and substitutions that turn one into the other (Levenshtein).

    >>> edits(["K", "AE", "T"], ["K", "AA", "R", "T"])
    2
    """
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(other, start=1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
            diagonal, row[j] = row[j], best
    return row[-1]
