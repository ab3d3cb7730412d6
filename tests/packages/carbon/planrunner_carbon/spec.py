"""What a plan may write: `carbon:`."""

from planrunner.language.fields.declared import Field
from planrunner.language.fields.types import Duration, TextField
from planrunner.outputs import OutputModel


class CarbonModel(OutputModel):
    """Settings of the Carbon output."""

    address: TextField = Field(
        description="Host and port of Carbon.", examples=["'127.0.0.1:2003'"]
    )
    prefix: TextField | None = Field(
        None, description="What paths begin with. Default `load`.", examples=["load.nightly"]
    )
    every: Duration | None = Field(
        None, description="How often to send. Default 1s.", examples=["10s"]
    )
