"""What every GAN of the studio promises, and the few words in which it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from studio import measure
from studio.images import Picture
from studio.verbs import verb

__all__ = ["About", "BaseGAN", "Losses", "Optimizers", "Term", "Words", "descend", "option", "verb", "weighed"]

Optimizers = Mapping[str, Optimizer]  # by player
Losses = dict[str, Tensor]  # by term
Words = dict[str, str]  # {"en": …, "ko": …}: whatever a visitor reads, a GAN says in both languages


@dataclass(frozen=True)
class Term:
    """One term of the objective: the name under which `train_step` returns it, its formula (TeX), what it wants."""

    formula: str
    weight: str = ""  # the Config field that weighs it; a training room can set it to 0 and watch
    won: float | None = None  # below this, the discriminator has won: it learns nothing and teaches nothing
    says: Words = field(default_factory=dict)  # of a GAN's own terms: in its words.toml


@dataclass(frozen=True)
class About:
    """What a GAN is, for the gallery, the page's head and its Read tab; its sentences are in its ``words.toml``."""

    home: str  # its paper.py
    title: str
    year: int
    paper: str  # authors, title, venue
    link: str
    objective: Mapping[str, str]  # player -> the objective in TeX
    terms: Mapping[str, Term]  # what train_step returns
    read_before: Sequence[str] = ()  # names of GANs, whether they are in this folder yet or not
    read_next: Sequence[str] = ()
    # How data flows, a row for each network: ("x and z", "generator", "G(x, z)"). "or": it is given one or the other;
    # "generator'": the same network once more. What each symbol is, is said under [diagram] in words.toml.
    diagram: Sequence[tuple[str, str, str]] = ()

    def __post_init__(self) -> None:
        told = self.words["terms"]
        terms = {name: term if term.says else replace(term, says=told[name]) for name, term in self.terms.items()}
        object.__setattr__(self, "terms", terms)

    @property
    def words(self) -> dict[str, Any]:
        """All its sentences, ``{"en", "ko"}`` each; of its options the Korean alone."""
        return words_of(Path(self.home).parent)

    @property
    def idea(self) -> Words:
        """One sentence."""
        return self.words["about"]["idea"]

    @property
    def tab(self) -> Words:
        """What one does with it, in two or three words."""
        return self.words["about"]["tab"]


@cache
def words_of(folder: Path) -> dict[str, Any]:
    """What a GAN's folder says to visitors: its ``words.toml``."""
    return tomllib.loads((folder / "words.toml").read_text(encoding="utf-8"))


def option(default: Any, says: str, **limits: Any) -> Any:
    """A Config field: its default, the sentence shown under it, and optionally ``choices=``, ``low=``, ``high=``."""
    return field(default=default, metadata={"says": says, **limits})


