from __future__ import annotations

import pytest

from fixtures.tiny_models import FAMILIES, make_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """{family: folder} of the tiny models, written once."""
    home = tmp_path_factory.mktemp("tiny")
    return {family: make_tiny(home / family, family) for family in FAMILIES}
