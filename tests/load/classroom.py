# ruff: noqa: E402
"""A class at work: thirty viewers draw, slide, mix and paint on a real classroom server, and every answer is checked.

    python tests/load/classroom.py --viewers 30 --minutes 10            the table
    python tests/load/classroom.py --minutes 4 --kill                   … with `kill -9` of the server in the middle
    python tests/load/classroom.py --minutes 1 --flood 200              … and two hundred questions at once at the end

It starts the server itself. What a viewer does is what the pages' own JavaScript does (`pages/parts/link.js`): one
question on its way at a time, of those that wait only the newest; after a refusal it comes back when it was told to.
Changes come in bursts of two to four a second, with pauses between them. Each viewer also holds its page's Streamlit
session open, as a browser does; some send pictures to the wall, a teacher hangs them, a projector looks on.

Every picture is compared with the answers that `studio.load` gave to all questions of its kind before: it must be the
one to its own question. The comparing runs in a process of its own, but on the same machine: what is measured is
the server *and* a class of clients on these cores, so a server alone is faster.

Why asyncio and httpx, not Locust: the comparing, the memory and the kill need this process to know the server and the
pictures; httpx is there for the tests anyway; Locust would bring gevent and a web page for less than is needed here.

Ends with 1 if anything went wrong: an error, a mixed-up answer, a refusal without a sentence or Retry-After, or (from
two minutes on) memory at the end more than 5% above that of minute one.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import httpx
import numpy as np
import psutil
from PIL import Image, ImageOps
from served import Served

from studio import checkpoints, registry
from studio.images import open_picture
from studio.verbs import verbs

CLOSE = 34.0  # dB: the fast variant promises 40 against the exact one; a JPEG or a batch may cost a little
APART = 28.0  # dB: two questions whose answers are nearer than that can't tell a mix-up
SIDE = 64  # pixels at which answers are compared with those of others


# ---- what is asked --------------------------------------------------------------------------------------------------


@dataclass
class Question:
    """A verb's values, as a form sends them."""

    gan: str
    verb: str
    files: dict[str, bytes] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def examples(gan: str) -> list[Image.Image]:
    folder, card = checkpoints.folder(gan), checkpoints.card(gan)
    return [open_picture(folder / name) for name in card.get("examples", [])]


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=94)
    return out.getvalue()


def drawing() -> Iterator[Question]:
    """Sketches, and the same seen in a mirror."""
    for sketch in examples("pix2pix"):
        for each in (sketch, ImageOps.mirror(sketch)):
            yield Question("pix2pix", "translate", {"sketch": png(each)})


def sliding() -> Iterator[Question]:
    """Photos through one gate or two, at the size that is asked for while a slider moves."""
    styles = checkpoints.card("gated_gan").get("extras", {}).get("styles", [])
    for k, photo in enumerate(examples("gated_gan")[:3]):
        photo = ImageOps.contain(photo, (256, 256))
        for style in styles:
            gates = {style: 1.0} if k % 2 else {style: 0.7, "identity": 0.1}
            yield Question("gated_gan", "stylize", {"photo": jpeg(photo)}, {"gates": json.dumps(gates), "size": "256"})


def editing() -> Iterator[Question]:
    """Faces with a slider of the first attribute pushed."""
    kind, card = registry.gan("stargan"), checkpoints.card("stargan")
    first = kind.labels_of(kind.configured(card["config"])).names[0]
    for face in examples("stargan"):
        for each in (face, ImageOps.mirror(face)):
            yield Question("stargan", "edit", {"face": png(each)}, {"attributes": json.dumps({first: 0.8})})


def mixing(gan: str) -> Callable[[], Iterator[Question]]:
    """Mixing grids."""

    def asked() -> Iterator[Question]:
        for k in range(8):
            rows, columns = [6 * k + 1, 6 * k + 2, 6 * k + 3], [6 * k + 4, 6 * k + 5, 6 * k + 6]
            yield Question(gan, "mix", {}, {"rows": json.dumps(rows), "columns": json.dumps(columns)})

    return asked


def painting() -> Iterator[Question]:
    """Label maps and the same in a mirror."""
    for labels in examples("spade"):
        for each in (labels, ImageOps.mirror(labels)):
            yield Question("spade", "paint", {"labels": png(each)}, {"seed": "7"})


