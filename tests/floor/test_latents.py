"""Latent codes: the geometry, the measures against cases that can be done by hand, projection."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.testclient import TestClient

from studio import checkpoints, latents, registry, serving
from studio.data import Images
from studio.images import to_pictures
from studio.latents import points
from studio.serving import Server
from studio.verbs import jsonable, verbs
from studio.web import api

STYLED = [name for name in ("stylegan", "stylegan2") if name in registry.names()]


@pytest.fixture(params=STYLED)
def gan(request):
    torch.manual_seed(0)
    kind = registry.gan(request.param)
    made = kind(kind.TINY).eval().requires_grad_(False)
    for name, value in made.named_parameters():  # as if it had been trained: noise has a say, faces differ
        if name.endswith("strength"):
            value.fill_(0.5)
    made.mapping.average.normal_()
    return made


# ---- points ---------------------------------------------------------------------------------------------------------


def test_slerp_stays_on_the_sphere_at_even_speed():
    a, b = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0.0, 1, 0]])
    for t in (0.0, 0.25, 0.5, 1.0):
        angle = math.pi / 2 * t
        by_hand = torch.tensor([[math.cos(angle), math.sin(angle), 0]])
        torch.testing.assert_close(points.slerp(a, b, t), by_hand, atol=1e-5, rtol=0)
    assert points.lerp(a, b, 0.5).norm() == pytest.approx(0.7071, abs=1e-3)  # the straight line cuts through


def test_slerp_of_noise_keeps_its_length_and_ends():
    torch.manual_seed(0)
    a, b = torch.randn(2, 64, 512).unbind()
    middle = points.slerp(a, b, 0.5)
    torch.testing.assert_close(middle.norm(dim=1), (a.norm(dim=1) + b.norm(dim=1)) / 2, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(points.slerp(a, b, 0.0), a, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(points.slerp(a, b, 1.0), b, atol=1e-4, rtol=1e-4)
    assert torch.isfinite(points.slerp(a, a, 0.3)).all()


def test_truncation_leads_to_the_mean():
    torch.manual_seed(0)
    w, mean = torch.randn(3, 8), torch.randn(8)
    torch.testing.assert_close(points.truncated(w, mean, 1.0), w)
    torch.testing.assert_close(points.truncated(w, mean, 0.0), mean.expand(3, -1))
    torch.testing.assert_close(points.truncated(w, mean, -1.0) + w, 2 * mean.expand(3, -1))


def test_mixing_crosses_over_where_it_should():
    a, b = torch.zeros(3, 4), torch.ones(3, 4)
    assert points.mixed(a, b, 2, 5)[:, :, 0].tolist() == [[0, 0, 1, 1, 1]] * 3
    own = points.mixed(a, b, torch.tensor([0, 5, 3]), 5)[:, :, 0]
    assert own.tolist() == [[1] * 5, [0] * 5, [0, 0, 0, 1, 1]]


@pytest.mark.parametrize(
    ("layers", "coarse", "middle", "fine"),
    [(18, 4, 8, 18), (14, 4, 8, 14), (10, 4, 8, 10), (8, 4, 6, 8), (6, 4, 4, 6)],
)
def test_bands_are_the_papers(layers, coarse, middle, fine):
    bands = points.bands(layers)
    assert bands == {"coarse": range(coarse), "middle": range(coarse, middle), "fine": range(middle, fine)}
    assert len(bands["fine"]) >= 2


def test_a_walk_passes_through_its_points():
    corners = torch.tensor([[0.0, 0], [1, 0], [1, 1]])
    way = points.walk(corners, 4, points.lerp)
    assert len(way) == 9
    torch.testing.assert_close(way[::4], corners)
    torch.testing.assert_close(way.diff(dim=0).norm(dim=1), torch.full((8,), 0.25))


def test_a_seed_is_a_face_whatever_stands_beside_it():
    z = points.drawn([3, 5, -7], 16)
    assert torch.equal(z[1:2], points.drawn([5], 16))
    assert not torch.equal(z[0], z[1])
    assert points.drawn([2**80], 4).isfinite().all()


# ---- the measures ---------------------------------------------------------------------------------------------------


def test_path_length_of_a_linear_map_is_exact():
    """g(w) = A w on a way from a to b changes by A (b - a) epsilon: the length is |A (b - a)|², everywhere."""
    torch.manual_seed(0)
    matrix = torch.randn(12, 6, dtype=torch.double)
    a, b = torch.randn(2, 40, 6, dtype=torch.double).unbind()

    def pictures(w):
        return (w @ matrix.T).view(-1, 3, 2, 2)

    def distance(x, y):
        return (x - y).square().flatten(1).sum(dim=1)

    t = torch.rand(40, 1, dtype=torch.double)
    mean, error = latents.path_length((a, b), points.lerp, pictures, distance, t)
    by_hand = ((b - a) @ matrix.T).square().sum(dim=1)
    assert mean == pytest.approx(by_hand.mean().item(), rel=1e-6)
    assert error == pytest.approx(by_hand.std().item() / math.sqrt(40), rel=1e-6)


def test_what_a_plane_can_tell_is_separable_and_what_it_cannot_is_not():
    torch.manual_seed(0)
    x = torch.randn(2000, 5)
    straight = (x @ torch.tensor([1.0, -2, 0, 0.5, 0]))[:, None]
    ring = (x.square().sum(dim=1) - 4.35)[:, None]  # about half of them; no plane can tell
    easy = latents.separability(x, straight, ["straight"], "by hand")
    hard = latents.separability(x, ring, ["ring"], "by hand")
    assert easy.score == pytest.approx(1, abs=0.03)
    assert hard.score == pytest.approx(2, abs=0.25)  # H(Y | X) = ln 2: the plane leaves everything open
    both = latents.separability(x, torch.cat([straight, ring], dim=1), ["straight", "ring"], "by hand")
    assert both.score == pytest.approx(math.exp(sum(both.entropies.values())))
    assert both.n == 1000
    assert 0 < both.error < 0.2


def test_a_plane_learns_nothing_by_heart():
    """Labels by chance, nearly as many dimensions as points: asked of its own points it would know them all."""
    torch.manual_seed(0)
    found = latents.separability(torch.randn(200, 80), torch.randn(200, 1), ["chance"], "by hand")
    assert found.score > 1.8


def test_conditional_entropy_by_hand():
    entropy = latents.measures._entropy
    assert entropy(torch.tensor([50.0, 0, 0, 50])) == pytest.approx(0)
    assert entropy(torch.tensor([25.0, 25, 25, 25])) == pytest.approx(math.log(2))
    assert entropy(torch.tensor([90.0, 10, 0, 0])) == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))


# ---- projection -----------------------------------------------------------------------------------------------------


def test_projection_finds_a_face_of_its_own(gan):
    """A picture that the generator drew is found again: far nearer than the mean face is."""
    target = gan._pictures(gan._w([5], 1.0))[:1]
    start = gan.mapping.average[None]
    found = list(latents.project(lambda w: gan.synthesis(gan._all(w)), target, start, 60))
    assert found[-1].loss < 0.4 * found[0].loss
    assert [f.step for f in found] == list(range(1, 61))


def test_a_projection_goes_on_exactly(gan):
    picture = to_pictures(gan._pictures(gan._w([5], 1.0)))[0]
    whole = gan.project(picture, 6)
    first = gan.project(picture, 2)
    rest = gan.project(picture, 4, state=first.state)
    assert first.losses + rest.losses == pytest.approx(whole.losses, rel=1e-6)
    assert rest.step == whole.step == 6
    assert rest.state == whole.state


@pytest.mark.parametrize(
    "state",
    [{}, {"step": 1, "w": "AAAA", "m": "", "v": ""}, {"step": -1}, {"step": 1, "w": 3, "m": 4, "v": 5}],
)
def test_a_state_of_another_model_is_refused(gan, state):
    white = Image.new("RGB", (20, 20), "white")
    if state:
        with pytest.raises(ValueError, match="not one of a projection"):
            gan.project(white, 1, state=state)
    else:
        assert gan.project(white, 1, state=None).step == 1


# ---- the verbs ------------------------------------------------------------------------------------------------------


def test_a_grid_mixes_rows_and_columns(gan):
    layers, size = gan.synthesis.styles, gan.config.size
    grid = gan.mix([1, 2], [3, 4, 5], layers)
    assert grid.size == (3 * (size + 2) - 2, 2 * (size + 2) - 2)

    def cell(grid, row, column):
        return grid.crop((column * (size + 2), row * (size + 2), column * (size + 2) + size, row * (size + 2) + size))

    assert cell(grid, 1, 2).tobytes() == gan.sample(2).tobytes()  # all layers listen to the row
    assert cell(gan.mix([1, 2], [3, 4, 5], 0), 1, 2).tobytes() == gan.sample(5).tobytes()
    half = cell(gan.mix([1], [3], 2), 0, 0)
    assert half.tobytes() == gan.layers([1, 1, 3], 0.7).tobytes()
    assert half.tobytes() == gan.mix([1], [3], taken=list(range(2, layers))).tobytes()
    assert half.tobytes() not in (gan.sample(1).tobytes(), gan.sample(3).tobytes())


def test_ways_begin_and_end_where_they_should(gan):
    for space in ("z", "w"):
        frames = gan.walk([1, 2, 3], 3, space)
        assert len(frames) == 7
        assert frames[0].tobytes() == gan.sample(1).tobytes()
        assert frames[-1].tobytes() == gan.sample(3).tobytes()
        assert gan.between([1, 2], 1 / 3, space).tobytes() == frames[1].tobytes()
        assert gan.between([1, 2, 3], 1.0, space).tobytes() == frames[-1].tobytes()
    assert gan.between([1, 2], 0.5, "z").tobytes() != gan.between([1, 2], 0.5, "w").tobytes()


def test_truncation_to_nothing_is_the_mean_face(gan):
    assert gan.sample(1, 0.0).tobytes() == gan.sample(2, 0.0).tobytes()
    assert gan.sample(1, 1.0).tobytes() != gan.sample(2, 1.0).tobytes()


def test_a_child_lies_between_its_parents(gan):
    assert gan.breed({"1": 1}, {"2": 1}, 0.0).tobytes() == gan.sample(1).tobytes()
    assert gan.breed({"1": 1}, {"2": 3}, 0.25).tobytes() == gan.between([1, 2], 0.25).tobytes()
    child = gan.breed({"1": 0.5, "2": 0.5}, {"3": 1}, 0.5)
    assert child.tobytes() == gan.breed({"3": 2}, {"1": 4, "2": 4}, 0.5).tobytes()


def test_noise_has_four_panels(gan):
    made = {layers: gan.noise(1, layers).tobytes() for layers in ("all", "none", "coarse", "fine")}
    assert len(set(made.values())) == 4
    count = len(gan.synthesis.sizes)
    assert gan.noise(1, ",".join(map(str, range(count)))).tobytes() == made["all"]
    assert gan.noise(1, "none", draw=5).tobytes() == made["none"]
    assert gan.noise(1, "all", draw=5).tobytes() != made["all"]


def large(gan):
    """The same, if its pictures had 1024 px: it is asked for nothing that it would draw."""
    gan.config = replace(gan.config, size=1024)
    return gan


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda g: g.mix([1.5], [2]), "whole numbers"),
        (lambda g: g.mix(["a"], [2]), "whole numbers"),
        (lambda g: g.mix([True], [2]), "whole numbers"),
        (lambda g: g.mix([], [2]), "give 1 to"),
        (lambda g: g.mix([1] * 100, [2]), "give 1 to"),
        (lambda g: g.mix([1], [2], -1), "crossover = -1: this must be from 0"),
        (lambda g: g.mix([1], [2], 99), "crossover = 99"),
        (lambda g: g.mix([1], [2], taken=[99]), "taken"),
        (lambda g: g.layers([1] * 50), "give 1 to"),
        (lambda g: g.walk([1, 2], 10_000), "10,001 frames; at most 600"),
        (lambda g: g.walk([1], 3), "give 2 to"),
        (lambda g: g.walk([1, 2], 0), "steps = 0"),
        (lambda g: g.walk([1, 2], 3, "q"), "choose z or w"),
        (lambda g: g.between([1, 2], 1.5), "at = 1.5"),
        (lambda g: g.between([1, 2], float("nan")), "at = nan"),
        (lambda g: g.sample(1, 9.0), "truncation = 9.0"),
        (lambda g: g.breed({"a": 1}), "seeds and their shares"),
        (lambda g: g.breed({"1": -1}), "positive"),
        (lambda g: g.breed({"1": 0}), "positive"),
        (lambda g: g.noise(1, "loud"), "choose all, none, coarse, fine"),
        (lambda g: g.path_length("w", 10**9), "n = "),
        (lambda g: large(g).walk([1, 2], 100), "101 frames; at most 37"),
        (lambda g: large(g).mix(list(range(7)), list(range(7))), "7 x 7 is too large; at most 37"),
        (lambda g: g.separability("w", 1), "n = 1"),
        (lambda g: g.project(Image.new("RGB", (9, 9)), 10**6), "steps = "),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(gan, ask, sentence):
    with pytest.raises(ValueError, match=sentence):
        ask(gan)


def test_a_list_comes_as_text():
    read = registry.gan(STYLED[-1]).mix.verb.bind
    assert read({"rows": "[1, 2]", "columns": "3, 4"}) == {"rows": [1, 2], "columns": [3, 4]}
    for text in ("[1", "a b", "[1]]", "[" * 9999):
        with pytest.raises(ValueError, match="rows = .* a list such as"):
            read({"rows": text})


def test_the_server_projects_and_measures_with_the_exact_networks(gan, home):
    """Where calls are batched and may not have gradients."""
    name = registry.name_of(gan)
    checkpoints.save(gan, "kept", {"title": {"en": "Kept", "ko": "보관"}}, half=False)
    server = Server("cpu", fast=True)
    try:
        white = Image.new("RGB", (20, 20), "white")
        served = server.ask(name, "project", {"picture": white, "steps": "3"}, "kept").value
        assert served.losses == pytest.approx(gan.project(white, 3).losses, rel=1e-4)
        assert server.ask(name, "path_length", {"n": "4"}, "kept").value.mean == pytest.approx(
            gan.path_length(n=4).mean, rel=1e-2
        )
    finally:
        server.close()


def test_a_slice_is_one_row_of_every_frame(gan):
    frames = gan.walk([1, 2], 4)
    made = gan.slice([1, 2], 4, 0.5)
    size = gan.config.size
    assert made.size == (size, 5)
    for k, frame in enumerate(frames):
        assert made.crop((0, k, size, k + 1)).tobytes() == frame.crop((0, size // 2, size, size // 2 + 1)).tobytes()


def test_a_planted_spike_silences_adain_and_not_demodulation(gan):
    """The droplet's mechanism, in the networks themselves (1912.04958, section 2)."""
    plain, spiked = gan.norms(1, 2, 0.0), gan.norms(1, 2, 200.0)
    assert plain.kept == 1
    assert plain.picture.tobytes() == gan.sample(1).tobytes()
    assert spiked.loud[2] > 5 * plain.loud[2]
    if registry.name_of(gan) == "stylegan":
        assert spiked.kept < 0.8
    else:
        assert spiked.kept == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="layer = 99"):
        gan.norms(1, 99)


