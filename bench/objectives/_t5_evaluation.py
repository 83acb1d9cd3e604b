"""How well a T5 writes what is asked for: its loss, and the answers that it decodes."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bench.objectives._bytes import END, IGNORED, PAD, Examples, decode, judge

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration

BATCH = 250


@torch.inference_mode()
def evaluate(
    model: "T5ForConditionalGeneration", examples: Examples, task: str
) -> dict[str, float]:
    """Mean cross-entropy per output token (nats, teacher-forced), and how right the answers are.

    An answer is decoded greedily and has at most as many tokens as the longest right one.
    """
    model.eval()
    loss, answers = 0.0, [""] * len(examples)
    for chosen in examples.batches(torch.arange(len(examples)), BATCH, len(examples)):
        inputs, targets = examples.batch(chosen)
        known: dict[str, Any] = {"attention_mask": inputs != PAD}
        known["encoder_outputs"] = model.encoder(input_ids=inputs, **known)
        loss += model(labels=targets, **known).loss.item() * (targets != IGNORED).sum().item()
        decoded = greedy(model, known, len(inputs), examples.targets.shape[1])
        for index, tokens in zip(chosen.tolist(), decoded.tolist(), strict=True):
            answers[index] = decode(tokens)
    tokens_in_all = examples.lengths[:, 1].sum().item()
    return {"loss": loss / tokens_in_all, **judge(task, answers, examples.answers)}


def greedy(
    model: "T5ForConditionalGeneration", known: dict[str, Any], count: int, longest: int
) -> Tensor:
    """The likeliest next token, again and again: tokens [count, at most `longest`].

    `known` holds the encoder's outputs and their mask; keys and values of earlier tokens are kept.
    Ends when all answers have; what follows an END means nothing.
    """
    token = torch.full((count, 1), PAD, device=known["attention_mask"].device)
    tokens: list[Tensor] = []
    ended, past = torch.zeros_like(token, dtype=torch.bool), None
    while len(tokens) < longest and not ended.all():
        output = model(decoder_input_ids=token, past_key_values=past, use_cache=True, **known)
        past, token = output.past_key_values, output.logits[:, -1:].argmax(dim=-1)
        ended |= token == END
        tokens.append(token)
    return torch.cat(tokens, dim=1)
