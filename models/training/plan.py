"""How a network is trained: every choice that decides the result, as one document. Free of torch.

Two runs of one plan on one data set with the same threads end with the same weights, bit for bit, on the CPU.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import TrainingError

PLAN = "plan.json"

Schedule = Literal["cosine", "constant", "exponential", "plateau"]
LabelUse = Literal["auto", "patch", "part"]
"""patch: images' own labels; part: those of parts alone; auto: an image's own where there is one, else its part's."""
Change = Literal[
    "mirror", "upend", "brightness", "contrast", "light",
    "exposure", "rotate", "shift", "zoom", "crop", "perspective", "noise", "erase",
]  # fmt: skip
CHANGES: tuple[Change, ...] = ("mirror", "upend", "brightness", "contrast")
"""The usual augmentations: left for right, top for bottom, grey values times 0.7 to 1.3, spread about the mean by 15 %.

Others are chosen by name: `light`, other lamps as the sensor sees them and the station makes up for them, see
`models.training.lamps`; `exposure`, grey values times 0.6 to 1.4; and those of `models.training.warps`.

Source: the usual kinds are those of Mustafaev et al., section IV C, who tell no ranges and store the changed copies;
turning and cropping are not among them because they alter a defect's pattern.
"""


class Phase(BaseModel):
    """A stretch of training with its own optimiser state, rate and trainable layers.

    Attributes:
        epochs: Epochs at most.
        peak_rate: The highest learning rate.
        schedule: cosine: a short rise, then half a cosine down to 1 %; constant; exponential: times 0.9 an epoch;
            plateau: times 0.1 whenever `plateau` epochs brought no gain.
        unfrozen_share: Which share of the layers before the head is trained, counted from the head; 0 only the head.
        patience: The phase ends after so many epochs without a lower validation loss; 0 for never.
        plateau: Epochs without a lower validation loss, or, in a fold, which has none, training loss, after which a
            plateau's rate falls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: Annotated[int, Field(ge=1)]
    peak_rate: Annotated[float, Field(gt=0)] = 1e-3
    schedule: Schedule = "cosine"
    unfrozen_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    patience: Annotated[int, Field(ge=0)] = 0
    plateau: Annotated[int, Field(ge=1)] = 10

    @model_validator(mode="after")
    def _falls_before_it_ends(self) -> Self:
        if self.schedule == "plateau" and 0 < self.patience <= self.plateau:
            raise ValueError(f"patience {self.patience}: the rate would fall in the epoch that ends it, or after; more")
        return self

    def rate(self, step: int, steps_per_epoch: int, warm_up_share: float, falls: int = 0) -> float:
        """Learning rate of a step, counted from the phase's begin.

        Args:
            step: From 0.
            steps_per_epoch: How many.
            warm_up_share: Share of a cosine's steps in which the rate rises.
            falls: How often a plateau has ended in this phase.
        """
        if self.schedule == "plateau":
            return float(self.peak_rate * 0.1**falls)
        if self.schedule == "constant":
            return self.peak_rate
        if self.schedule == "exponential":
            return float(self.peak_rate * 0.9 ** (step // steps_per_epoch))
        steps = self.epochs * steps_per_epoch
        rise = max(1, round(warm_up_share * steps))
        if step < rise:
            return self.peak_rate * (step + 1) / rise
        share = (step - rise) / max(1, steps - rise)
        return self.peak_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))


class Plan(BaseModel):
    """Everything that decides what comes out, but for the data.

    Attributes:
        network: A key of `models.networks.NETWORKS`.
        phases: What is done in turn; one, or a frozen one and an unfrozen one for transfer learning.
        draw: even: each epoch draws so that images that pass have their share and the other classes divide the rest
            evenly; whole: each epoch is every training image once.
        items_per_epoch: Images of an even draw; 0 for as many as there are to train on.
        first_class_share: Share of the class that passes, or, where none does, of the first one, in an even draw; 0
            divides evenly over all classes.
        batch: Images a step.
        optimiser: adam, or adamw, whose weight decay is decoupled from the gradient.
        weight_decay: Of adamw; biases and normalisations are left out.
        loss: weighted: the cross-entropy weighs classes by 1/√frequency; plain: all images alike.
        dropout: Share of the values that the head's dropouts leave out while training.
        initial: he: random weights after He et al.; keras: as Keras' layers begin and normalise where nobody says
            otherwise (Glorot and Bengio); of timm's networks that is for the head alone.
        l2: Penalty on the squares of kernels, added to the loss (the paper's: 0.01).
        l2_of: Of which kernels: those of convolutions, or those of dense layers, too.
        warm_up_share: Share of a cosine's steps in which the rate rises.
        clip: Longest gradient; 0 for no limit.
        augmentation: Which changes are made at random; `CHANGES` are the usual ones.
        of_class: Changes that images of a class, by its name, get besides.
        precision: bf16: products in bfloat16, sums and weights in float32; f32: all in float32.
        validation_items: Images judged after each epoch; 0 for all there are.
        init: SHA-256 of the file of weights to begin with; empty for random ones.
        labels: Which labels the images are trained by.
        bag_share: Share of the epochs, at least one, that learn from whole bags of images of which only their part's
            class is known; the others take each image for what the network takes it for.
        seed: Of weights, draws and augmentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    draw: Literal["even", "whole"] = "even"
    items_per_epoch: Annotated[int, Field(ge=0)] = 0
    first_class_share: Annotated[float, Field(ge=0, lt=1)] = 0.5
    batch: Annotated[int, Field(ge=2)] = 32
    optimiser: Literal["adamw", "adam"] = "adamw"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    loss: Literal["weighted", "plain"] = "weighted"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    initial: Literal["he", "keras"] = "he"
    l2: Annotated[float, Field(ge=0)] = 0.0
    l2_of: Literal["convolutions", "all"] = "convolutions"
    warm_up_share: Annotated[float, Field(ge=0, le=1)] = 0.06
    clip: Annotated[float, Field(ge=0)] = 1.0
    augmentation: tuple[Change, ...] = CHANGES
    of_class: dict[str, tuple[Change, ...]] = {}
    precision: Literal["bf16", "f32"] = "bf16"
    validation_items: Annotated[int, Field(ge=0)] = 2000
    init: str = ""
    labels: LabelUse = "auto"
    bag_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _decay_belongs_to_adamw(self) -> Self:
        if self.optimiser == "adam" and self.weight_decay:
            raise ValueError("weight_decay is adamw's; adam takes l2, or weight_decay 0")
        return self

    @model_validator(mode="after")
    def _frozen_layers_know_something(self) -> Self:
        if not self.init and any(phase.unfrozen_share < 1 for phase in self.phases):
            raise ValueError("layers are frozen at random weights: give weights to begin with, or freeze none")
        return self

    @property
    def epochs(self) -> int:
        """Epochs of all phases, if none ends early."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def bag_epochs(self) -> int:
        """Epochs that learn from whole bags, before pseudo-labels."""
        return max(1, round(self.bag_share * self.epochs))


def make_plan(**choices: Any) -> Plan:
    """A plan of these choices.

    Raises:
        TrainingError: They contradict each other, or one is out of its range.
    """
    try:
        return Plan.model_validate(choices)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    # Not from pydantic's error: it keeps a validator's exception, and with its frames whatever the callers hold, in a
    # circle through compiled code that no collector sees.
    raise TrainingError("training.bad_plan", places)


def differences(plan: Plan, other: dict[str, Any]) -> str:
    """Which choices differ from another plan's document, for people; empty where none do.

    A choice that an older version did not have yet was made as it is by default.
    """
    mine = plan.model_dump(mode="json")
    theirs = {**Plan.model_construct(network="", phases=()).model_dump(mode="json"), **other}
    names = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    return "; ".join(f"{name} {mine.get(name)} was {theirs.get(name)}" for name in names)


def write_plan(plan: Plan, images: Mapping[str, Any], folder: Path) -> None:
    """Leave the plan, and which images were taken for what, as a file that people can read."""
    document = plan.model_dump(mode="json") | {"images": dict(images)}
    (folder / PLAN).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


FLIPS: tuple[Change, ...] = ("mirror", "upend")

RECIPES: dict[str, dict[str, Any]] = {
    "station": {"epochs": 14, "rate": 1e-3, "schedule": "cosine", "optimiser": "adamw", "weight_decay": 0.01},
    "paper": {
        "epochs": 50, "rate": 1e-4, "schedule": "constant", "optimiser": "adam", "weight_decay": 0.0, "l2": 0.01,
        "batch": 128, "clip": 0.0, "draw": "whole", "loss": "plain", "augmentation": (), "precision": "f32",
        "initial": "keras",
    },
    "transfer": {
        "epochs": 10, "rate": 1e-4, "schedule": "exponential", "optimiser": "adam", "weight_decay": 0.0, "l2": 1e-4,
        "l2_of": "all", "frozen_epochs": 30, "frozen_rate": 1e-3, "unfrozen_share": 0.26, "patience": 5,
        "draw": "whole", "batch": 32, "clip": 0.0, "loss": "plain", "dropout": 0.5, "initial": "keras",
        "augmentation": ("mirror", "upend", "exposure", "rotate", "shift", "zoom"),
    },
    "industnet": {
        "epochs": 200, "rate": 1e-3, "schedule": "plateau", "patience": 20, "optimiser": "adam", "weight_decay": 0.0,
        "draw": "whole", "clip": 0.0, "loss": "plain", "augmentation": ("rotate", "shift", "zoom"),
    },
    "product": {
        "epochs": 100, "rate": 1e-4, "schedule": "cosine", "patience": 14, "optimiser": "adamw", "weight_decay": 1e-5,
        "draw": "whole", "loss": "weighted", "dropout": 0.3,
        "augmentation": ("mirror", "upend", "rotate", "zoom", "crop", "erase"),
    },
    "head": {
        "epochs": 20, "rate": 1e-3, "schedule": "cosine", "optimiser": "adamw", "weight_decay": 0.05, "batch": 64,
        "unfrozen_share": 0.0, "draw": "even", "first_class_share": 0.5, "augmentation": FLIPS,
    },
}  # fmt: skip
"""Choices that belong together.

station: the shipped network's.
paper: Mustafaev et al., section V D 2 and, of L2, IV D: plain loss, nothing changed while training (their copies are
    made before, `station dataset augment`), float32, weights as their Keras begins. The dataset study's epochs are 100.
transfer: Kamel, Hassan and Saeid, sections 3.4 to 3.8, two phases: first the head alone, then the last quarter of the
    layers with it (50 of the 190 of ResNet50V2, here a share of those with parameters). Of what they say twice and
    otherwise the section on hyper-parameters is taken: up to 30 epochs, then 10 at 1e-4. For the networks that end as
    theirs, `mobilenet-v2-transfer` and `resnet-v2-50-transfer`.
industnet: Cao and Bai, section 4.2.2. Both of their patiences are 20, so that the rate would fall in the epoch that
    ends the training; here it falls after 10. Loss, batch and the ranges of the changes are not told.
product: the study of aluminium parts behind a product detector: weights by 1/√frequency, decay 1e-5, dropout 0.3,
    random crops and erasing, patience 14. Its list of optimiser, rate and batch is empty; these are ours.
head: the head alone, on layers that know pictures already (`init`): for few labelled parts and a computer without a
    GPU, as each view of an image is looked at once (`models.training.remembered`). Chosen here, not measured out.
"""


def plan_from(recipe: str, kind: str, **choices: Any) -> Plan:
    """A plan by a recipe, in which single choices are made otherwise.

    Args:
        recipe: A key of `RECIPES`.
        kind: The data set's: folders of classes are drawn whole and only mirrored, unless chosen otherwise; the first
            of them, by name, is a class as any other.
        choices: By the names of `Plan`, and those of a phase: epochs, rate, schedule, unfrozen_share, patience,
            plateau, frozen_epochs, frozen_rate; None leaves it to the recipe.

    Raises:
        TrainingError: The recipe is unknown, or the choices contradict each other.
    """
    if recipe not in RECIPES:
        raise TrainingError("training.bad_plan", f"unknown recipe {recipe}; there are {', '.join(RECIPES)}")
    folders = {"draw": "whole", "first_class_share": 0.0, "augmentation": FLIPS}
    by_kind = folders if kind == "class_folders" else {}
    chosen = {**by_kind, **RECIPES[recipe], **{name: value for name, value in choices.items() if value is not None}}
    shared: dict[str, Any] = {name: chosen.pop(name) for name in ("schedule", "patience", "plateau") if name in chosen}
    frozen_epochs, frozen_rate = chosen.pop("frozen_epochs", 0), chosen.pop("frozen_rate", 1e-3)
    main = {**shared, "epochs": chosen.pop("epochs"), "peak_rate": chosen.pop("rate")}
    frozen = {**shared, "epochs": frozen_epochs, "peak_rate": frozen_rate}
    unfrozen_share = chosen.pop("unfrozen_share", 1.0)
    phases = [{**main, "unfrozen_share": unfrozen_share}]
    if frozen_epochs:
        phases.insert(0, {**frozen, "unfrozen_share": 0.0})
    return make_plan(phases=phases, **chosen)
