"""The live path: models loaded once and shared, one line of waiting visitors a model, batches that visitors share.

    answer = server().ask("pix2pix", "translate", {"sketch": png}, viewer="a7")
    answer.value, answer.milliseconds, answer.batch

A question passes three doors, all in its caller's thread:

1. Its values are bound (pictures are decoded here) and its model is loaded, if it is not there yet.
2. It waits for its turn. A viewer waits at most once for a verb: the newest question ends the one before it. A line
   that is full says so at once, and when to come back.
3. Its verb runs. The networks of a served GAN are stand-ins: each call goes to the one thread that computes, which
   takes what is waiting *at that moment* for the same network with tensors of the same shape, and runs it as one
   batch. Nobody waits for a batch to fill up, and the GAN's file knows nothing of it.

Nothing here knows HTTP, Streamlit or Gradio.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio import checkpoints, registry
from studio.base import BaseGAN
from studio.images import MOST_PIXELS, Picture
from studio.labels import LabelMap
from studio.refused import Later, Missing, Refused, Unable
from studio.serving.fast import fastest
from studio.verbs import Verb, verbs

MOST = 8  # rows of a batch: beyond it a CPU gains nothing, and everybody waits for the whole batch
TURNS = 2 * MOST  # verbs of a model at work at once: while one batch computes, the next is prepared
OPENING = 4  # pictures that are decoded at once: 50 million pixels take 300 MB while they are opened
HELD = 4 * MOST_PIXELS  # pixels of pictures that may lie in one line: 600 MB
PLAIN = (type(None), bool, int, float, str)

NEWER = "server.newer"
CLOSING = "server.closing"

log = logging.getLogger(__name__)


class Unknown(Missing):
    """There is no GAN, verb or checkpoint of that name; the sentence lists those that are there."""


class Busy(Later):
    """The line is full. ``retry_after``: seconds until there is likely to be room."""


class Superseded(Unable):
    """The same viewer has asked for something newer meanwhile."""

    status = 409


class Failed(Unable):
    """Something of ours broke; it is in the log, and the sentence says what to do."""


@dataclass(frozen=True)
class Answer:
    """What a verb gave, and what a badge beside it says."""

    value: Any
    milliseconds: float  # that the verb took once it was its turn
    device: str
    tag: str
    size: int  # pixels a side the model works at; 0 = any
    batch: int  # viewers' calls that were computed together with this one, itself included
    variant: str  # "exact" or "fast" (studio.serving.fast)


# ---- the thread that computes ---------------------------------------------------------------------------------------

_together: ContextVar[int] = ContextVar("together", default=1)  # the largest batch that this thread's question was in


class _Call:
    """One call of a network by one verb. Calls with equal keys may share a batch."""

    def __init__(self, network: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        self.network, self.args, self.kwargs = network, args, kwargs
        values = [*args, *kwargs.values()]
        tensors = [v for v in values if isinstance(v, Tensor)]
        sizes = {v.shape[0] if v.ndim else None for v in tensors}
        shared = len(sizes) == 1 and None not in sizes and all(isinstance(v, (Tensor, *PLAIN)) for v in values)
        self.rows = sizes.pop() if shared else 1
        self.key: Any = object()  # like nothing else: computed alone
        if shared:
            kinds = [(v.shape[1:], v.dtype, v.device) if isinstance(v, Tensor) else (type(v), v) for v in values]
            self.key = (len(args), tuple(kwargs), tuple(kinds))
        self.done = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None
        self.together = 1


class _Compute:
    """The one thread in which the networks run: two at once on the same cores take longer than one after the other.

    Networks take turns, so that a slow model holds up a quick one by a batch at most.
    """

    def __init__(self) -> None:
        self._lines: dict[nn.Module, deque[_Call]] = {}  # in the order in which it is the networks' turn
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="studio-compute", daemon=True)
        self._thread.start()

    def __call__(self, network: nn.Module, args: tuple, kwargs: dict[str, Any]) -> Any:
        """``network(*args, **kwargs)``, perhaps in one batch with other threads' calls. Blocks.

        Raises:
            Exception: what the network raised for this call.
            Failed: the server is closing.
        """
        call = _Call(network, args, kwargs)
        with self._change:
            if self._closed:
                raise Failed(CLOSING)
            self._lines.setdefault(network, deque()).append(call)
            self._change.notify()
        call.done.wait()
        if call.error is not None:
            raise call.error
        _together.set(max(_together.get(), call.together))
        return call.result

    def close(self) -> None:
        with self._change:
            self._closed = True
            self._change.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=10)

    def _work(self) -> None:
        with torch.inference_mode():  # of this thread only, as everything in torch that looks global
            while self._batch():
                pass  # `_batch` is a function so that nothing of the last batch is held while waiting

    def _batch(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._lines or self._closed)
            if self._closed:
                for call in chain.from_iterable(self._lines.values()):
                    call.error = Failed(CLOSING)
                    call.done.set()
                return False
            network = next(iter(self._lines))
            line = self._lines.pop(network)
            taken, left = [line.popleft()], deque()
            rows = taken[0].rows
            for call in line:
                fits = call.key == taken[0].key and rows + call.rows <= MOST
                (taken if fits else left).append(call)
                rows += call.rows * fits
            if left:
                self._lines[network] = left  # behind the other networks
        _run(taken)
        return True


def _run(calls: list[_Call]) -> None:
    """Runs calls as one batch; if that goes wrong each by itself, so that only the one at fault fails."""
    try:
        network = calls[0].network
        if len(calls) == 1:
            results = [network(*calls[0].args, **calls[0].kwargs)]
        else:
            args = [_join(values) for values in zip(*(call.args for call in calls), strict=True)]
            kwargs = {name: _join([call.kwargs[name] for call in calls]) for name in calls[0].kwargs}
            results = _split(network(*args, **kwargs), [call.rows for call in calls])
        for call, result in zip(calls, results, strict=True):
            call.result, call.together = result, len(calls)
    except Exception as error:
        if len(calls) > 1:
            log.warning("A shared batch failed (%s); each of it is computed alone.", error)
            for call in calls:
                _run([call])
            return
        calls[0].error = error
    for call in calls:
        call.done.set()


def _join(values: Any) -> Any:
    return torch.cat(list(values)) if isinstance(values[0], Tensor) else values[0]


def _split(result: Any, rows: list[int]) -> list[Any]:
    """The results of a batch, one for each of its calls."""
    if isinstance(result, Tensor) and result.ndim and len(result) == sum(rows):
        return list(result.split(rows))
    if isinstance(result, Mapping):
        columns = [_split(value, rows) for value in result.values()]
        return [dict(zip(result, row, strict=True)) for row in zip(*columns, strict=True)]
    if isinstance(result, (tuple, list)) and result:
        kind = getattr(result, "_make", type(result))
        return [kind(row) for row in zip(*(_split(value, rows) for value in result), strict=True)]
    raise TypeError(f"a {type(result).__name__} can't be dealt out to those who shared the batch")


class _StandIn(nn.Module):
    """Looks like a network to the verbs of a served GAN; its calls are computed together with other viewers'."""

    def __init__(self, network: nn.Module, compute: _Compute) -> None:
        super().__init__()
        self.network, self.compute = network, compute
        self.training = network.training

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.compute(self.network, args, kwargs)

    def __getattr__(self, name: str) -> Any:  # noise_size, geometry …; a part that can be called has its stand-in too
        if name in self.__dict__.get("_modules", ()):
            return super().__getattr__(name)
        return _stand_in(getattr(super().__getattr__("network"), name), self.compute)


