"""What holds for every test: one thread for each library, Ctrl-C that arrives, time enough, one smoke study for all workers.

`tests` itself is on the path (pyproject.toml), so that tests find `fixtures`, and helpers of other folders by their place.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# as many workers as cores, so one thread a worker; before torch and numpy are imported
os.environ.setdefault("OMP_NUM_THREADS", "1")
# nohup and some CI start their commands with SIGINT ignored, which every process started here would inherit
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
SECONDS = {"workflow": 600, "long": 1800}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run Snakemake, or a whole study, may take longer than the default of pyproject.toml."""
    for item in items:
        seconds = SECONDS.get(item.path.relative_to(TESTS).parts[0])
        if seconds and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(seconds))
