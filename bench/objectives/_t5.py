"""The training behind `tiny_t5`: the model, and passes over the words that go on exactly.

What makes it fast on one thread: words are tensors on the device from the start, a batch is of
words of about the same length and cut to the longest, and answers are decoded many at a time.
"""

import io
import os
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim import SGD, Adafactor, AdamW, Optimizer
from transformers.models.t5.configuration_t5 import T5Config
from transformers.models.t5.modeling_t5 import T5ForConditionalGeneration

from bench.objectives._bytes import END, PAD, VOCABULARY, load
from bench.objectives._seeded import seeded, settle
from bench.objectives._t5_evaluation import evaluate
from bench.seeds import derive

if TYPE_CHECKING:
    from bench.objectives.tiny_t5 import TinyT5

POOL = 8
"""So many batches of training words are sorted by length at a time."""


class T5Training:
    """One training of one T5 (see bench.objective.Training); a step is a pass over the words."""

    def __init__(
        self, objective: "TinyT5", configuration: dict[str, Any], seed: int, device: str
    ) -> None:
        settle(device)
        if device != "cpu":  # cuBLAS reads the variable when it is first used
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True, warn_only=True)
        self.task, self.seed, self.device, self.steps_done = objective.task, seed, device, 0
        self.batch_size: int = configuration["batch_size"]
        self.words, self.validation = load(
            self.task, objective.train_words, objective.validation_words, device
        )
        with seeded(derive(seed, "weights"), "cpu"):
            model = build(configuration)
        self.model = model.to(device)
        self.optimizer = make_optimizer(self.model, configuration)
        self.lr: float = configuration["lr"]
        self.updates_per_step = -(-len(self.words) // self.batch_size)
        updates = objective.max_steps * self.updates_per_step
        self.rising_updates = max(1.0, configuration["warm_up"] * updates)

    def step(self) -> dict[str, float]:
        """Train a pass over the words; return validation's loss, accuracy and symbol_error."""
        self.model.train()
        update = self.steps_done * self.updates_per_step
        with seeded(derive(self.seed, "step", self.steps_done + 1), self.device):
            order = torch.randperm(len(self.words))
            batches = self.words.batches(order, self.batch_size, POOL)
            for index in torch.randperm(len(batches)).tolist():
                update += 1
                for group in self.optimizer.param_groups:
                    group["lr"] = self.lr * min(1.0, update / self.rising_updates)
                inputs, targets = self.words.batch(batches[index])
                self.optimizer.zero_grad()
                output = self.model(input_ids=inputs, attention_mask=inputs != PAD, labels=targets)
                output.loss.backward()
                self.optimizer.step()
        self.steps_done += 1
        return evaluate(self.model, self.validation, self.task)

    def state(self) -> bytes:
        buffer = io.BytesIO()
        parts = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save({"steps_done": self.steps_done, **parts}, buffer)
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        saved = torch.load(io.BytesIO(state), map_location=self.device, weights_only=True)
        self.steps_done = saved["steps_done"]
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])


def build(configuration: dict[str, Any]) -> T5ForConditionalGeneration:
    """The original T5 (C. Raffel et al., JMLR 21, 2020; ReLU, tied embeddings), from its sizes."""
    hidden = 8 * configuration["hidden_by_8"]
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=VOCABULARY,
            d_model=hidden,
            num_heads=configuration["heads"],
            d_kv=hidden // configuration["heads"],
            num_layers=configuration["layers"],
            d_ff=configuration["d_ff"],
            dropout_rate=configuration["dropout"],
            pad_token_id=PAD,
            decoder_start_token_id=PAD,
            eos_token_id=END,
            use_cache=False,
            attn_implementation="eager",  # the same arithmetic on every device; texts are short
        )
    )


def make_optimizer(model: nn.Module, configuration: dict[str, Any]) -> Optimizer:
    """Torch's own; Adafactor's lr bounds the relative step (N. Shazeer, M. Stern, ICML 2018)."""
    lr = configuration["lr"]
    match configuration["optimizer"]:
        case "adamw":
            decay = configuration["weight_decay"]
            return AdamW(model.parameters(), lr, weight_decay=decay, fused=True)
        case "adafactor":
            return Adafactor(model.parameters(), lr)
        case "sgd":
            return SGD(model.parameters(), lr, momentum=0.9, fused=True)
    raise ValueError(f"no optimizer {configuration['optimizer']!r}")