def _stand_in(part: Any, compute: _Compute) -> Any:
    callable_part = isinstance(part, nn.Module) and type(part).forward is not nn.Module.forward  # no bare ModuleList
    return _StandIn(part, compute) if callable_part else part


def _served(gan: BaseGAN, compute: _Compute) -> BaseGAN:
    """The same GAN, sharing all weights, with stand-ins for its networks."""
    served = copy.copy(gan)
    served.__dict__["_exact"] = gan.exact
    served.__dict__["_modules"] = {name: _stand_in(child, compute) for name, child in gan._modules.items()}
    return served


# ---- the server -----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Question:
    """One question on its way."""

    key: tuple[str, str, str] | None  # (viewer, gan, verb); None: nobody's, so never superseded
    pixels: int = 0  # of its pictures, which lie in memory while it waits
    outdated: bool = False  # a newer one of its viewer has come
    model: _Model | None = None  # in whose line it is
    turn: threading.Event = field(default_factory=threading.Event)  # it is running, or out of the line


@dataclass(eq=False)
class _Model:
    """A loaded checkpoint and the line before it. The methods are called with the server's lock held."""

    gan: BaseGAN
    tag: str
    stamp: tuple
    bytes: int
    waiting: list[_Question] = field(default_factory=list)
    running: list[_Question] = field(default_factory=list)
    pace: float = 0.1  # seconds a question takes when the line moves; a running mean

    def join(self, question: _Question, most: int) -> None:
        """To the end of the line, unless `most` are waiting already: then `Busy`."""
        question.model = self
        self.waiting.append(question)
        self._admit()
        others = len(self.waiting) - 1
        heavy = others > 0 and sum(each.pixels for each in self.waiting) > HELD
        if question in self.waiting and (others >= most or heavy):
            self.waiting.remove(question)
            seconds = math.ceil((others + len(self.running)) * self.pace)
            raise Busy("server.line", max(1, seconds), n=others)

    def drop(self, question: _Question) -> None:
        """Out of the line, if it is still waiting."""
        if question in self.waiting:
            self.waiting.remove(question)
            question.turn.set()

    def leave(self, question: _Question, seconds: float) -> None:
        """Its turn is over, after so many seconds."""
        self.pace += 0.2 * (seconds / len(self.running) - self.pace)
        self.running.remove(question)
        self._admit()

    def _admit(self) -> None:
        """Whoever is next takes a turn; a viewer has one at a time for a verb, so that a class is served in turn."""
        for question in list(self.waiting):
            if len(self.running) >= TURNS:
                return
            if question.key is None or question.key not in [other.key for other in self.running]:
                self.waiting.remove(question)
                self.running.append(question)
                question.turn.set()


