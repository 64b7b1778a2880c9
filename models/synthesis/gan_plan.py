"""How a pair of networks learns to draw a class of defects: every choice that decides the result. Free of torch."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import TrainingError
from models.synthesis.gan_size import SIZES

Kind = Literal["sdg-gan", "dcgan"]


class GanPlan(BaseModel):
    """Everything that decides what comes out, but for the images.

    Attributes:
        kind: sdg-gan: Wasserstein loss with gradient penalty; dcgan: cross-entropy of real and drawn.
        classes: Classes of defects that are learnt, mostly one; several in one pair mix their looks.
        px: Height and width of the images.
        width: By which all numbers of channels are multiplied.
        steps: Steps of the generator.
        critic_steps: Steps of the critic before each of these; 1 for dcgan.
        batch: Images a step.
        rate: Learning rate of both.
        penalty: Weight of the gradient penalty.
        seed: Of weights, draws and changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "sdg-gan"
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    px: int = 256
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    steps: Annotated[int, Field(ge=1)] = 23_400
    critic_steps: Annotated[int, Field(ge=1, le=20)] = 3
    batch: Annotated[int, Field(ge=2)] = 64
    rate: Annotated[float, Field(gt=0)] = 2e-4
    penalty: Annotated[float, Field(ge=0)] = 10.0
    seed: Annotated[int, Field(ge=0)] = 1

    @property
    def betas(self) -> tuple[float, float]:
        """Of Adam."""
        return (0.5, 0.9) if self.kind == "sdg-gan" else (0.5, 0.999)


def make_plan(**choices: Any) -> GanPlan:
    """A plan of these choices; the paper's where nothing is said.

    Source: Mustafaev, Kim and Kim, section V C: batch 64, Adam of 2e-4 with 0.5 and 0.9, penalty 10, three critic
    steps; their 150 "iterations" are read as epochs of 10,000 images, 23,400 steps.

    Raises:
        TrainingError: They contradict each other, or one is out of its range.
    """
    if choices.get("kind") == "dcgan":
        choices.setdefault("critic_steps", 1)
    try:
        plan = GanPlan.model_validate({name: value for name, value in choices.items() if value is not None})
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    else:
        if plan.px in SIZES:
            return plan
        places = f"px: {plan.px}, images are of {', '.join(map(str, SIZES))}"
    raise TrainingError("training.bad_plan", places)
