"""The smoke study and the report of a small study, for the tests of this folder."""

from fixtures.smoke_study import finished, fresh
from unit.report.conftest import report, study

__all__ = ["finished", "fresh", "report", "study"]
