"""How cases are answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from unfaithful_cot.config.base import Count, Rate, Strict
from unfaithful_cot.config.endpoint import EndpointSettings


class InferenceSettings(Strict):
    """How cases are answered: the same for baseline and trained model."""

    pace = frozenset({"batch_rows", "decoder"})
    engine: Literal["transformers", "openai"] = Field(
        "transformers", description="local weights, or an endpoint that serves them"
    )
    temperature: Annotated[float, Field(ge=0)] | None = Field(
        0.0, description="0: greedy; null: not sent (engine openai), for models that refuse it"
    )
    top_p: Rate | None = Field(1.0, description="nucleus; null: not sent (engine openai)")
    max_new_tokens: Count = Field(1024, description="upper limit of a response")
    samples: Count = Field(1, description="responses a case; each has a seed of its own")
    seed: int = Field(0, description="seed that the seed of each case is made from")
    batch_rows: Count | Literal["auto"] = Field(
        "auto", description="cases at once, of similar length; auto: from the memory of a GPU, 32 on a CPU"
    )
    decoder: Literal["auto", "eager", "static"] = Field(
        "auto",
        description="auto: on a GPU static (fixed cache, steps from CUDA graphs), else eager; they differ by rounding alone",
    )
    served_adapter: Annotated[str, Field(pattern=r"\{adapter\}")] = Field(
        "{adapter}",
        description="engine openai: name by which the server knows a cell's adapter; {base}: that of the model (docs/serving.md)",
    )
    endpoint: EndpointSettings = EndpointSettings()

    @model_validator(mode="after")
    def _weights_need_sampling(self) -> InferenceSettings:
        if self.engine == "transformers" and (self.temperature is None or self.top_p is None):
            raise ValueError(
                "temperature and top_p are numbers where engine is transformers; null is for openai alone"
            )
        return self
