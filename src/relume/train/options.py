"""What all groups of recipe keys have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Options(BaseModel):
    """A group of recipe keys: no unknown ones, never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
