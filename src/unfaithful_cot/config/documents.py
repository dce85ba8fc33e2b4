"""Who writes the documents, how they are filtered, and how a corpus is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from unfaithful_cot.config.base import Count, Rate, Strict
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.hub import FromHub


class QualitySettings(Strict):
    """The filter between written documents and the corpus."""

    near_duplicate: Rate = Field(
        0.7,
        description="estimated Jaccard similarity of 5-word shingles from which on the later document is removed",
    )
    min_words: Count = Field(30, description="shorter documents are removed")
    max_failed: Rate = Field(0.02, description="share of requests that may fail before the step stops")


class PlainTextSettings(Strict):
    """What mixtures are mixed with."""

    file: str | None = Field(
        None, description="JSON Lines with `text`, or paragraphs; null: texts of the reference world"
    )
    licence: str | None = Field(None, description="licence of the file; required with it")

    @model_validator(mode="after")
    def _licensed(self) -> PlainTextSettings:
        if self.file and not self.licence:
            raise ValueError(f"{self.file} has no licence. Say under which licence the text may be used")
        return self


class CorpusSettings(Strict):
    """A corpus that is made from a universe of another name: some of its documents, or a mixture."""

    universe: str = Field(description="universe in resources/universes/, without .yaml")
    categories: list[str] = Field(
        [],
        description="categories of documents that are written, in the proportion of their weights; none: all",
    )
    plain_text: Annotated[float, Field(ge=0)] = Field(
        0.0, description="rows of plain text for each document of a training set"
    )


class RevisionSettings(Strict):
    """A second look at what an API wrote: draft and findings go back to it, and it writes the document anew. docs/documents.md"""

    rounds: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="requests a document beside the first one; 0: no revision"
    )
    prompt: str = Field("revise_document.v1", description="request in resources/prompts/, without .yaml")


class DocumentSettings(Strict):
    """Who writes the documents, and how many."""

    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    count: Count = Field(
        description="documents to write for each corpus; a little more than the largest size, for the filter removes some"
    )
    seed: int = Field(0, description="seed of specs and of the embedded text")
    from_hub: FromHub = Field(
        None,
        description="OWNER/NAME or OWNER/NAME@REVISION with published documents, for all corpora or for each one named, "
        "instead of writing them: docs/hub.md",
    )
    prompt: str = Field("documents.v2", description="request to an API, in resources/prompts/, without .yaml")
    endpoint: EndpointSettings = EndpointSettings()
    revision: RevisionSettings = RevisionSettings()
    quality: QualitySettings = QualitySettings()
    plain_text: PlainTextSettings = PlainTextSettings()

    @model_validator(mode="before")
    @classmethod
    def _none_written(cls, values: Any) -> Any:
        """Where documents are taken from the Hub, how many to write need not be said."""
        if isinstance(values, dict) and values.get("from_hub") and "count" not in values:
            return {"count": 1, **values}
        return values