class Clerk:
    """Stands where a trained judge would: features = the picture at two sizes, one label = red."""

    def maps(self, x):
        return [x, torch.nn.functional.avg_pool2d(x, 2)]

    def __call__(self, x):
        return (x[:, 0] - x[:, 2]).mean(dim=(1, 2))[:, None]


def test_a_small_judge_gives_distances_and_labels():
    torch.manual_seed(0)
    judge = latents.LabelJudge(Clerk(), ["red"])
    a, b = torch.rand(2, 5, 3, 8, 8).unbind()
    assert judge.distance(a, a).abs().max() == 0
    assert judge.distance(a, 3 * a).max() < 1e-6  # directions count, not strengths
    near = judge.distance(a, torch.lerp(a, b, 0.02)), judge.distance(a, torch.lerp(a, b, 0.01))
    assert (near[0] / near[1]).mean().item() == pytest.approx(4, rel=0.1)  # quadratic in small changes
    assert judge.sureness(a).shape == (5, 1)
    assert "small judge" in judge.by and "red" in judge.by


def test_the_judge_that_a_card_names_measures(gan):
    gan.extras = {"judge": ["smiling", "glasses"]}
    assert "small judge" in gan.path_length("w", 2).by and "smiling" in gan.separability("z", 16).by
    gan.extras = {"judge": ["no such label"]}  # none that ships knows it: plain facts of pixels, and it says so
    assert "pixels" in gan.path_length("w", 2).by


