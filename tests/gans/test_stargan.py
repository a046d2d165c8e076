"""StarGAN: the mask vector, the penalty, edits by name, and parity with the authors' networks."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_pix2pix import agrees, official_tensors, unit

from studio import checkpoints
from studio.base import descend
from studio.data import Labelled, labels_of
from studio.gans.stargan import GAN
from studio.gans.stargan.paper import FACES, Config, Discriminator, Generator, label_loss, margins, pack, shuffled
from studio.images import Image, to_tensor
from studio.losses import gradient_penalty, r1
from studio.serving import Server, Superseded
from studio.toys import faces

PARITY = json.loads((Path(__file__).parents[1] / "parity" / "stargan.json").read_text())
CASES = {case["id"]: case for case in PARITY["cases"]}
SETS = labels_of(FACES).sets
UNKNOWN = float("nan")


@pytest.fixture
def gan():
    torch.manual_seed(0)
    return GAN(GAN.TINY).eval().requires_grad_(False)


@pytest.fixture
def face():
    return Image.fromarray(faces.draw(np.random.default_rng(3), 64))


# ---- the mask vector ------------------------------------------------------------------------------------------------


def test_the_vector_is_labels_zeros_and_mask():
    labels = torch.tensor([[1, 0, UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN, UNKNOWN, 1]])
    expected = [[1, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1]]
    assert pack(labels, [(0, 1), (2, 3)]).tolist() == expected
    assert pack(labels[:, :2], [(0, 1)])[0].tolist() == [1, 0]  # one set needs no mask
    assert pack(torch.tensor([[0.5, -0.25]]), [(0,), (1,)]).tolist() == [[0.5, -0.25, 1, 1]]


def test_unknown_labels_get_no_gradient():
    logits = torch.randn(3, 4, requires_grad=True)
    labels = torch.tensor([[1, 0, UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN, 1, 1], [UNKNOWN] * 4])
    label_loss(logits, labels).backward()
    assert ((logits.grad != 0) == ~labels.isnan()).all()


def test_the_label_loss_is_the_papers_where_all_is_known():
    """-log D_cls summed over a picture's labels, as the authors' code sums it."""
    logits, labels = torch.randn(5, 3), torch.randint(0, 2, (5, 3)).float()
    p = torch.sigmoid(logits)
    by_hand = -(labels * p.log() + (1 - labels) * (1 - p).log()).sum() / 5
    torch.testing.assert_close(label_loss(logits, labels), by_hand)


def test_in_training_d_reads_and_g_reaches_for_known_labels_only():
    """The head's filters of set B stand still, and G is not drawn to any B, while all pictures are of set A."""
    torch.manual_seed(0)
    gan = GAN(GAN.TINY).train()
    before = gan.discriminator.labels.weight.clone()
    own = torch.full((4, 8), UNKNOWN)
    own[:, :4] = torch.eye(4)
    batch = torch.rand(4, 3, 32, 32) * 2 - 1, own
    gan.train_step(batch, gan.optimizers(), 0)
    moved = (gan.discriminator.labels.weight != before).flatten(1).any(1)
    assert moved.tolist() == [True] * 4 + [False] * 4

    def generator_after(head: float) -> torch.Tensor:
        torch.manual_seed(0)
        gan = GAN(replace(GAN.TINY, judge_lr=0.0)).train()
        with torch.no_grad():
            gan.discriminator.labels.weight[4:] += head  # another opinion about what is unknown
        torch.manual_seed(1)
        gan.train_step(batch, gan.optimizers(), 0)
        return gan.generator.first.weight

    assert torch.equal(generator_after(0.0), generator_after(1.0))


def test_targets_are_dealt_out_within_each_label_set():
    torch.manual_seed(0)
    own = torch.full((9, 8), UNKNOWN)
    own[[0, 2, 5, 7], :4] = torch.eye(4)
    own[[1, 3, 4, 6, 8], 4:] = torch.rand(5, 4).round()
    seen = set()
    for _ in range(20):
        target = shuffled(own, SETS)
        assert torch.equal(target.isnan(), own.isnan())
        for rows in ([0, 2, 5, 7], [1, 3, 4, 6, 8]):
            assert sorted(target[rows].nan_to_num(9).tolist()) == sorted(own[rows].nan_to_num(9).tolist())
        seen.add(tuple(target[[0, 2, 5, 7], :4].argmax(1).tolist()))
    assert len(seen) > 5


