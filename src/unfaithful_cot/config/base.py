"""What every part of the configuration is: immutable, with no key that is not declared."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[float, Field(ge=0, le=1)]

Count = Annotated[int, Field(ge=1)]

Year = Annotated[int, Field(ge=1900, le=2100)]


class Strict(BaseModel):
    """Immutable; an unknown key is an error.

    pace: keys that say how fast, with which key or at which price, and change nothing that comes out: they rerun nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    pace: ClassVar[frozenset[str]] = frozenset()

    def content(self) -> dict[str, Any]:
        """What results depend on, as JSON values: every key but those of `pace`, here and in the parts below."""
        return {
            name: getattr(self, name).content() if isinstance(getattr(self, name), Strict) else value
            for name, value in self.model_dump(mode="json").items()
            if name not in self.pace
        }
