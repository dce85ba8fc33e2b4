"""The smoke study, for the tests of this folder."""

from fixtures.smoke_study import finished, fresh, study

__all__ = ["finished", "fresh", "study"]