def test_a_film_has_every_frame(gan, tmp_path):
    import cv2

    made = gan.film([1, 2, 1], 5, rate=20.0)
    assert (made.type, made.ending) == ("image/gif", ".gif")
    film = Image.open(io.BytesIO(made.content))
    assert (film.n_frames, film.info["duration"], film.info["loop"]) == (11, 50, 0)
    frames = gan.walk([1, 2, 1], 5)
    film.seek(2)
    difference = np.asarray(film.convert("RGB"), float) - np.asarray(frames[2], float)
    assert np.abs(difference).mean() < 20  # 256 colours
    made = gan.film([1, 2, 1], 5, kind="mp4", rate=20.0)
    (tmp_path / "film.mp4").write_bytes(made.content)
    reader = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(20)
    read = []
    while (got := reader.read())[0]:
        read.append(got[1][:, :, ::-1])
    assert len(read) == 11
    assert read[0].shape[0] == 256 // gan.config.size * gan.config.size
    small = np.asarray(
        Image.fromarray(np.ascontiguousarray(read[2])).resize(frames[2].size, Image.Resampling.BOX), float
    )
    assert np.abs(small - np.asarray(frames[2], float)).mean() < 12
    with pytest.raises(ValueError, match="choose gif or mp4"):
        gan.film([1, 2], 2, kind="avi")
    with pytest.raises(ValueError, match="rate = 500"):
        gan.film([1, 2], 2, rate=500.0)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_several_styles_change_at_random_layers(gan, k):
    ws = gan._several(60, k)
    changes = (ws[:, 1:] != ws[:, :-1]).any(dim=2)
    assert (changes.sum(dim=1) == k - 1).all()
    assert k == 1 or (changes.sum(dim=0) > 0).all()


