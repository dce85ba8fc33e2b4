"""Shared by the tests of endpoints: a key that must never show, and quick pauses."""

from pathlib import Path

import pytest

from unfaithful_cot.endpoints import batches, pace, window

SECRET = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _key_and_quick_pauses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr(window, "BACKOFF_S", 0.01)
    monkeypatch.setattr(pace, "BREAK_S", 0.05)
    monkeypatch.setattr(batches, "POLL_S", 0.05)
    monkeypatch.chdir(tmp_path)
