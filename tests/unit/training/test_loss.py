from __future__ import annotations

import math

import pytest
import torch

from unfaithful_cot.training.loss import token_loss


def test_token_loss_by_hand():
    # two tokens to predict, logits of a vocabulary of 2. Token 1 after [0, 0]: -log(1/2) = log 2.
    # Token 0 after [log 3, 0]: -log(3/4) = log(4/3). Sum over both, divided by 2: (log 2 + log 4/3) / 2 = 0.4904
    logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), 0.0], [9.0, 9.0]]])
    labels = torch.tensor([[-100, 1, 0]])
    expected = (math.log(2) + math.log(4 / 3)) / 2
    assert token_loss(logits, labels, 2).item() == pytest.approx(expected)


def test_a_batch_without_labels_has_no_loss_and_no_gradient():
    logits = torch.randn(1, 4, 9, requires_grad=True)
    loss = token_loss(logits, torch.full((1, 4), -100), 5)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()
