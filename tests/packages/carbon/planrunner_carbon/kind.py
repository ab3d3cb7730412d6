"""The output as one object. What takes an import is named, and imported when a plan needs it."""

from planrunner.outputs import OutputKind


def read_words(text):
    return {"address": text}  # --output carbon=127.0.0.1:2003


KIND = OutputKind(
    name="carbon",
    description="Send each second to Graphite's Carbon, in its plain text protocol.",
    example="{address: '127.0.0.1:2003'}",
    model="planrunner_carbon.spec:CarbonModel",
    make="planrunner_carbon.output:CarbonOutput",
    read_words=read_words,
    words_example="127.0.0.1:2003",
)