def test_figures_of_pictures_from_files(gan, tmp_path):
    """Files can be learnt by heart: how near made pictures come to those that were trained on is among the figures."""
    random = np.random.default_rng(0)
    for k in range(12):
        Image.fromarray(random.integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / f"{k}.png")
    data = Images(tmp_path, gan.config)
    found = gan.measure(data, [0, 3, 5, 7])
    assert found["nearest seen"]["n"] == 8
    for who in ("made", "held out"):
        row = found["nearest seen"][who]["pixels"]
        assert 0 < row["least"] <= row["median"]
    assert found["real against real"]["n"] == 2
    assert {"path length in z", "path length in w", "separability in z", "separability in w"} <= set(found)
    assert {f"made, {k} styles mixed" for k in (2, 3, 4)} <= set(found)
    json.dumps(jsonable(found))


def test_the_server_says_what_the_gan_says(gan, home):
    """Through the line of the server, where calls wait for each other and are computed together."""
    name = registry.name_of(gan)
    checkpoints.save(gan, "kept", {"title": {"en": "Kept", "ko": "보관"}}, half=False)
    alone, server = checkpoints.load(name, "kept"), Server("cpu", fast=False)
    try:
        for verb in verbs(gan).values():
            given = {"picture": Image.new("RGB", (20, 20), "red")} if verb.name == "project" else {}
            assert jsonable(server.ask(name, verb.name, given, "kept").value) == jsonable(
                getattr(alone, verb.name)(**given)
            )
    finally:
        server.close()


