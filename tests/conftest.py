"""Makes `tests/` importable, so that tests find `fixtures`."""