def drawing_numbers() -> Iterator[Question]:
    """Walls of pictures by seed."""
    for seed in range(1, 13):
        yield Question("dcgan", "sample", {}, {"seed": str(seed)})


KINDS: dict[str, tuple[str, Callable[[], Iterator[Question]]]] = {
    "draw": ("pix2pix", drawing),
    "slide": ("gated_gan", sliding),
    "edit": ("stargan", editing),
    "mix": ("stylegan2", mixing("stylegan2")),
    "mix (StyleGAN)": ("stylegan", mixing("stylegan")),
    "paint": ("spade", painting),
    "seeds": ("dcgan", drawing_numbers),
}


@dataclass
class Kind:
    """What viewers of one kind ask, and the right answers."""

    name: str
    questions: list[Question]
    answers: list[bytes]  # PNG


def kinds() -> list[Kind]:
    """The kinds whose GAN has a checkpoint; answers of the exact variant, computed here and now."""
    found = []
    for name, (gan, asked) in KINDS.items():
        if not checkpoints.tags(gan):
            print(f"  {name}: {gan} has no checkpoint, nobody does it", flush=True)
            continue
        loaded = checkpoints.load(gan)
        questions, answers, small = [], [], []
        for question in asked():
            verb = verbs(registry.gan(gan))[question.verb]
            picture = getattr(loaded, question.verb)(**verb.bind({**question.files, **question.values}))
            seen = shrunk(picture)
            if all(likeness(seen, other) < APART for other in small):  # else two answers could be taken for each other
                questions.append(question)
                answers.append(png(picture))
                small.append(seen)
        assert len(questions) > 2, f"{name}: the answers are too alike to tell a mix-up"
        found.append(Kind(name, questions, answers))
        print(f"  {name}: {len(questions)} questions to {gan}", flush=True)
    return found


# ---- whether an answer is the right one (in a process of its own) ---------------------------------------------------

_right: dict[str, tuple[list[np.ndarray], list[np.ndarray]]] = {}


