"""Tests that need a CUDA device; elsewhere they are skipped. `python -m pytest tests/gpu` on a rented GPU."""

from __future__ import annotations

import pytest

from fixtures.tiny_models import FAMILIES, make_tiny


@pytest.fixture(autouse=True)
def _needs_cuda():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """{family: folder} of the tiny models, written once."""
    home = tmp_path_factory.mktemp("tiny")
    return {family: make_tiny(home / family, family) for family in FAMILIES}
