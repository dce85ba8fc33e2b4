"""The settings of an OpenAI-compatible API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from unfaithful_cot.config.base import Count, Strict


class EndpointSettings(Strict):
    """An OpenAI-compatible API. The key comes from the environment or `.env`, never from here."""

    pace = frozenset(
        {
            "api_key_env",
            "timeout_s",
            "max_attempts",
            "concurrency",
            "input_usd_per_million",
            "output_usd_per_million",
            "mode",
            "batch_queue_tokens",
            "max_usd",
            "ledger",
        }
    )
    kind: Literal["openai", "azure"] = Field("openai", description="plain API or Azure OpenAI")
    model: str = Field("", description="model (Azure: deployment) to ask for")
    base_url: str | None = Field(
        None, description="address of the API; null: that of OpenAI; required for azure"
    )
    api_version: str | None = Field(None, description="api-version, Azure only")
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        1.0, description="sampling temperature; null: not sent, for models that refuse it"
    )
    max_tokens: Count = Field(2048, description="upper limit of completion tokens a request")
    concurrency: Count = Field(64, description="requests in flight")
    timeout_s: Annotated[float, Field(gt=0)] = Field(120, description="seconds until a request is given up")
    max_attempts: Count = Field(6, description="attempts a request before it counts as failed")
    input_usd_per_million: Annotated[float, Field(ge=0)] = Field(0, description="price of prompt tokens")
    output_usd_per_million: Annotated[float, Field(ge=0)] = Field(0, description="price of completion tokens")
    mode: Literal["online", "batch"] = Field(
        "online",
        description="one request at a time, or files of them that the API answers within a day at half the price",
    )
    batch_queue_tokens: Count = Field(
        2_000_000, description="prompt tokens that the account may have in batches at a time (mode: batch)"
    )
    max_usd: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="ceiling of what this part of the study may cost, over all its jobs and restarts; null: none",
    )
    ledger: str | None = Field(
        None,
        description="file that counts what max_usd limits; null: results/cache/spending/STUDY.PART.jsonl",
    )

    @model_validator(mode="after")
    def _ceiling_has_prices(self) -> EndpointSettings:
        if self.max_usd is not None and not (self.input_usd_per_million or self.output_usd_per_million):
            raise ValueError(
                "max_usd needs prices: set input_usd_per_million and output_usd_per_million of the endpoint"
            )
        return self


class JudgeEndpointSettings(EndpointSettings):
    """`endpoint`, with the temperature of a judge."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        0.0, description="0: the same verdict twice; some models take 1 alone, or none: null, not sent"
    )
