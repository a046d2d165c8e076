"""The live path: what is shared stays separate, the newest wins, a full line says so, and nothing brings it down."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pytest
import torch
from patience import PATIENCE, until
from PIL import Image
from torch import nn

from studio import checkpoints, images, registry
from studio.gans import pix2pix
from studio.serving import Busy, Failed, Server, Superseded, Unknown
from studio.serving import line as serving
from studio.verbs import verbs


def sketch(seed=0):
    """A drawing that no other seed makes."""
    soft = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(soft).resize((32, 32), Image.Resampling.BICUBIC)


def save(tag, seed=0, gan=pix2pix.GAN, **facts):
    torch.manual_seed(seed)
    return checkpoints.save(gan(gan.TINY), tag, {"title": {"en": tag, "ko": tag}, **facts})


def near(a, b):
    """Within one level of 255: a batch may round otherwise than one picture alone."""
    return np.abs(np.asarray(a, np.int16) - np.asarray(b, np.int16)).max() <= 1


@pytest.fixture
def home(home, monkeypatch):
    """With one checkpoint, whatever the studio ships."""
    monkeypatch.setattr(checkpoints.shelf, "SHIPPED", home / "shipped")
    save("tiny", default=True)
    return home


@pytest.fixture
def make(home):
    """Makes servers that are closed at the end; the test fails if a thread of theirs is left."""
    made = []

    def make(**options):
        made.append(Server(device="cpu", fast=False, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()
        assert not server._compute._thread.is_alive()


@pytest.fixture
def server(make):
    return make()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(48) as pool:
        yield pool


@contextmanager
def busy(server):
    """Within the block the computing thread has something else to do."""
    inside, go = threading.Event(), threading.Event()

    class Block(nn.Module):
        def forward(self):
            inside.set()
            assert go.wait(PATIENCE)

    thread = threading.Thread(target=server._compute, args=(Block(), (), {}))
    thread.start()
    assert inside.wait(PATIENCE)
    try:
        yield
    finally:
        go.set()
        thread.join(PATIENCE)


def calls(server):
    """Calls of networks that wait for the computing thread."""
    return sum(map(len, list(server._compute._lines.values())))


def line(server, tag="tiny"):
    return server._models["pix2pix", tag].waiting


def translate(server, seed=0, **more):
    return server.ask("pix2pix", "translate", {"sketch": sketch(seed)}, **more)


# ---- answers


def test_an_answer_is_what_the_verb_gives_and_says_how(server):
    answer = translate(server)
    assert near(answer.value, checkpoints.load("pix2pix", "tiny").translate(sketch()))
    assert (answer.device, answer.tag, answer.size, answer.batch, answer.variant) == ("cpu", "tiny", 32, 1, "exact")
    assert answer.milliseconds > 0


def test_values_may_be_bytes_and_text(server):
    answer = server.ask("pix2pix", "translate", {"sketch": images.png(sketch()), "seed": "3"})
    assert near(answer.value, checkpoints.load("pix2pix", "tiny").translate(sketch(), seed=3))


def test_networks_keep_their_properties_behind_the_stand_in(server):
    served = server.ask("pix2pix", "judge", {"sketch": sketch(), "picture": sketch(1)}).value
    own = checkpoints.load("pix2pix", "tiny").judge(sketch(), sketch(1))
    assert served[1:] == own[1:]
    assert np.allclose(served.map, own.map, atol=1e-5)


VERBS = [(gan, name) for gan in registry.names() for name in verbs(registry.gan(gan))]


@pytest.mark.parametrize(("gan", "verb"), VERBS)
def test_in_a_shared_batch_every_verb_gives_everybody_their_own(gan, verb, server, pool):
    save("small", gan=registry.gan(gan))
    alone, declared = checkpoints.load(gan, "small"), verbs(registry.gan(gan))[verb]
    example = {images.Picture: sketch, int: int, float: lambda k: k / 8, bool: lambda k: k % 2 == 0}
    if any(a.required and a.type not in example for a in declared.arguments.values()):
        pytest.skip("this verb takes words that only its own test knows")
    given = [a for a in declared.arguments.values() if a.required or a.name == "seed" or a.type is bool]
    asked = [{a.name: example[a.type](k) for a in given} for k in range(5)]
    with busy(server):
        futures = [pool.submit(server.ask, gan, verb, values, "small") for values in asked]
        until(lambda: calls(server) + sum(f.done() for f in futures) == len(asked))
    for values, future in zip(asked, futures, strict=True):
        with torch.inference_mode():
            own = getattr(alone, verb)(**declared.bind(values))
        assert like(future.result(PATIENCE).value, own)


def like(a, b):
    if isinstance(a, images.Picture):
        return near(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(like(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(like, a, b))
    return np.allclose(a, b, atol=1e-5) if hasattr(a, "shape") or isinstance(a, float) else a == b


# ---- batches


def test_whoever_waits_shares_a_batch_and_gets_their_own_picture(server, pool):
    own = checkpoints.load("pix2pix", "tiny")
    with busy(server):
        futures = [pool.submit(translate, server, k, viewer=f"v{k}") for k in range(11)]
        until(lambda: calls(server) == 11)
    answers = [f.result(PATIENCE) for f in futures]
    assert sorted(a.batch for a in answers) == [3] * 3 + [8] * 8
    assert all(near(a.value, own.translate(sketch(k))) for k, a in enumerate(answers))


def test_forty_viewers_at_once_never_get_each_others_pictures(server, pool):
    own = checkpoints.load("pix2pix", "tiny")
    right = [own.translate(sketch(k)) for k in range(40)]
    assert not any(near(right[0], other) for other in right[1:])
    futures = [pool.submit(translate, server, k, viewer=f"v{k}") for k in range(40)]
    assert all(near(f.result(PATIENCE).value, right[k]) for k, f in enumerate(futures))


def test_only_calls_of_one_kind_share_a_batch(server, pool):
    with busy(server):
        futures = [
            pool.submit(server.ask, "pix2pix", verb, {"sketch": sketch(k)})
            for k, verb in enumerate(["translate", "averages"] * 2)
        ]
        until(lambda: calls(server) == 4)
    assert [f.result(PATIENCE).batch for f in futures] == [2, 2, 2, 2]
    own = checkpoints.load("pix2pix", "tiny")
    assert near(futures[0].result().value, own.translate(sketch(0)))
    assert near(futures[1].result().value, own.averages(sketch(1)))


def test_only_the_one_at_fault_fails(server, pool, monkeypatch, caplog):
    forward = pix2pix.paper.Generator.forward

    def picky(self, x, *more):
        if (x.amax(dim=(1, 2, 3)) == x.amin(dim=(1, 2, 3))).any():
            raise RuntimeError("I don't like blank paper")
        return forward(self, x, *more)

    monkeypatch.setattr(pix2pix.paper.Generator, "forward", picky)
    blank = Image.new("RGB", (32, 32), "white")
    translate(server)
    with busy(server):
        bad = pool.submit(server.ask, "pix2pix", "translate", {"sketch": blank})
        good = [pool.submit(translate, server, k) for k in range(3)]
        until(lambda: calls(server) == 4)
    assert all(f.result(PATIENCE).batch == 1 for f in good)
    with pytest.raises(Failed, match="log"):
        bad.result(PATIENCE)
    assert "I don't like blank paper" in caplog.text


class Pair(NamedTuple):
    first: torch.Tensor
    rest: dict


class Odd(nn.Module):
    """Rows in, rows out, in every shape that a network may give them; remembers how many came at once."""

    def __init__(self):
        super().__init__()
        self.seen, self.part = [], nn.Linear(2, 2)

    def forward(self, x, *, give="pair"):
        self.seen.append(len(x))
        if give == "sum":
            return x.sum()  # of the whole batch: can't be dealt out
        return Pair(x + 1, {"list": [x * 2, (x * 3,)]})


def together(server, pool, network, several):
    with busy(server):
        futures = [pool.submit(server._compute, network, args, kwargs) for args, kwargs in several]
        until(lambda: calls(server) == len(several))
    return [f.result(PATIENCE) for f in futures]


def test_results_of_any_shape_are_dealt_out_by_rows(server, pool):
    odd = Odd()
    xs = [torch.full((k, 2), float(k)) for k in (1, 3, 2)]
    for x, got in zip(xs, together(server, pool, odd, [((x,), {}) for x in xs]), strict=True):
        assert type(got) is Pair
        assert torch.equal(got.first, x + 1)
        assert torch.equal(got.rest["list"][0], x * 2)
        assert torch.equal(got.rest["list"][1][0], x * 3)
    assert odd.seen == [6]


def test_what_can_not_share_is_computed_alone(server, pool, caplog):
    odd = Odd()
    ones = torch.ones(1, 2)
    assert together(server, pool, odd, [((ones,), {"give": "sum"})] * 2) == [2.0, 2.0]  # by row counts: not dealt out
    assert odd.seen == [2, 1, 1]
    odd.seen.clear()
    caplog.clear()
    more = [((torch.ones(6, 2),), {}), ((torch.ones(3, 2),), {}), ((torch.ones(1, 3),), {}), ((ones.double(),), {})]
    together(server, pool, odd, [*more, ((ones,), {"give": "a"}), ((ones,), {"give": "b"})])
    assert sorted(odd.seen) == [1, 1, 1, 1, 3, 6]  # more than 8 rows; another width, type, word
    assert not caplog.records, "it was not even tried together"


def test_a_part_of_a_network_is_shared_too_and_its_weights_are_there(server):
    odd = Odd()
    stand_in = serving._StandIn(odd, server._compute)
    assert isinstance(stand_in.part, serving._StandIn)
    assert stand_in.part.weight is odd.part.weight
    assert torch.equal(stand_in.part(torch.ones(1, 2)), odd.part(torch.ones(1, 2)))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = stand_in.nonsense


def test_no_network_waits_longer_than_a_batch_of_another(server, pool):
    order, one, other = [], Odd(), Odd()
    one.register_forward_hook(lambda *_: order.append("one"))
    other.register_forward_hook(lambda *_: order.append("other"))
    many = [((torch.ones(8, 2),), {})] * 3
    with busy(server):
        futures = [pool.submit(server._compute, one, *many[0]) for _ in many]
        until(lambda: calls(server) == 3)
        futures.append(pool.submit(server._compute, other, *many[0]))
        until(lambda: calls(server) == 4)
    for future in futures:
        future.result(PATIENCE)
    assert order == ["one", "other", "one", "one"]


# ---- turns


def test_the_newest_question_of_a_viewer_wins(server, pool):
    translate(server)
    with busy(server):
        running = pool.submit(translate, server, 1, viewer="a")
        until(lambda: calls(server) == 1)
        older = pool.submit(translate, server, 2, viewer="a")
        until(lambda: len(line(server)) == 1)
        newest = pool.submit(translate, server, 3, viewer="a")
        with pytest.raises(Superseded, match="newer"):
            older.result(PATIENCE)  # at once, while everything stands still
        other = pool.submit(server.ask, "pix2pix", "averages", {"sketch": sketch()}, None, "a")
        until(lambda: calls(server) == 2)  # another verb of the same viewer has a line of its own
    own = checkpoints.load("pix2pix", "tiny")
    assert near(running.result(PATIENCE).value, own.translate(sketch(1)))
    assert near(newest.result(PATIENCE).value, own.translate(sketch(3)))
    other.result(PATIENCE)
    assert not server._newest


def test_an_older_question_that_was_slow_to_open_does_not_come_after_the_newer(server, pool):
    opened, go = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, *size):
            opened.set()
            assert go.wait(PATIENCE)
            return super().read(*size)

    slow = pool.submit(server.ask, "pix2pix", "translate", {"sketch": Slow(images.png(sketch()))}, None, "a")
    assert opened.wait(PATIENCE)
    translate(server, 1, viewer="a")
    go.set()
    with pytest.raises(Superseded):
        slow.result(PATIENCE)


def test_questions_without_a_viewer_never_end_each_other(server, pool, monkeypatch):
    monkeypatch.setattr(serving, "TURNS", 1)
    translate(server)
    with busy(server):
        futures = [pool.submit(translate, server, k) for k in range(4)]
        until(lambda: len(line(server)) == 3)
    assert [f.result(PATIENCE).batch for f in futures] == [1] * 4


def test_a_viewer_who_asks_a_lot_gets_one_turn_in_the_round(server, pool, monkeypatch):
    monkeypatch.setattr(serving, "TURNS", 1)
    translate(server)
    done = []

    def ask(viewer, seed):
        translate(server, seed, viewer=viewer)
        done.append((viewer, seed))

    with busy(server):
        futures = [pool.submit(ask, "eager", 0)]
        until(lambda: calls(server) == 1)
        for waiting, viewer in enumerate(["eager", "a", "b"]):
            futures.append(pool.submit(ask, viewer, 1))
            until(lambda n=waiting: len(line(server)) == n + 1)
        futures.append(pool.submit(ask, "eager", 2))
        with pytest.raises(Superseded):
            futures[1].result(PATIENCE)
        until(lambda: len(line(server)) == 3)
    for k in (0, 2, 3, 4):
        futures[k].result(PATIENCE)
    assert done == [("eager", 0), ("a", 1), ("b", 1), ("eager", 2)]


def test_a_full_line_says_so_and_when_to_come_back(make, pool, monkeypatch):
    monkeypatch.setattr(serving, "TURNS", 1)
    server = make(queue=2)
    translate(server)
    with busy(server):
        futures = [pool.submit(translate, server, k) for k in range(3)]
        until(lambda: len(line(server)) == 2)
        with pytest.raises(Busy, match="2 others wait") as caught:
            translate(server)
        assert 1 <= caught.value.retry_after < 60
    for future in futures:
        future.result(PATIENCE)
    translate(server)


def test_a_line_holds_no_more_pictures_than_memory_allows(server, pool, monkeypatch):
    monkeypatch.setattr(serving, "TURNS", 1)
    monkeypatch.setattr(serving, "HELD", 2 * 32 * 32)
    translate(server)
    with busy(server):
        futures = [pool.submit(translate, server, k) for k in range(3)]
        until(lambda: len(line(server)) == 2)
        with pytest.raises(Busy):
            translate(server)
    for future in futures:
        future.result(PATIENCE)


def test_who_has_left_is_not_computed_for(server, pool, monkeypatch):
    monkeypatch.setattr(serving, "TURNS", 1)
    translate(server)
    gone = threading.Event()
    with busy(server):
        first = pool.submit(translate, server)
        until(lambda: calls(server) == 1)
        left = pool.submit(translate, server, gone=gone)
        until(lambda: len(line(server)) == 1)
        gone.set()
    first.result(PATIENCE)
    with pytest.raises(Superseded, match="left"):
        left.result(PATIENCE)


# ---- models


def test_first_questions_at_once_load_once(server, pool, monkeypatch):
    loads, load, start = [], checkpoints.load, threading.Barrier(8)
    monkeypatch.setattr(checkpoints, "load", lambda *a, **k: loads.append(a) or load(*a, **k))

    def ask(k):
        start.wait(PATIENCE)
        return translate(server, k)

    assert len(list(pool.map(ask, range(8)))) == 8
    assert len(loads) == 1


def test_what_was_asked_longest_ago_is_unloaded_first(make):
    save("b", 1)
    save("c", 2)
    loaded = checkpoints.load("pix2pix", "tiny")
    one = sum(t.nbytes for t in [*loaded.parameters(), *loaded.buffers()])
    server = make(memory=2 * one)
    for tag in ("tiny", "b", "tiny", "c"):
        translate(server, tag=tag)
    assert server.loaded() == [("pix2pix", "tiny"), ("pix2pix", "c")]
    assert near(translate(server, tag="b").value, checkpoints.load("pix2pix", "b").translate(sketch()))


def test_one_model_is_served_however_small_the_budget(make):
    server = make(memory=0)
    assert translate(server).tag == "tiny"
    assert len(server.loaded()) == 1


def test_a_model_that_is_unloaded_while_it_is_asked_still_answers(make, pool):
    save("b", 1)
    server = make(memory=0)
    translate(server)
    with busy(server):
        future = pool.submit(translate, server, tag="tiny")
        until(lambda: calls(server) == 1)
        other = pool.submit(translate, server, tag="b")
        until(lambda: calls(server) == 2)
        assert server.loaded() == [("pix2pix", "b")]
    assert near(future.result(PATIENCE).value, checkpoints.load("pix2pix", "tiny").translate(sketch()))
    other.result(PATIENCE)


def test_a_checkpoint_that_was_trained_on_is_loaded_anew(server):
    before = translate(server).value
    save("tiny", 5, default=True)
    after = translate(server).value
    assert not near(before, after)
    assert near(after, checkpoints.load("pix2pix", "tiny").translate(sketch()))


def test_a_damaged_checkpoint_is_a_sentence_and_loads_once_it_is_whole(server, home):
    weights = home / "checkpoints/pix2pix/tiny/weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    with pytest.raises(Failed, match="damaged"):
        translate(server)
    weights.write_bytes(whole)
    assert translate(server).tag == "tiny"


def test_the_environment_sets_memory_and_queue(make, monkeypatch):
    monkeypatch.setenv("STUDIO_MEMORY_MB", "3")
    monkeypatch.setenv("STUDIO_QUEUE", "5")
    server = make()
    assert (server.memory, server.queue) == (3 * 2**20, 5)
    monkeypatch.setenv("STUDIO_QUEUE", "many")
    with pytest.raises(ValueError, match="STUDIO_QUEUE"):
        Server(device="cpu")


def test_the_process_has_one_server(monkeypatch):
    monkeypatch.setattr(serving, "_started", [])
    with ThreadPoolExecutor(8) as pool:
        servers = set(pool.map(lambda _: serving.server(), range(8)))
    assert len(servers) == 1
    servers.pop().close()


# ---- faults


@pytest.mark.parametrize(
    ("gan", "verb", "tag", "says"),
    [
        ("nope", "translate", None, "The studio has"),
        ("pix2pix", "paint", None, "It has: translate"),
        ("pix2pix", "translate", "nope", "There are: tiny"),
        ("pix2pix", "translate", "../tiny", "can't be a tag"),
    ],
)
def test_unknown_names_are_answered_with_those_that_exist(server, gan, verb, tag, says):
    with pytest.raises(Unknown, match=says):
        server.ask(gan, verb, {"sketch": sketch()}, tag)


@pytest.mark.parametrize(
    ("error", "raised", "says"),
    [
        (ValueError("Draw something first."), ValueError, "Draw something first"),
        (RuntimeError("shapes"), Failed, "the server's log"),
        (KeyError("x"), Failed, "the server's log"),
        (MemoryError(), Failed, "not enough memory"),
        (torch.OutOfMemoryError("CUDA"), Failed, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), Failed, "not enough memory"),
    ],
)
def test_after_any_error_the_server_lives_on(server, monkeypatch, caplog, error, raised, says):
    def broken(self, *args):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(pix2pix.paper.Generator, "forward", broken)
        with pytest.raises(raised, match=says):
            translate(server, viewer="a")
    assert bool(caplog.records) == (raised is Failed)
    assert translate(server, viewer="a").tag == "tiny"
    assert not server._models["pix2pix", "tiny"].running


def test_wrong_values_take_no_place(server):
    with pytest.raises(ValueError, match="seed"):
        server.ask("pix2pix", "translate", {"sketch": sketch(), "seed": "abc"}, viewer="a")
    assert server.loaded() == []
    assert not server._newest


def test_closing_ends_the_thread_and_whoever_waits(server, pool):
    translate(server)
    with busy(server):
        future = pool.submit(translate, server)
        until(lambda: calls(server) == 1)
        closing = pool.submit(server.close)
        until(lambda: server._compute._closed)
    with pytest.raises(Failed, match="closing"):
        future.result(PATIENCE)
    closing.result(PATIENCE)
    with pytest.raises(Failed, match="closing"):
        translate(server)
    assert not server._compute._thread.is_alive()


def test_an_unloaded_model_is_let_go_of(make):
    import gc
    import weakref

    save("b", 1)
    server = make(memory=0)
    translate(server)
    network = weakref.ref(server._models["pix2pix", "tiny"].gan.generator.network)
    translate(server, tag="b")
    gc.collect()
    assert network() is None