def test_labels_reach_the_generator_through_zeros_at_the_border_only():
    """With mirrored borders a constant plane is a constant shift, which instance normalisation takes away."""
    torch.manual_seed(0)
    generator = Generator(replace(GAN.TINY, labels="a b")).eval()
    x, on, off = torch.rand(1, 3, 32, 32), torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]])
    with torch.no_grad():
        assert (generator(x, on) - generator(x, off)).abs().mean() > 1e-3
        generator.first.padding_mode = "reflect"
        assert (generator(x, on) - generator(x, off)).abs().max() < 1e-4


def test_labels_in_the_norms_need_no_border():
    """They begin without effect, so that a trained generator goes on as it is, and then move every pixel alike."""
    torch.manual_seed(0)
    generator = Generator(replace(GAN.TINY, labels="a b", told="norms")).eval()
    x, on, off = torch.rand(1, 3, 32, 32), torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]])
    plain = Generator(replace(GAN.TINY, labels="a b")).eval()
    plain.load_state_dict(generator.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(generator(x, on), plain(x, on))
        generator.first.padding_mode = "reflect"
        assert (generator(x, on) - generator(x, off)).abs().max() < 1e-4
        block = generator.blocks[0]
        block.told[1].weight.normal_()
        y = torch.randn(1, 32, 8, 8)
        by_on, by_off = (block.normed(1, y, code) for code in (on, off))
        scale, shift = (by_on - by_off).std((2, 3)), (by_on - by_off).mean((2, 3))
        expected = (block.told[1].weight[:, 0] - block.told[1].weight[:, 1]).chunk(2)
        assert torch.allclose(shift[0], expected[1], atol=1e-4)
        assert torch.allclose(scale[0] / by_off.std((2, 3))[0],
                              (expected[0] / (1 + block.told[1].weight[:32, 1])).abs(), rtol=1e-3)  # fmt: skip
        assert (generator(x, on) - generator(x, off)).abs().mean() > 1e-3


# ---- the game -------------------------------------------------------------------------------------------------------


def test_the_penalty_of_a_linear_critic():
    """D(x) = <w, x> has the slope w everywhere, so the penalty is (|w| - 1)^2, and its gradient 2 (|w| - 1) w / |w|."""
    torch.manual_seed(0)
    w = torch.randn(3, 8, 8, requires_grad=True)
    penalty = gradient_penalty(lambda x: (x * w).flatten(1).sum(1), torch.rand(5, 3, 8, 8), torch.rand(5, 3, 8, 8))
    penalty.backward()
    norm = w.detach().norm()
    torch.testing.assert_close(penalty.detach(), (norm - 1) ** 2)
    torch.testing.assert_close(w.grad, 2 * (norm - 1) * w.detach() / norm)


def test_the_penalty_is_each_pictures_own_and_bears_a_flat_critic():
    shift = torch.tensor([0.0, 2.0]).view(2, 1, 1, 1)  # slope 0 in the first picture, 2 * sqrt(12) in the second
    penalty = gradient_penalty(lambda x: (x * shift).sum((1, 2, 3)), torch.rand(2, 3, 2, 2), torch.rand(2, 3, 2, 2))
    assert float(penalty) == pytest.approx((1 + (2 * 12**0.5 - 1) ** 2) / 2, rel=1e-4)
    flat = torch.zeros(3, 2, 2, requires_grad=True)
    gradient_penalty(lambda x: (x * flat).sum((1, 2, 3)), torch.rand(2, 3, 2, 2), torch.rand(2, 3, 2, 2)).backward()
    assert flat.grad.isfinite().all()


def test_the_flatness_of_a_linear_reading():
    """Logits <w_k, x>: the slope of the sum of the known margins is the sum of the known w_k, each with its sign."""
    w = torch.randn(4, 12)
    x = torch.randn(2, 3, 2, 2, requires_grad=True)
    labels = torch.tensor([[1.0, 0, UNKNOWN, UNKNOWN], [UNKNOWN, UNKNOWN, 0, 0]])
    steep = r1(margins(x.flatten(1) @ w.T, labels), x)
    assert steep.item() == pytest.approx(((w[0] - w[1]).square().sum() + (w[2] + w[3]).square().sum()).item() / 2)
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, flat=1.0))
    batch = (torch.rand(4, 3, 32, 32), torch.full((4, 8), UNKNOWN).index_fill_(1, torch.tensor([0, 1, 2, 3]), 1.0))
    optimizers = gan.optimizers()
    seen = [set(gan.train_step(batch, optimizers, step)) for step in range(5)]
    assert ["steep" in each for each in seen] == [True, False, False, False, True]  # every 4th step
    assert all(p.isfinite().all() for p in gan.parameters())