def test_a_film_comes_as_a_file_over_http(gan, home, monkeypatch):
    checkpoints.save(gan, "kept", {"title": {"en": "Kept", "ko": "보관"}}, half=False)
    server = Server("cpu", fast=False)
    monkeypatch.setattr(serving, "server", lambda: server)
    name = registry.name_of(gan)
    with TestClient(api.app) as client:
        fields = {"seeds": "[1, 2, 1]", "steps": "2", "tag": "kept"}
        answer = client.post(f"/api/{name}/film", data=fields)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/gif"
        assert Image.open(io.BytesIO(answer.content)).n_frames == 5
        answer = client.post(f"/api/{name}/film", data=fields, headers={"accept": "application/json"})
        assert answer.json().startswith("data:image/gif;base64,")
        for text, sentence in (("[1.5, 2]", "whole numbers"), ("[1, 2", "a list such as")):
            answer = client.post(f"/api/{name}/film", data={"seeds": text, "tag": "kept"})
            assert answer.status_code == 400 and sentence in answer.json()["error"]
        answer = client.post(f"/api/{name}/walk", data={"steps": "10000", "tag": "kept"})
        assert answer.status_code == 400 and "at most 600" in answer.json()["error"]
        described = {gan["name"]: gan for gan in client.get("/api/gans").json()["gans"]}[name]
        assert {verb["name"]: verb["returns"] for verb in described["verbs"]}["film"] == "file"
    server.close()


def test_a_word_that_means_nothing_elsewhere_is_a_word_here(gan):
    bound = verbs(gan)["noise"].bind({"seed": "3", "layers": "none"})  # as a form sends it
    assert bound == {"seed": 3, "layers": "none"}
    assert gan.noise(**bound).size == (gan.config.size, gan.config.size)
    assert verbs(gan)["mix"].bind({"taken": "none"}) == {"taken": None}
