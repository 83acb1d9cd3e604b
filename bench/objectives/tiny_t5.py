"""Objective `tiny_t5`: a T5 learns how words are pronounced; one step is one pass over them."""

import math
import os
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bench.objective import Limits, Objective, Training

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace


class TinyT5(Objective):
    """Validation cross-entropy (nats per output byte, teacher-forced) of a T5 from scratch.

    It reads and writes bytes: "about" -> "AH B AW T". The words are those of the CMU Pronouncing
    Dictionary; no word is in both training and validation. The defaults are for one core of a
    CPU; docs/decisions/0006-tiny-t5.md has the reasons, and settings for a GPU.
    """

    max_steps: int = Field(default=9, ge=1, le=1000)
    """Passes over the training words in a full training."""

    task: Literal["phonemes", "dates"] = "phonemes"
    """What is learned: pronunciations; or the ISO form of written-out dates, a synthetic task
    that a small T5 solves ("March 5, 1987" -> "1987-03-05"; a date counts as a word)."""

    train_words: int = Field(default=4_000, ge=16, le=100_000)
    """Training words: a fixed random subset; a smaller one is part of every larger one."""

    validation_words: int = Field(default=500, ge=16, le=5_000)
    """Validation words: likewise, of 5,000 that no training sees."""

    max_hidden: int = Field(default=128, ge=32, le=1024, multiple_of=32)
    """The largest hidden size. The search space offers a quarter of it and more; as the width of
    the feed-forward layers, half of it to four times it."""

    max_layers: int = Field(default=3, ge=2, le=24)
    """The most layers, of the encoder and of the decoder each."""

    max_batch_size: Literal[128, 256, 512, 1024] = 128
    """The largest batch; the others are its half, its quarter and its eighth."""

    worst_loss: ClassVar[float] = math.log(258)  # guessing: each of 256 bytes and 2 marks alike
    metrics: ClassVar[dict[str, str]] = {
        "accuracy": "share of validation words decoded without an error",
        "symbol_error": "edits per phoneme (dates: per character) of the right answers",
    }

    limits: ClassVar[dict[str, Limits]] = {
        "lr": (0.0, 1.0),
        "batch_size": (1, 4096),
        "layers": (1, 24),
        "d_ff": (1, 8192),
        "dropout": (0.0, 0.9),
        "weight_decay": (0.0, 1.0),
    }

    def space(self) -> "ConfigurationSpace":
        """Ten hyper-parameters, each of whose combinations is a T5; weight_decay is AdamW's.

        hidden_by_8 is the hidden size divided by 8, the most heads: each head count divides it.
        warm_up is the share of a full training during which the learning rate rises.
        """
        from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, Integer

        optimizer = Categorical("optimizer", ["adamw", "adafactor", "sgd"])
        weight_decay = Float("weight_decay", (1e-3, 1.0), log=True)
        space = ConfigurationSpace()
        space.add(
            Float("lr", (1e-4, 1e-1), log=True),
            Float("warm_up", (0.0, 0.3)),
            Categorical("batch_size", [self.max_batch_size // part for part in (8, 4, 2, 1)]),
            optimizer,
            Integer("hidden_by_8", (self.max_hidden // 32, self.max_hidden // 8), log=True),
            Categorical("heads", [1, 2, 4, 8]),
            Integer("layers", (1, self.max_layers)),
            Integer("d_ff", (self.max_hidden // 2, 4 * self.max_hidden), log=True),
            Float("dropout", (0.0, 0.3)),
            weight_decay,
            EqualsCondition(weight_decay, optimizer, "adamw"),
        )
        return space

    def train(self, configuration: dict[str, Any], seed: int, device: str) -> Training:
        os.environ["HF_HUB_OFFLINE"] = "1"  # read at import; nothing here asks the hub anyway
        from bench.objectives._t5 import T5Training

        return T5Training(self, configuration, seed, device)

    def prepare(self) -> None:
        if self.task == "phonemes":
            from bench.objectives._pronunciations import read

            read()