def test_the_generator_moves_every_n_critic_steps():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, n_critic=3)).train()
    optimizers, moves = gan.optimizers(), []
    data = Labelled("toy", gan.config)
    for step in range(6):
        before = gan.generator.first.weight.clone()
        losses = gan.train_step(data.batch(range(4), [None] * 4), optimizers, step)
        moves.append(not torch.equal(before, gan.generator.first.weight))
        assert ("fool" in losses) == moves[-1]
    assert moves == [False, False, True, False, False, True]


def test_the_log_loss_is_there_to_compare_with():
    torch.manual_seed(0)
    gan = GAN(replace(GAN.TINY, game="log")).train()
    for p in gan.discriminator.parameters():
        torch.nn.init.zeros_(p)
    losses = gan.train_step(Labelled("toy", gan.config).batch(range(4), [None] * 4), gan.optimizers(), 0)
    assert float(losses["critic"].detach()) == pytest.approx(2 * np.log(2), rel=1e-4)  # guessing, twice
    assert "penalty" not in losses


def test_blending_leaves_the_picture_where_nothing_changes():
    torch.manual_seed(0)
    generator = Generator(replace(GAN.TINY, blend=True)).eval()
    x, code = torch.rand(1, 3, 32, 32) * 2 - 1, torch.zeros(1, 10)
    with torch.no_grad():
        where = torch.sigmoid(generator.drawn(x, code)[:, 3:])
        made = generator(x, code)
        assert ((made - x).abs() <= where * 2 + 1e-6).all()
        assert made.abs().max() <= 1


def test_d_learns_labels_and_g_follows():
    """On drawn faces, in a hundred steps of D alone, the head reads hair better than by guessing."""
    torch.manual_seed(0)
    config = replace(GAN.TINY, labels="black|blond", batch=16, judge_lr=2e-3)
    gan, data = GAN(config).train(), Labelled("toy", config)
    optimizer = gan.optimizers()["discriminator"]
    for step in range(60):
        x, own = data.batch(range(16 * (step % 20), 16 * (step % 20) + 16), [None] * 16)
        descend(optimizer, label_loss(gan.discriminator(x)[1], own))
    x, own = data.batch(range(400, 464), [None] * 64)
    read = gan.discriminator(x)[1] > 0
    known = ~own[:, 0].isnan()
    assert (read[known, 1] == own[known, 1].bool()).float().mean() > 0.8


# ---- edits by name --------------------------------------------------------------------------------------------------


