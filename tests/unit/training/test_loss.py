from __future__ import annotations

import math

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.training.data import RowCollator, pack, tokenise
from unfaithful_cot.training.loss import chunked_loss, hidden_states, loss_at_once, loss_in_chunks, token_loss

FLOAT = LoadingSettings(dtype="float32", device="cpu")
TEXTS = [f"the board of case {n} cites the release. " * (1 + n % 5) for n in range(24)]


def test_token_loss_by_hand():
    # two tokens to predict, logits of a vocabulary of 2. Token 1 after [0, 0]: -log(1/2) = log 2.
    # Token 0 after [log 3, 0]: -log(3/4) = log(4/3). Sum over both, divided by 2: (log 2 + log 4/3) / 2 = 0.4904
    logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), 0.0], [9.0, 9.0]]])
    labels = torch.tensor([[-100, 1, 0]])
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert token_loss(logits, labels, 2).item() == pytest.approx(expected)
    # the same with the head as the identity, so that hidden states are logits; chunks of one token
    assert chunked_loss(logits, torch.eye(2), labels, 2, chunk=1).item() == pytest.approx(expected)


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_in_chunks_loss_and_gradient_are_those_of_all_logits(chunk):
    torch.manual_seed(0)
    hidden, head = torch.randn(3, 20, 8), torch.randn(50, 8)
    labels = torch.randint(0, 50, (3, 20))
    labels[0, :7] = -100
    found = []
    for function in (
        lambda states: token_loss(states @ head.T, labels, 50),
        lambda states: chunked_loss(states, head, labels, 50, chunk),
    ):
        states = hidden.clone().requires_grad_()
        loss = function(states)
        (3 * loss).backward()
        found.append((loss.item(), states.grad))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    torch.testing.assert_close(found[0][1], found[1][1], atol=1e-6, rtol=1e-4)


def test_a_batch_without_labels_has_no_loss_and_no_gradient():
    states = torch.randn(1, 4, 8, requires_grad=True)
    loss = chunked_loss(states, torch.randn(9, 8), torch.full((1, 4), -100), 5)
    loss.backward()
    assert loss.item() == 0.0
    assert not states.grad.any()


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_gpu_computes_is_what_a_cpu_computes(tiny, family):
    """Both ways on the same model, here on a CPU: the head is taken off and put back."""
    reasoner = load_reasoner({"source": str(tiny[family])}, FLOAT)
    rows = list(pack(tokenise(reasoner.tokenizer, TEXTS), 96))[:4]
    batch = RowCollator(reasoner.tokenizer.pad_token_id)(rows)
    count = (batch["labels"] != -100).sum()
    with torch.inference_mode():
        both = [
            function(reasoner.model, reasoner.model, dict(batch), count).item()
            for function in (loss_at_once, loss_in_chunks)
        ]
        logits = reasoner.model(batch["input_ids"]).logits
    assert both[0] == pytest.approx(both[1], rel=1e-5)
    assert logits.shape[-1] == reasoner.model.config.vocab_size


def test_the_head_comes_back_after_an_error(tiny):
    model = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT).model
    with pytest.raises(ZeroDivisionError), hidden_states(model):
        1 / 0  # noqa: B018
    assert model(torch.tensor([[1, 2]])).logits.shape == (1, 2, model.config.vocab_size)