class Server:
    """Holds loaded models and answers questions, from any number of threads.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"mps"``; None = ``STUDIO_DEVICE``, else the best that is here.
        fast: serve the fast variant of the networks where there is one (`studio.serving.fast`), else the exact one.
        memory: bytes of weights to keep; beyond it the model that was asked longest ago is unloaded. The one that is
            asked is always served. None = ``STUDIO_MEMORY_MB``, default 2048.
        queue: questions that may wait for one model. None = ``STUDIO_QUEUE``, default 32.
    """

    def __init__(
        self, device: str | None = None, fast: bool = True, memory: int | None = None, queue: int | None = None
    ) -> None:
        self.device, self.fast = device or os.environ.get("STUDIO_DEVICE") or best_device(), fast
        self.memory = memory if memory is not None else _setting("STUDIO_MEMORY_MB", 2048) * 2**20
        self.queue = queue if queue is not None else _setting("STUDIO_QUEUE", 32)
        self._compute = _Compute()
        self._lock = threading.Lock()  # of everything below; held for microseconds
        self._models: OrderedDict[tuple[str, str], _Model] = OrderedDict()  # the last one asked is last
        self._loading: dict[tuple[str, str], threading.Lock] = {}
        self._newest: dict[tuple[str, str, str], _Question] = {}
        self._opening = threading.BoundedSemaphore(OPENING)

    def ask(
        self,
        gan: str,
        verb: str,
        values: Mapping[str, Any],
        tag: str | None = None,
        viewer: str | None = None,
        gone: threading.Event | None = None,
    ) -> Answer:
        """Asks a verb of a GAN and waits for the answer.

        Args:
            values: the verb's arguments by name, as text or bytes or as what they are.
            tag: the checkpoint; None = the GAN's default.
            viewer: who asks. A newer question of theirs for the same verb ends an older one that is still waiting.
            gone: set when nobody waits for the answer any more; the question then gives up its turn.

        Raises:
            Unknown: no such GAN, verb or checkpoint.
            ValueError: values that don't fit the verb, or that it can't work with.
            Busy: the line is full.
            Superseded: a newer question of this viewer has come, or `gone` was set.
            Failed: a fault of ours; the log knows more.
        """
        place, declared = self._find(gan, verb, tag)
        question = _Question((viewer, gan, verb) if viewer else None)
        self._announce(question)
        try:
            with self._opening:
                bound = declared.bind(values)
            question.pixels = sum(v.width * v.height for v in bound.values() if isinstance(v, (Picture, LabelMap)))
            model = self._model(gan, place)
            with self._turn(model, question):
                if gone is not None and gone.is_set():
                    raise Superseded("server.left")
                began = time.perf_counter()
                _together.set(1)
                with torch.inference_mode():  # of this thread only
                    value = getattr(model.gan, verb)(**bound)
                spent = 1000 * (time.perf_counter() - began)
        except (ValueError, Busy, Superseded, Failed):
            raise
        except Exception as error:
            log.exception("%s %s failed", gan, verb)
            raise _failed(error, verb) from error
        finally:
            with self._lock:
                if self._newest.get(question.key) is question:
                    del self._newest[question.key]
        size = getattr(model.gan.config, "size", 0)
        return Answer(value, round(spent, 1), self.device, model.tag, size, _together.get(), model.gan.variant)

    def loaded(self) -> list[tuple[str, str]]:
        """(gan, tag) of the models in memory, the one asked longest ago first."""
        with self._lock:
            return list(self._models)

    def close(self) -> None:
        """Ends the computing thread and lets go of the models. Questions on their way end with `Failed`."""
        self._compute.close()
        with self._lock:
            self._models.clear()

    def _find(self, gan: str, verb: str, tag: str | None) -> tuple[Path, Verb]:
        try:
            known = verbs(registry.gan(gan))
            if verb not in known:
                raise Refused("values.noVerb", gan=gan, verb=str(verb)[:60], there=known)
            return checkpoints.folder(gan, tag), known[verb]
        except Refused as error:
            raise Unknown(error.code, **error.values) from error

    def _announce(self, question: _Question) -> None:
        """From now on this is its viewer's newest question: one that still waits ends, one on its way will."""
        if question.key is None:
            return
        with self._lock:
            older = self._newest.get(question.key)
            self._newest[question.key] = question
            if older is not None:
                older.outdated = True
                if older.model is not None:
                    older.model.drop(older)

    @contextmanager
    def _turn(self, model: _Model, question: _Question) -> Iterator[None]:
        """Waits in the model's line; inside, it is this question's turn."""
        with self._lock:
            if question.outdated:
                raise Superseded(NEWER)
            model.join(question, self.queue)
        question.turn.wait()
        with self._lock:
            if question not in model.running:
                raise Superseded(NEWER)
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                model.leave(question, time.perf_counter() - began)

    def _model(self, gan: str, place: Path) -> _Model:
        """The loaded model of a checkpoint's folder; loads it if it is not there or its card has changed since.

        Raises:
            Failed: the checkpoint can't be loaded; says why.
        """
        key = (gan, place.name)
        with self._lock:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:  # whoever comes while it loads waits here, and finds it loaded
            try:
                stamp = _stamp(place)
                with self._lock:
                    model = self._models.get(key)
                    if model is not None and model.stamp == stamp:
                        self._models.move_to_end(key)
                        return model
                loaded = checkpoints.load(gan, place.name, self.device)
                if self.fast:
                    loaded = fastest(loaded, key=checkpoints.card(gan, place.name))
            except (ValueError, OSError) as error:
                raise Failed("model.unusable", tag=place.name, gan=gan, why=error) from error
            weights = sum(t.numel() * t.element_size() for t in chain(loaded.parameters(), loaded.buffers()))
            model = _Model(_served(loaded, self._compute), place.name, stamp, weights)
            with self._lock:
                self._models[key] = model
                self._models.move_to_end(key)
                while len(self._models) > 1 and sum(m.bytes for m in self._models.values()) > self.memory:
                    self._models.popitem(last=False)  # its questions on the way keep it until they are answered
            return model


def best_device() -> str:
    """The fastest device of this machine."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


_starting = threading.Lock()
_started: list[Server] = []


def server() -> Server:
    """The server of this process, made when it is first needed. Every front end shares it."""
    with _starting:
        if not _started:
            _started.append(Server())
        return _started[0]


def _stamp(place: Path) -> tuple:
    facts = (place / "card.json").stat()
    return str(place), facts.st_mtime_ns, facts.st_size, facts.st_ino


def _setting(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal():
        raise Refused("server.setting", name=name, value=text)
    return int(text)


def _failed(error: Exception, verb: str) -> Failed:
    short = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
    return Failed("server.noMemory") if short else Failed("server.fault", verb=verb)
