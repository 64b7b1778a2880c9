"""A detector's folder: its graph, and the document that says what it is. Free of torch.

DETECTOR/detector.onnx    the network, from a picture in its square to heat and sides
DETECTOR/detector.json    this document
"""

from datetime import datetime

from pydantic import Field

from models.evaluation.figures.rates import Rate
from models.manifest import Sha256
from station.core.section import Section

GRAPH, DOCUMENT = "detector.onnx", "detector.json"


class Tried(Section):
    """What a detector found in scenes of products that it was not trained on."""

    scenes: int = Field(..., ge=1, description="How many.")
    found: Rate = Field(..., description="Products found where they are, of all.")
    called_in_empty: Rate = Field(..., description="Scenes without a product in which it saw one.")
    places_too_many: int = Field(..., ge=0, description="Places where no product is, in all scenes.")


class DetectorDocument(Section):
    """What a detector is, and what it was made of."""

    format: int = Field(default=1, ge=1, le=1, description="Version of this document's layout.")
    created: datetime = Field(..., description="When, UTC.")
    code_version: str = Field(..., min_length=1, description="Version of the code that trained it.")
    sha256: Sha256 = Field(..., description="Of the graph.")
    least: float = Field(..., gt=0, lt=1, description="From which heat on there is a product.")
    products: int = Field(..., ge=1, description="Pictures of products that it was trained on.")
    grounds: int = Field(..., ge=0, description="Pictures of empty places likewise.")
    steps: int = Field(..., ge=1, description="Of its training.")
    seed: int = Field(..., ge=0, description="Of its training.")
    tried: Tried
