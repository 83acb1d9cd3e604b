"""What a suite may set of an objective or an algorithm: typed fields, checked before running."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Base of Objective and Algorithm; its fields are the plug-in's options.

    Every option has a default, an unknown one is an error, and all of them (also those left at
    their default) are part of a cell's identity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