def shrunk(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR in dB; -inf if they are not of one size."""
    if a.shape != b.shape:
        return -math.inf
    error = float(np.mean((a - b) ** 2))
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)


def know(answers: dict[str, list[bytes]]) -> None:
    """What the comparing process begins with."""
    with suppress(OSError, AttributeError):
        os.nice(5)
    for name, pictures in answers.items():
        opened = [open_picture(each) for each in pictures]
        _right[name] = ([np.asarray(each, np.float32) for each in opened], [shrunk(each) for each in opened])


def judge(kind: str, index: int, content: bytes) -> tuple[float, str]:
    """How like the right answer it is (dB), and what is wrong with it ("" = nothing)."""
    whole, small = _right[kind]
    picture = open_picture(content)
    near = likeness(np.asarray(picture, np.float32), whole[index])
    seen = shrunk(picture)
    nearest = max(range(len(small)), key=lambda k: likeness(seen, small[k]))
    if nearest != index:
        return near, f"{kind}: question {index} got the answer to question {nearest}"
    return near, "" if near >= CLOSE else f"{kind}: question {index} got an answer that is {near:.1f} dB off"


# ---- the measuring --------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What happened."""

    times: dict[str, list[float]] = field(default_factory=dict)  # seconds of an answer, by kind
    codes: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    worst: float = 99.0  # dB, of all right answers
    changes: int = 0  # that viewers made; those overtaken by a newer one are never sent
    sent: int = 0  # pictures to the wall
    sessions: int = 0
    away: bool = False  # the server was killed and is not back yet: then, only then, it may be out of reach
    unreachable: int = 0

    def refused(self, answer: httpx.Response) -> None:
        """A refusal must say a sentence, and 429 and 503 when to come back."""
        with suppress(ValueError, AttributeError):
            soon = answer.status_code not in (429, 503) or answer.headers.get("retry-after", "").isdigit()
            if soon and len(answer.json().get("error", "").split()) > 3:
                return
        self.wrong.append(f"a refusal without a sentence or Retry-After: {answer.status_code} {answer.text[:200]}")


class Class:
    """Thirty viewers, a teacher and a projector."""

    def __init__(self, served: Served, kinds: list[Kind], viewers: int, pool: ProcessPoolExecutor, pages: bool) -> None:
        self.served, self.kinds, self.count, self.pool, self.pages = served, kinds, viewers, pool, pages
        self.seen, self.until = Seen(), 0.0
        self.judged: set[asyncio.Future] = set()

    async def begin(self) -> float:
        """Asks each kind once, so that its model is loaded when the lesson begins, and sends a picture of each to the
        wall; seconds that took."""
        began = time.monotonic()
        for number, kind in enumerate(self.kinds):
            async with self.browser(f"before-{number}") as client:
                assert not await self.ask(client, kind, 0, 0, random.Random(0)), "the first answer"
                await self.show(client, kind.answers[0], number)
        self.seen.times.clear()
        self.seen.codes.clear()
        return time.monotonic() - began

    async def work(self, seconds: float) -> None:
        """Everybody is at work for so long."""
        self.until = time.monotonic() + seconds
        tasks = [self.viewer(k, self.kinds[k % len(self.kinds)]) for k in range(self.count)]
        await asyncio.gather(*tasks, self.teacher(), self.projector())
        if self.judged:
            await asyncio.wait(self.judged)

    @property
    def going(self) -> bool:
        return time.monotonic() < self.until

    @asynccontextmanager
    async def browser(self, tab: str, stranger: bool = True) -> Any:
        """A browser: by another name than this machine's own it is a stranger's."""
        headers = {"X-Tab": tab} | ({"Host": f"class.test:{self.served.port}"} if stranger else {})
        async with httpx.AsyncClient(base_url=self.served.address, headers=headers, timeout=60) as client:
            yield client

    async def viewer(self, number: int, kind: Kind) -> None:
        """Bursts of changes, and pauses; what is asked meanwhile is always the newest."""
        dice = random.Random(number)
        await asyncio.sleep(dice.random() * 2)
        newest: list[int | None] = [None]
        change = asyncio.Event()

        async def moves() -> None:
            while self.going:
                until = min(self.until, time.monotonic() + dice.uniform(2, 5))
                while time.monotonic() < until:
                    newest[0] = dice.randrange(len(kind.questions))
                    self.seen.changes += 1
                    change.set()
                    await asyncio.sleep(dice.uniform(0.25, 0.5))
                await asyncio.sleep(min(dice.uniform(1, 4), max(0, self.until - time.monotonic())))
            change.set()

        async with self.browser(f"viewer-{number}-{dice.getrandbits(64):x}") as client:
            session = asyncio.create_task(self.session(kind.questions[0].gan, dice)) if self.pages else None
            moving = asyncio.create_task(moves())
            while self.going:
                await change.wait()
                change.clear()
                index, newest[0] = newest[0], None
                if index is not None:
                    again = await self.ask(client, kind, index, number, dice)
                    if again and newest[0] is None:
                        newest[0] = index
                        change.set()
                if newest[0] is not None:
                    change.set()
            await moving
            if session:
                session.cancel()
                with suppress(asyncio.CancelledError):
                    await session

    async def ask(self, client: httpx.AsyncClient, kind: Kind, index: int, number: int, dice: random.Random) -> bool:
        """Asks once; whether it is to be asked again, now that the pause for that is over."""
        question, began = kind.questions[index], time.perf_counter()
        try:
            answer = await client.post(
                f"/api/{question.gan}/{question.verb}",
                data=question.values | {"viewer": f"viewer{number}", "revision": str(index)},
                files={name: (f"{name}.png", content) for name, content in question.files.items()} or None,
            )
        except httpx.HTTPError as error:
            return await self.lost(error, dice)
        self.seen.codes[answer.status_code] += 1
        if answer.status_code == 200:
            self.seen.times.setdefault(kind.name, []).append(time.perf_counter() - began)
            if answer.headers.get("x-revision") != str(index):
                self.seen.wrong.append(f"{kind.name}: the answer is to revision {answer.headers.get('x-revision')}")
            self.compare(kind.name, index, answer.content)
            if dice.random() < 1 / 150:
                await self.show(client, answer.content, number)
            return False
        self.seen.refused(answer)
        if answer.status_code in (429, 503):
            await asyncio.sleep(int(answer.headers.get("retry-after", 1)) * dice.uniform(1, 1.5))
        elif answer.status_code != 409:
            self.seen.wrong.append(f"{kind.name}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code in (409, 429, 503)

    async def lost(self, error: Exception, dice: random.Random) -> bool:
        if self.seen.away:
            self.seen.unreachable += 1
        elif self.going:
            self.seen.wrong.append(f"out of reach: {type(error).__name__} {error}")
        await asyncio.sleep(dice.uniform(0.3, 1))
        return True

    def compare(self, kind: str, index: int, content: bytes) -> None:
        job = asyncio.get_running_loop().run_in_executor(self.pool, judge, kind, index, content)
        self.judged.add(job)

        def done(job: asyncio.Future) -> None:
            self.judged.discard(job)
            near, says = job.result()
            self.seen.worst = min(self.seen.worst, near)
            if says:
                self.seen.wrong.append(says)

        job.add_done_callback(done)

    async def show(self, client: httpx.AsyncClient, content: bytes, number: int) -> None:
        """A picture for the class's wall."""
        with suppress(httpx.HTTPError):
            answer = await client.post(
                f"/api/gallery?name=Viewer%20{number}", content=content, headers={"Content-Type": "image/png"}
            )
            self.seen.codes[answer.status_code] += 1
            if answer.status_code == 201:
                self.seen.sent += 1
            else:
                self.seen.refused(answer)

    async def teacher(self) -> None:
        """Hangs what waits, and takes pictures down before the wall is full."""
        dice = random.Random("teacher")
        async with self.browser("teacher", stranger=False) as client:
            while self.going:
                await asyncio.sleep(min(3, max(0.1, self.until - time.monotonic())))
                try:
                    wall = (await client.get("/api/gallery")).json()
                    for picture in wall["waiting"]:
                        (await client.post(f"/api/gallery/{picture['id']}", json={"hang": True})).raise_for_status()
                    for picture in wall["pictures"][100:]:
                        await client.delete(f"/api/gallery/{picture['id']}")
                except httpx.HTTPError as error:
                    await self.lost(error, dice)

    async def projector(self) -> None:
        """Looks at the wall, as gallery.js does."""
        tag, known, dice = "", set(), random.Random("projector")
        async with self.browser("projector") as client:
            while self.going:
                try:
                    answer = await client.get("/api/gallery", headers={"If-None-Match": tag} if tag else {})
                    if answer.status_code == 200:
                        tag = answer.headers["etag"]
                        for picture in answer.json()["pictures"]:
                            if picture["id"] not in known:
                                known.add(picture["id"])
                                await client.get(f"/api/gallery/{picture['id']}.png")
                except httpx.HTTPError as error:
                    await self.lost(error, dice)
                await asyncio.sleep(min(2.5, max(0.1, self.until - time.monotonic())))

    async def session(self, gan: str, dice: random.Random) -> None:
        """The page's own connection to Streamlit, held open; the tab is changed now and then."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        address = f"ws://127.0.0.1:{self.served.port}/_stcore/stream"
        while True:
            try:
                async with connect(address, max_size=None, subprotocols=["streamlit"], open_timeout=60) as socket:
                    while True:
                        wish = BackMsg()
                        wish.rerun_script.page_name = gan
                        wish.rerun_script.query_string = dice.choice(["", "lang=ko", "tab=read", "hide=menu"])
                        await socket.send(wish.SerializeToString())
                        finished = False
                        while not finished:
                            heard = ForwardMsg()
                            heard.ParseFromString(await asyncio.wait_for(socket.recv(), 60))
                            finished = heard.WhichOneof("type") == "script_finished"
                        self.seen.sessions += 1
                        with suppress(TimeoutError):
                            await asyncio.wait_for(self._listen(socket), dice.uniform(20, 60))
            except (OSError, TimeoutError, WebSocketException) as error:
                await self.lost(error, dice)

    @staticmethod
    async def _listen(socket: Any) -> None:
        while True:
            await socket.recv()


def megabytes(served: Served) -> float:
    """Memory of the server and its children."""
    total = 0
    with suppress(psutil.Error):
        server = psutil.Process(served.process.pid)
        for process in [server, *server.children(recursive=True)]:
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total / 2**20


async def weigh(served: Served, into: list[tuple[float, float]]) -> None:
    """(seconds since the start, MB), every two seconds."""
    began = time.monotonic()
    while True:
        into.append((time.monotonic() - began, megabytes(served)))
        await asyncio.sleep(2)


# ---- the three trials -----------------------------------------------------------------------------------------------


async def lesson(group: Class, minutes: float, kill: bool) -> dict[str, Any]:
    """The class at work; in the middle the server may be killed."""
    seconds, weights, served = 60 * minutes, [], group.served
    weighing = asyncio.create_task(weigh(served, weights))
    working = asyncio.create_task(group.work(seconds))
    facts: dict[str, Any] = {}
    if kill:
        await asyncio.sleep(seconds / 2)
        facts["after kill -9"] = await killed(group)
    await working
    weighing.cancel()
    at_one = [mb for when, mb in weights if abs(when - min(60, seconds / 2)) < max(5, seconds / 20)]
    at_end = [mb for _, mb in weights[-max(2, len(at_one)) :]]
    every = [
        round(np.median([mb for when, mb in weights if when // 60 == k])) for k in range(int(weights[-1][0] // 60) + 1)
    ]
    facts["memory by the minute"] = ", ".join(map(str, every))
    return facts | {"memory at minute one": np.median(at_one), "memory at the end": np.median(at_end)}


async def killed(group: Class) -> str:
    """`kill -9`, and a new start: whether runs and wall are as they were."""
    served, seen = group.served, group.seen

    def state() -> Any:
        runs = httpx.get(f"{served.address}/api/runs", timeout=30).json()
        wall = httpx.get(f"{served.address}/api/gallery", timeout=30).json()
        pictures = {each["id"] for each in (*wall["pictures"], *wall["waiting"])}
        return [(run["name"], run["how"], run["step"]) for run in runs], pictures

    def restart() -> tuple[Any, Any]:
        before = state()
        seen.away = True
        served.kill()
        served.start()
        after = state()
        for id in after[1]:
            open_picture(httpx.get(f"{served.address}/api/gallery/{id}.png").content)
        return before, after

    began = time.monotonic()
    before, after = await asyncio.to_thread(restart)
    await asyncio.sleep(2)
    seen.away = False
    if before[0] != after[0] or not before[1] <= after[1] or not (before[0] and before[1]):
        seen.wrong.append(f"after the kill the studio is another: {before} -> {after}")
    took = time.monotonic() - began - 2
    return f"back after {took:.0f} s, {len(after[0])} runs and {len(after[1])} pictures intact"


async def flood(group: Class, many: int) -> str:
    """So many viewers ask at the same instant; and afterwards the server answers as before."""
    kind = group.kinds[0]
    limits = httpx.Limits(max_connections=many)
    headers = {"Host": f"class.test:{group.served.port}"}
    async with httpx.AsyncClient(base_url=group.served.address, headers=headers, timeout=120, limits=limits) as client:

        async def one(k: int) -> httpx.Response:
            question = kind.questions[k % len(kind.questions)]
            answer = await client.post(
                f"/api/{question.gan}/{question.verb}",
                data=question.values | {"viewer": f"flood{k}"},
                files={name: (f"{name}.png", content) for name, content in question.files.items()} or None,
                headers={"X-Tab": f"flood-{k}"},
            )
            if answer.status_code == 200:
                group.compare(kind.name, k % len(kind.questions), answer.content)
            else:
                group.seen.refused(answer)
            return answer

        codes = Counter(answer.status_code for answer in await asyncio.gather(*map(one, range(many))))
        if set(codes) - {200, 429, 503} or not codes[200]:
            group.seen.wrong.append(f"in the flood: {dict(codes)}")
        waits = [await one(0) for _ in range(3)]
        if any(answer.status_code != 200 for answer in waits):
            group.seen.wrong.append("after the flood the server does not answer")
    if group.judged:
        await asyncio.wait(group.judged)
    return ", ".join(f"{count} x {code}" for code, count in sorted(codes.items())) + "; then it answers as before"


# ---- the whole ------------------------------------------------------------------------------------------------------


def train_a_little(home: Path) -> None:
    """A finished run, so that there is one to lose."""
    import subprocess

    tiny = registry.gan("dcgan").TINY
    settings = [f"{name}={getattr(tiny, name)}" for name in ("size", "width")]
    command = [sys.executable, "-m", "studio", "train", "dcgan", "--data", "toy", "--steps", "3", "--set", *settings]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"STUDIO_HOME": str(home)}, check=True, capture_output=True)


def report(group: Class, facts: dict[str, Any], minutes: float) -> dict[str, Any]:
    seen = group.seen
    every = sorted(second for times in seen.times.values() for second in times)
    lines = {
        name: {"answers": len(times), "p50 ms": quantile(times, 0.5), "p95 ms": quantile(times, 0.95)}
        for name, times in [*sorted(seen.times.items()), ("all", every)]
    }
    return {
        "machine": f"{platform.machine()}, {psutil.cpu_count(logical=False)} core(s), {psutil.cpu_count()} threads",
        "viewers": group.count,
        "minutes": minutes,
        "kinds": lines,
        "images/s": round(len(every) / (60 * minutes), 1),
        "changes": seen.changes,
        "codes": dict(sorted(seen.codes.items())),
        "streamlit runs": seen.sessions,
        "to the wall": seen.sent,
        "unreachable while killed": seen.unreachable,
        "worst likeness dB": round(seen.worst, 1),
        **{name: round(float(v), 1) if isinstance(v, (float, np.floating)) else v for name, v in facts.items()},
        "wrong": seen.wrong,
    }


def quantile(values: list[float], share: float) -> float:
    return round(1000 * float(np.quantile(values, share)), 1) if values else math.nan


def show(facts: dict[str, Any]) -> None:
    print("\n| what | answers | p50 ms | p95 ms |\n|---|---|---|---|")
    for name, line in facts["kinds"].items():
        print(f"| {name} | {line['answers']} | {line['p50 ms']} | {line['p95 ms']} |")
    print()
    for name, value in facts.items():
        if name not in ("kinds", "wrong"):
            print(f"{name}: {value}")
    print(f"wrong: {len(facts['wrong'])}")
    for line, count in Counter(facts["wrong"]).most_common(20):
        print(f"  {count} x {line}")


def trial(
    viewers: int, minutes: float, kill: bool = False, many: int = 0, home: Path | None = None, pages: bool = True
) -> dict[str, Any]:
    """The whole, and what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        home = home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        os.environ["STUDIO_HOME"] = str(home)  # the right answers are of the server's checkpoints
        print("The right answers:", flush=True)
        known = kinds()
        if kill:
            train_a_little(home)
        served = Served(home, lesson=True, options=("--rate", "viewer=15 address=400"))
        answers = {kind.name: kind.answers for kind in known}
        with ProcessPoolExecutor(1, initializer=know, initargs=(answers,)) as pool:
            try:
                served.start()
                group = Class(served, known, viewers, pool, pages)
                print(f"{viewers} viewers for {minutes:g} minutes …", flush=True)

                async def everything() -> dict[str, Any]:
                    loaded = await group.begin()
                    facts = {"models loaded after s": loaded} | await lesson(group, minutes, kill)
                    if many:
                        facts[f"{many} at once"] = await flood(group, many)
                    return facts

                facts = report(group, asyncio.run(everything()), minutes)
            finally:
                served.stop()
        if "Traceback" in served.said:
            facts["wrong"].append(f"the server's log: {served.said[-1500:]}")
    if not kill:  # else it is another process at the end
        growth = facts["memory at the end"] / facts["memory at minute one"] - 1
        facts["memory growth"] = f"{100 * growth:+.1f} %"
        if minutes >= 2 and growth > 0.05:
            facts["wrong"].append(f"memory grew by {100 * growth:.1f} %")
    return facts


def main() -> int:
    parser = argparse.ArgumentParser(description="A class at work on a real server.")
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kill", action="store_true", help="kill -9 the server in the middle")
    parser.add_argument("--flood", type=int, default=0, metavar="N", help="so many questions at once at the end")
    parser.add_argument("--home", type=Path, help="a STUDIO_HOME with further checkpoints (default: an empty one)")
    parser.add_argument("--no-pages", action="store_true", help="no Streamlit sessions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was seen")
    given = parser.parse_args()
    facts = trial(given.viewers, given.minutes, given.kill, given.flood, given.home, pages=not given.no_pages)
    show(facts)
    if given.json:
        given.json.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return 1 if facts["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