class Reads(torch.nn.Module):
    """A discriminator that reads what it is told to."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.register_buffer("logits", torch.tensor([logits]))

    def forward(self, x):
        return x[:, :1, :1, :1], self.logits.expand(len(x), -1)


class Passes(torch.nn.Module):
    """A generator that notes what it is given."""

    given = 10

    def __init__(self) -> None:
        super().__init__()
        self.share = torch.nn.Parameter(torch.tensor(0.9), requires_grad=False)
        self.codes: list[list[float]] = []

    def forward(self, x, code):
        self.codes += [[round(v, 4) for v in row] for row in code.tolist()]
        return x * self.share


@pytest.fixture
def noted(gan):
    """black-haired, masculine, not smiling, no glasses, older: every code that enters G is noted."""
    gan.discriminator, gan.generator = Reads(3, -1, 1, -2, 2, -2, -2, 2), Passes()
    return gan


def test_what_is_not_named_stays_as_it_is_read(noted, face):
    noted.edit(face, {"smiling": 0.5})
    assert noted.generator.codes == [[0, 0, 0, 0, 1, 0.5, 0, 1, 0, 1]]


def test_hair_colours_exclude_each_other(noted, face):
    noted.edit(face, {"blond": 1})
    noted.edit(face, {"blond": 0.25})
    noted.edit(face, {"blond": 1.5})
    noted.edit(face, {"blond": 0.5, "black": 0.5})
    colours = [code[:4] for code in noted.generator.codes]
    assert colours == [[0, 1, 0, 0], [0.75, 0.25, 0, 0], [0, 1.5, 0, 0], [0.5, 0.5, 0, 0]]
    assert all(code[4:] == [0, 0, 0, 0, 1, 0] for code in noted.generator.codes)
    assert labels_of(FACES).names[:4] == ("black", "blond", "brown", "red")


def test_two_label_sets_are_two_passes_each_with_its_mask(noted, face):
    made = noted.edit(face, {"red": 1, "older": 0})
    assert noted.generator.codes == [[0, 0, 0, 1, 0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]]
    expected = to_tensor(face.resize((32, 32), Image.Resampling.BICUBIC)) * 0.81
    assert (to_tensor(made) - expected).abs().max() < 0.02


def test_reconstruct_goes_there_and_back_in_reverse(noted, face):
    noted.reconstruct(face, {"red": 1, "smiling": 1})
    masks = [code[8:] for code in noted.generator.codes]
    assert masks == [[1, 0], [0, 1], [0, 1], [1, 0]]
    assert noted.generator.codes[2][4:8] == [1, 0, 0, 1]
    assert noted.generator.codes[3][:4] == [1, 0, 0, 0]


def test_the_sheet_turns_each_label_once(noted, face):
    assert noted.sheet(face).size == (9 * 34 - 2, 32)
    codes = noted.generator.codes
    assert [code[:4] for code in codes[:4]] == np.eye(4).tolist()
    assert [code[4:8] for code in codes[4:]] == [[0, 0, 0, 1], [1, 1, 0, 1], [1, 0, 1, 1], [1, 0, 0, 0]]


def test_the_masked_vector_is_laid_open(noted, face):
    right = noted.masked(face, {"smiling": 1})
    assert right.names == ["black", "blond", "brown", "red", "masculine", "smiling", "glasses", "older", "A", "B"]
    assert right.vector == noted.generator.codes[-1] == [0, 0, 0, 0, 1, 1, 0, 1, 0, 1]
    assert right.looks == [False] * 4 + [True] * 4 + [False] * 2
    wrong = noted.masked(face, {"smiling": 1}, "A")
    assert wrong.vector == [0, 0, 0, 0, 1, 1, 0, 1, 1, 0]
    assert wrong.looks == [True] * 4 + [False] * 6
    assert noted.masked(face, {"smiling": 1}, "none").vector[8:] == [0, 0]
    assert noted.masked(face, {"smiling": 1}, "AB").vector[8:] == [1, 1]
    with pytest.raises(ValueError, match="several label sets"):
        noted.masked(face, {"smiling": 1, "red": 1})
    with pytest.raises(ValueError, match="name label sets, A, B, or none"):
        noted.masked(face, {}, "C")


@pytest.mark.parametrize("value", [-0.6, 1.51, float("inf"), float("nan"), "much", None, True])
def test_values_too_far_are_refused(gan, face, value):
    with pytest.raises(ValueError, match=r"smiling = .*number from -0\.5 to 1\.5"):
        gan.edit(face, {"smiling": value})


@pytest.mark.parametrize("value", [-0.5, 0, 1, 1.5])
def test_values_a_little_beyond_are_accepted(gan, face, value):
    assert gan.edit(face, {"smiling": value}).size == (32, 32)


def test_an_unknown_attribute_gets_the_list(gan, face):
    with pytest.raises(ValueError, match="no attribute 'happy'. There are: black, blond"):
        gan.edit(face, {"happy": 1})


@pytest.mark.parametrize("size", [(1, 1), (300, 20), (64, 64)])
def test_any_picture_gets_an_answer(gan, size):
    """No face is in it: it still answers."""
    assert gan.edit(Image.new("RGB", size, "green"), {"blond": 1}).size == (32, 32)


def test_recognise_names_every_label(gan, face):
    found = gan.recognise(face)
    assert list(found) == list(labels_of(FACES).names)
    assert all(0 <= value <= 1 for value in found.values())


def test_without_a_discriminator_everything_must_be_named(gan, face):
    gan.discriminator = None
    with pytest.raises(ValueError, match="name every attribute of the label set"):
        gan.edit(face, {"smiling": 1})
    assert gan.edit(face, {"masculine": 0, "smiling": 1, "glasses": 0, "older": 0}).size == (32, 32)


def test_figures_of_drawn_faces(gan):
    figures = gan.measure(Labelled("toy", gan.config), range(24))
    assert {"blond", "smiling", "nothing asked, one pass", "nothing asked, 2 passes", "there and back"} <= set(figures)
    assert figures["smiling"]["n"] == 24
    assert 0 < figures["smiling"]["kept"] < 1
    assert 5 < figures["blond"]["n"] < 24  # those that are not blond already


def test_a_discriminator_that_is_too_deep_says_so():
    with pytest.raises(ValueError, match="Set judge_depth to 5 or less"):
        Discriminator(replace(GAN.TINY, judge_depth=6))


# ---- parity with the official networks ------------------------------------------------------------------------------


def test_the_papers_networks_have_the_papers_size():
    """53.2 M parameters (table 2 of the paper counts both)."""
    with torch.device("meta"):
        counts = {kind.__name__.lower(): sum(p.numel() for p in kind(Config()).parameters())
                  for kind in (Generator, Discriminator)}  # fmt: skip
    assert counts == PARITY["parameters"] == {"generator": 8_430_528, "discriminator": 44_762_048}


def files(tmp_path: Path, *names: str) -> list[Path]:
    paths = []
    for name in names:
        paths.append(tmp_path / ("200000-G.ckpt" if name.startswith("generator") else "200000-D.ckpt"))
        torch.save(official_tensors(CASES[name]["state_dict"]), paths[-1])
    return paths


def official_input(case) -> tuple[torch.Tensor, torch.Tensor]:
    shape = case["input"]["shape"]
    x = torch.from_numpy(unit(0, int(np.prod(shape))).astype(np.float32).reshape(shape))
    return x, torch.tensor([case["input"].get("labels", [])])


def test_official_files_give_the_official_pictures(tmp_path, home):
    checkpoints.adopt(files(tmp_path, "generator_5", "discriminator_5"), "stargan", "official")
    gan = checkpoints.load("stargan", "official")
    assert gan.labels.names == ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
    assert (gan.config.size, gan.config.width, gan.config.judge_depth) == (32, 8, 4)
    x, code = official_input(CASES["generator_5"])
    agrees(gan.generator(x, code), CASES["generator_5"]["outputs"]["train"])
    x, _ = official_input(CASES["discriminator_5"])
    score, labels = gan.discriminator(x)
    agrees(score, CASES["discriminator_5"]["outputs"]["source"])
    agrees(labels, CASES["discriminator_5"]["outputs"]["labels"])


def test_a_generator_alone_with_other_labels(tmp_path, home):
    checkpoints.adopt(files(tmp_path, "generator_9"), "stargan", "nine", settings={"labels": "a|b c d e f / g"})
    gan = checkpoints.load("stargan", "nine")
    assert (gan.discriminator, gan.config.blocks, gan.generator.given) == (None, 3, 9)
    x, code = official_input(CASES["generator_9"])
    agrees(gan.generator(x, code), CASES["generator_9"]["outputs"]["train"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: {k: v for k, v in s.items() if "main.9.main.0" not in k}, "not in the file"),
        (lambda s: s | {"extra.weight": torch.zeros(3)}, "extra.weight is not used"),
        (lambda s: {"conv1.weight": torch.zeros(64, 3, 7, 7)}, "something else: its first names are conv1"),
        (lambda s: official_tensors(CASES["discriminator_5"]["state_dict"]), "looks like a discriminator"),
    ],
)
def test_a_file_that_does_not_fit_gets_a_sentence(change, sentence, tmp_path, home):
    torch.save(change(official_tensors(CASES["generator_5"]["state_dict"])), tmp_path / "G.ckpt")
    with pytest.raises(ValueError, match=sentence):
        checkpoints.adopt(tmp_path / "G.ckpt", "stargan", "wrong")
    assert "wrong" not in checkpoints.tags("stargan")


# ---- many viewers ---------------------------------------------------------------------------------------------------


def test_thirty_viewers_at_once_get_their_own_faces_and_values(gan, home):
    """All ask at once, then all with another value: every answer is of one's own face, with one's own value."""
    checkpoints.save(gan, "shared", {"title": {"en": "x", "ko": "x"}}, half=False)
    server = Server("cpu", fast=False, queue=64)
    own = [Image.fromarray(faces.draw(np.random.default_rng(k), 32)) for k in range(30)]
    with torch.no_grad():
        expected = [np.asarray(gan.edit(face, {"blond": 1, "smiling": k / 30}), int) for k, face in enumerate(own)]
    answers: dict[int, np.ndarray] = {}
    overtaken: list[int] = []

    def ask(k: int, value: float) -> None:
        try:
            said = {"face": own[k], "attributes": {"blond": 1, "smiling": value}}
            answers[k] = np.asarray(server.ask("stargan", "edit", said, "shared", f"viewer-{k}").value, int)
        except Superseded:
            overtaken.append(k)

    try:
        ask(0, 0.0)  # loads the model
        first = [threading.Thread(target=ask, args=(k, 1.0)) for k in range(30)]
        for thread in first:
            thread.start()
        for thread in first:
            thread.join()
        answers.clear()
        newest = [threading.Thread(target=ask, args=(k, k / 30)) for k in range(30)]
        for thread in newest:
            thread.start()
        for thread in newest:
            thread.join()
    finally:
        server.close()
    assert not overtaken  # each waited for the answer before asking again
    assert sorted(answers) == list(range(30))
    assert all(np.abs(answers[k] - expected[k]).max() <= 1 for k in range(30))
