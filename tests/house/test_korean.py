"""Korean pages are Korean: names of figures, facts of cards, columns of previews; and one thing has one name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pages.parts.inside.figures import called, figure
from pages.parts.said import words
from pages.parts.shell import read
from studio import checkpoints, registry
from studio.base import About
from studio.training.hints import hints

ROOT = Path(__file__).parents[2]
HANGUL = re.compile("[가-힣]")
SAME = {"l1", "ssim", "swd", "kid", "L1", "SPADE", "cGAN", "L1 + cGAN"}  # what the papers call it, in every language
SHIPPED = [(gan, tag) for gan in registry.names() for tag in checkpoints.tags(gan)]
# What is called otherwise, and how: a class that meets two words looks for two things.
ONE_WORD = {
    "라벨 지도": "라벨 맵",
    "인스턴스 지도": "인스턴스 맵",
    "잡음": "노이즈",
    "훈련": "학습",
    "뾰족": "튀는 값(spike)",
    "자손": "교배(breed)",
    "총 변동": "총변동",
}


def tables(card: dict) -> list[dict]:
    return [card.get("figures") or {}, (card.get("arms") or {}).get("figures") or {}]


@pytest.mark.parametrize(("gan", "tag"), SHIPPED)
def test_rows_and_columns_of_a_card_s_figures_have_korean_names(gan, tag):
    names = set()
    for table in tables(checkpoints.card(gan, tag)):
        for row, figures in table.items():
            if isinstance(figures, dict):
                names |= {row, *figures}
    with words.speaking("ko"):
        english = [name for name in names if not HANGUL.search(said := called(name, gan)) and said not in SAME]
    assert not english
    with words.speaking("en"):
        assert [called(name, gan) for name in names] == list(names)


def test_figures_of_several_have_their_names():
    with words.speaking("ko"):
        assert figure({"black": 0.5, "glasses": 0.25}, "stargan") == "검은 머리 0.5, 안경 0.25"
        assert called("as monet", "gated_gan") == "게이트: 모네"
        assert called("what nobody knows", "gated_gan") == "what nobody knows"


@pytest.mark.parametrize(("gan", "tag"), SHIPPED)
def test_where_a_checkpoint_comes_from_is_told_in_both_languages(gan, tag):
    card = checkpoints.card(gan, tag)
    for language, expected in (("ko", "이 스튜디오에서 학습"), ("en", "trained here")):
        with words.speaking(language):
            facts = dict(read._facts(card))
            assert facts["origin"].startswith(expected)
            assert bool(HANGUL.search(facts["origin"])) == (language == "ko")
            assert (", 스레드 " if language == "ko" else " threads") in facts["origin"]


@pytest.mark.parametrize("gan", registry.names())
def test_columns_of_previews_are_in_korean(gan):
    kind = registry.gan(gan)
    for tag in checkpoints.tags(gan):
        card = checkpoints.card(gan, tag)
        for column in kind.columns(kind.configured(card["config"]), card.get("extras") or {}):
            assert set(column) == {"en", "ko"}
            assert HANGUL.search(column["ko"])


def test_hints_name_the_players_in_korean():
    about: About = registry.gan("dcgan").about
    norms = [{"discriminator": 1.0, "generator": 1.0}] * 20 + [{"discriminator": 900.0, "generator": 1.0}] * 3
    events = [{"event": "Progress", "step": k, "gradients": each, "losses": {}} for k, each in enumerate(norms)]
    (hint,) = hints(events, about)
    assert hint.says["ko"].startswith("판별자의 기울기가 평소보다 900배")
    assert hint.says["en"].startswith("The gradient of the discriminator is 900 times")


def test_one_thing_has_one_name():
    files = [*(ROOT / "pages").rglob("*.toml"), *(ROOT / "studio").rglob("*.toml")]
    assert len(files) > 10

    def texts(table):
        for value in table.values() if isinstance(table, dict) else table:
            if isinstance(value, str):
                yield value
            elif isinstance(value, (dict, list)):
                yield from texts(value)

    for path in files:
        for text in texts(tomllib.loads(path.read_text(encoding="utf-8"))):
            for other, ours in ONE_WORD.items():
                assert other not in text, f"{path.relative_to(ROOT)}: {ours}: {text[:60]}"