def checked(config: Any) -> Any:
    """The config itself, once every field is of its type and within its limits.

    Raises:
        ValueError: names the field, its value and what it may be.
    """
    for each in fields(config):
        value, kind = getattr(config, each.name), type(each.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            object.__setattr__(config, each.name, value := float(value))
        if type(value) is not kind:
            raise ValueError(f"{each.name} = {value!r}: this must be {_article(kind)}.")
        choices = each.metadata.get("choices")
        if choices is not None and value not in choices:
            raise ValueError(f"{each.name} = {value!r}: choose one of {', '.join(map(str, choices))}.")
        low, high = each.metadata.get("low"), each.metadata.get("high")
        outside = (low is not None and value < low) or (high is not None and value > high)
        if kind in (int, float) and (outside or value != value):
            raise ValueError(f"{each.name} = {value!r}: this must be {_between(low, high)}.")
    return config


def _article(kind: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}.get(kind, kind.__name__)


def _between(low: Any, high: Any) -> str:
    if low is None or high is None:
        return f"at least {low}" if high is None else f"at most {high}"
    return f"from {low} to {high}"


def descend(optimizer: Optimizer, loss: Tensor) -> None:
    """One step down `loss` for the optimizer's own parameters, and for no others.

    ``inputs=`` keeps gradients out of the other player: no requires_grad switching, nothing left over to clear.
    A player that the training room holds still (``frozen`` in its groups) does not move.
    """
    if any(group.get("frozen") for group in optimizer.param_groups):
        return
    own = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    loss.backward(inputs=own)
    optimizer.step()


def weighed(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The terms times their weights, summed over those that are in play."""
    return sum(weight * losses[term] for term, weight in weights.items() if term in losses)


class BaseGAN(nn.Module):
    """A GAN: its networks as children, its paper's training step, and the verbs of its demo.

    A subclass in ``studio/gans/<name>.py`` is called ``GAN`` and gives what is declared below. `state_dict()` is the
    whole truth about it: whatever must survive a resume is a parameter or a buffer.

    Verbs are pure functions of (weights, arguments): a seed draws from a generator of its own, nothing is mutated.
    That is what makes one loaded model safe to share among a class.
    """

    about: ClassVar[About]
    Config: ClassVar[type]
    TINY: ClassVar[Any]  # a Config that trains in seconds on a CPU: for tests
    CLASSROOM: ClassVar[Any]  # a Config that shows something within minutes on a CPU: for the training room
    Data: ClassVar[type]  # the shape its training data comes in (studio.data)
    demo: ClassVar[tuple[str, ...]]  # the children that its verbs need; the rest is needed to train on
    apart: ClassVar[tuple[str, ...]] = ()  # those of them that are kept in a file of their own: each file has a limit
    GLANCE: ClassVar[int] = 96  # held-out examples that `glance` is given, at most
    layout: ClassVar[torch.memory_format] = torch.contiguous_format  # of its weights' memory while it trains
    variant: str = "exact"  # or "fast": which variant of the demo's networks this one holds (studio.serving.fast)

    def __init__(self, config: Any = None) -> None:
        super().__init__()
        self.config = checked(config if config is not None else self.Config())
        self.extras: dict[str, Any] = {}  # what the checkpoint's card says about its input (palette, classes …)

    @classmethod
    def configured(cls, values: Mapping[str, Any]) -> Any:
        """The Config that a card or a run's state tells, also an older one's (see `upgraded`).

        Raises:
            ValueError, TypeError: a field that there never was, or a value that it can't have.
        """
        return checked(cls.Config(**cls.upgraded(dict(values))))

    @classmethod
    def upgraded(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The fields of an older card under today's names; what was said then must mean the same now."""
        return values

    def grown(self, child: str, state: dict[str, Tensor], config: Any) -> dict[str, Tensor]:
        """A smaller network's tensors under the names that they have in this one, when a training begins from it."""
        return state

    def optimizers(self) -> dict[str, Optimizer]:
        """One optimizer a player, named as the child network it moves, or as the role of several together."""
        raise NotImplementedError

    def rate(self, step: int) -> float:
        """What all learning rates are multiplied by at a step: 1, or less as a schedule lets them fall. A function of
        the step alone, so that a resumed training goes on as it would have."""
        return 1.0

    def train_step(self, batch: Any, optimizers: Optimizers, step: int) -> Losses:
        """The paper's algorithm box, once. Returns each term of the objective, named as in `about.terms`."""
        raise NotImplementedError

    def preview(self, batch: Any) -> Tensor:
        """Rows of pictures for the contact sheet: ``(N, columns, 3, H, W)`` in [-1, 1]."""
        raise NotImplementedError

    @classmethod
    def columns(cls, config: Any, extras: Mapping[str, Any]) -> list[dict[str, str]]:
        """What stands in each column of `preview`, ``{"en", "ko"}``, from the left; the last name stands for all that
        follow. Empty = there is nothing to tell apart."""
        return []

    def show(self, pictures: Sequence[Picture]) -> Tensor:
        """The same of a visitor's own pictures, or of a checkpoint's examples."""
        raise NotImplementedError

    def made(self, batch: Any) -> tuple[Tensor, Tensor]:
        """(what the generator makes of a batch, the real pictures), both ``(N, 3, H, W)``: compared for diversity."""
        raise NotImplementedError

    def measure(self, data: Any, indices: Sequence[int]) -> dict[str, Any]:
        """Figures for the card on examples that were held out of the training; n is among them."""
        raise NotImplementedError

    def glance(self, batch: Any) -> dict[str, float]:
        """A few figures of held-out examples in seconds, to watch while it trains. Less is better of the first one:
        the state with the least is kept. By default how far what is made is from what is real (`measure.kid`)."""
        parts = [self.made([part[k : k + 16] for part in batch]) for k in range(0, len(batch[0]), 16)]
        made, real = (torch.cat(x).float().clamp(-1, 1) for x in zip(*parts, strict=True))
        return {"kid": measure.kid(made, real)} if measure.can_see(made) else {}

    def example(self) -> dict[str, tuple[Tensor, ...]]:
        """Inputs for each network of the demo, for one picture: by them it is sized, timed and compared."""
        raise NotImplementedError

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **how: Any) -> Any:
        """As PyTorch's; a second judge that was switched on or off since (`studio.projected`) begins anew, or is
        left out."""
        if getattr(self, "eyes", None) is None:
            state_dict = {k: v for k, v in state_dict.items() if not k.startswith("eyes.")}
        elif not any(k.startswith("eyes.") for k in state_dict):
            state_dict = {**state_dict, **self.eyes.state_dict(prefix="eyes.")}
        return super().load_state_dict(state_dict, *args, **how)

    @property
    def exact(self) -> Any:
        """The same GAN with the networks of its file, in fp32: for gradients and for differences too small for a fast
        variant. Itself, but where it is served; its networks are not in the server's line."""
        return self.__dict__.get("_exact", self)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device
