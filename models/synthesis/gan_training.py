"""Trains a generator against its critic, and goes on where it was interrupted to the very same weights.

Whatever is random is drawn anew from the plan's seed and the step, as in `models.training.trainer`, so that a
checkpoint holds weights, optimisers and the steps done, and nothing else. Before a checkpoint takes the place of the
last one the drawn images are looked at: losses that are no numbers, and images that have become all alike, end the
training with what was good before.

Source: WGAN-GP: Gulrajani et al. 2017, algorithm 1; as in Mustafaev, Kim and Kim, equations 4, 9 and 10.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.synthesis import dcgan, sdg_gan
from models.synthesis.gan_images import Originals
from models.synthesis.gan_plan import GanPlan
from models.synthesis.gan_size import LATENT, Size
from models.training.checkpoint import FORMAT, LAST, load_weights, read_checkpoint, write_checkpoint
from models.training.compute import flushed_denormals, translated
from models.version import code_version

SHOWN = 16
"""Images that are always drawn from the same numbers, and looked at."""
DIVERSE, ALIKE = 0.25, 0.05
"""How far drawn images lie apart, as a share of how far real ones do: once above the first, they have learnt to differ;
below the second after that, they have collapsed."""
COARSE_PX = 16
"""Images are compared in means over so many fields a side."""

NETWORKS: dict[str, Callable[[Size], tuple[nn.Module, nn.Module]]] = {
    "sdg-gan": lambda size: (sdg_gan.Generator(size), sdg_gan.Critic(size)),
    "dcgan": lambda size: (dcgan.Generator(size), dcgan.Discriminator(size)),
}


@dataclass(slots=True)
class Step:
    """What a step of the generator came to, as means over what it took.

    Attributes:
        step: Counted from 1.
        critic: The critic's loss.
        generator: The generator's loss.
        diversity: How far drawn images lie apart, as a share of how far real ones do.
    """

    step: int
    critic: float
    generator: float
    diversity: float


@dataclass(slots=True)
class Position:
    """How far it has come.

    Attributes:
        steps: Of the generator.
        differs: Whether drawn images have once lain apart.
        history: A row each time the images were looked at.
    """

    steps: int = 0
    differs: bool = False
    history: list[Step] = field(default_factory=list)


class GanTraining:
    """A generator and its critic on their way.

    Args:
        plan: How they learn.
        originals: What from.
        folder: Where `last.pt` and pictures go.
        device: Where to compute.
        look_every: After so many steps the images are looked at and the checkpoint is written.
    """

    def __init__(
        self, plan: GanPlan, originals: Originals, folder: Path, device: torch.device, look_every: int = 100
    ) -> None:
        self.plan, self.folder = plan, folder
        self.position = Position()
        self._originals, self._device, self._look_every = originals, device, look_every
        torch.manual_seed(_seed(plan.seed, 0))
        self.generator, self._critic = (one.to(device) for one in NETWORKS[plan.kind](Size(plan.px, plan.width)))
        self._optimisers = tuple(
            torch.optim.Adam(one.parameters(), lr=plan.rate, betas=plan.betas) for one in (self.generator, self._critic)
        )

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.position.steps >= self.plan.steps

    def resume(self) -> bool:
        """Go on from `last.pt`; whether there is one.

        Raises:
            TrainingError: It cannot be used, or is of another plan or of other images.
        """
        path = self.folder / LAST
        if not path.exists():
            return False
        document = read_checkpoint(path)
        self._refuse_another(document, path)
        history = [Step(**row) for row in document["history"]]
        self.position = Position(document["steps"], document["differs"], history)
        load_weights(self.generator, document, path)
        load_weights(self._critic, {"state": document["critic"]}, path)
        for optimiser, state in zip(self._optimisers, document["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        return True

    def _refuse_another(self, document: dict[str, Any], path: Path) -> None:
        mine = self.plan.model_dump(mode="json")
        theirs = document.get("gan_plan")
        if theirs is None:
            raise TrainingError("training.bad_checkpoint", f"{path}: no checkpoint of a generator")
        if changed := [
            f"{name} {mine[name]} was {theirs.get(name)}" for name in mine if mine[name] != theirs.get(name)
        ]:
            raise TrainingError("training.other_run", f"{path}: {'; '.join(changed)}")
        if document["originals"] != list(self._originals.sha256):
            raise TrainingError("training.other_run", f"{path}: other images, of {document['source']}")

    def run(self, told: Callable[[Step], None], stop: Callable[[], bool] = lambda: False) -> bool:
        """Do the steps that are left; whether all are done. `stop` is asked after each, and ends it early.

        Raises:
            TrainingError: It diverged or collapsed, the memory does not suffice, or the disk takes no checkpoint.
        """
        with translated(self.folder), flushed_denormals():
            while not self.finished:
                critic, generator = self._step()
                self.position.steps += 1
                stopped = stop()
                if stopped or self.finished or self.position.steps % self._look_every == 0:
                    row = self._look(float(critic), float(generator))
                    self.keep()
                    told(row)
                if stopped:
                    break
        return self.finished

    def _step(self) -> tuple[Tensor, Tensor]:
        """The critic's steps and the generator's; their losses."""
        rng = np.random.default_rng([self.plan.seed, 1, self.position.steps])
        torch.manual_seed(_seed(self.plan.seed, 2, self.position.steps))
        self.generator.train()
        self._critic.train()
        losses = [self._critic_step(rng) for _ in range(self.plan.critic_steps)]
        z = self._latent(self.plan.batch, rng)
        answer = self._critic(self.generator(z))
        loss = -answer.mean() if self.plan.kind == "sdg-gan" else nn.functional.softplus(-answer).mean()
        self._advance(0, loss)
        return torch.stack(losses).mean(), loss.detach()

    def _critic_step(self, rng: np.random.Generator) -> Tensor:
        real = torch.from_numpy(self._originals.draw(self.plan.batch, rng)).to(self._device)
        with torch.no_grad():
            drawn = self.generator(self._latent(self.plan.batch, rng))
        of_real, of_drawn = self._critic(real), self._critic(drawn)
        if self.plan.kind == "dcgan":
            softplus = nn.functional.softplus
            loss = softplus(-of_real).mean() + softplus(of_drawn).mean()
        else:
            between = torch.from_numpy(rng.random((len(real), 1, 1, 1), np.float32)).to(self._device)
            loss = of_drawn.mean() - of_real.mean() + self.plan.penalty * self._penalty(real, drawn, between)
        self._advance(1, loss)
        return loss.detach()

    def _penalty(self, real: Tensor, drawn: Tensor, between: Tensor) -> Tensor:
        """How far the length of the critic's gradient is from 1, squared, on lines between real and drawn images."""
        mixed = (between * real + (1 - between) * drawn).requires_grad_()
        (slope,) = torch.autograd.grad(self._critic(mixed).sum(), mixed, create_graph=True)
        penalty: Tensor = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        return penalty

    def _advance(self, number: int, loss: Tensor) -> None:
        for optimiser in self._optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimisers[number].step()

    def _latent(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((count, LATENT), np.float32)).to(self._device)

    def _look(self, critic: float, generator: float) -> Step:
        """Judge what is drawn now.

        Raises:
            TrainingError: A loss is no number, or the images have become all alike.
        """
        position = self.position
        if not (math.isfinite(critic) and math.isfinite(generator)):
            raise TrainingError("training.diverged", f"{self.folder}: step {position.steps}")
        rng = np.random.default_rng([self.plan.seed, 3])
        real = ((self._originals.draw(4 * SHOWN, rng)[:, 0] + 1) * 127.5).astype(np.uint8)
        diversity = apart(draw(self.generator, 4 * SHOWN, [self.plan.seed, 4])) / max(apart(real), 1e-6)
        if position.differs and diversity < ALIKE:
            told = f"{self.folder}: at step {position.steps} drawn images lie {diversity:.1%} as far apart as real ones"
            raise TrainingError("training.collapsed", told)
        position.differs = position.differs or diversity >= DIVERSE
        position.history.append(Step(position.steps, critic, generator, diversity))
        return position.history[-1]

    def keep(self) -> None:
        """Write `last.pt`.

        Raises:
            TrainingError: The disk does not take it.
        """
        document = {
            "format": FORMAT,
            "gan_plan": self.plan.model_dump(mode="json"),
            "originals": list(self._originals.sha256),
            "data_sha256": self._originals.data_sha256,
            "source": self._originals.source,
            "steps": self.position.steps,
            "differs": self.position.differs,
            "history": [asdict(row) for row in self.position.history],
            "state": self.generator.state_dict(),
            "critic": self._critic.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self._optimisers],
            "code_version": code_version(),
            "torch_version": str(torch.__version__),
        }
        write_checkpoint(self.folder / LAST, document)


def draw(generator: nn.Module, count: int, seed: list[int], batch: int = 64) -> NDArray[np.uint8]:
    """Images (count, px, px) uint8; the same for the same seed, whatever the batch."""
    z = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, LATENT), np.float32))
    device = next(generator.parameters()).device
    generator.eval()
    with torch.inference_mode():
        made = [generator(part.to(device)).cpu() for part in z.split(batch)]
    images = torch.cat(made)[:, 0].numpy()
    return np.asarray(np.rint((np.clip(images, -1, 1) + 1) * 127.5), np.uint8)


def apart(images: NDArray[np.uint8]) -> float:
    """How far images (n, px, px) lie apart: the deviation of a field of `COARSE_PX` a side, in grey values."""
    side = images.shape[1] // COARSE_PX
    fields = images.reshape(len(images), COARSE_PX, side, COARSE_PX, side).mean((2, 4))
    return float(fields.std(0).mean())


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
