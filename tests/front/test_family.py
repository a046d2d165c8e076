"""The family: a tree of all GANs, made of what each folder says of itself, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from test_pages import HANGUL, PAGES, shown

from pages.parts.family.family import COLOURS, tree
from pages.parts.said import catalogue, words
from studio import registry


class Lists(HTMLParser):
    """Of nested lists: each node's text, link, depth, and whether it is marked."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.depth, self.nodes, self.open = 0, [], []
        self.feed(html)
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "ul":
            self.depth += 1
        if tag == "article":
            self.nodes.append({"depth": self.depth, "text": "", "href": None, "marked": "aria-current" in dict(attrs)})
        if tag == "a":
            self.nodes[-1]["href"] = dict(attrs)["href"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.depth -= tag == "ul"

    def handle_data(self, data):
        if "article" in self.open:
            self.nodes[-1]["text"] += data + " "


def drawn(lang: str = "en", **how) -> list[dict]:
    with words.speaking(lang):
        return Lists(tree(catalogue.family(), **how)).nodes


def parents() -> dict[str, str]:
    return {each.shown.name: each.parent for each in catalogue.family()}


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_all_gans_are_in_it_once_in_the_visitor_s_language(lang):
    nodes = drawn(lang)
    assert sorted(node["href"] for node in nodes) == [
        name for name in registry.names() if (PAGES / f"{name}.py").exists()
    ]
    for node, about in ((node, registry.gan(node["href"]).about) for node in nodes):
        assert node["text"].startswith(f"{about.title}  {about.year}") or f"{about.title} " in node["text"]
        assert bool(HANGUL.search(node["text"])) == (lang == "ko"), node["text"]


def test_each_comes_from_who_its_folder_says():
    found = parents()
    assert found["vanilla"] == ""
    line = ["vanilla", "wgan", "wgan_gp", "progan", "stylegan", "stylegan2"]
    assert [found[name] for name in line[1:]] == line[:-1]
    assert found["pix2pix"] == "conditional" and found["spade"] == "pix2pix"
    nodes = {node["href"]: node for node in drawn()}
    assert [nodes[name]["depth"] for name in line] == [1, 2, 3, 4, 5, 6]
    for name, parent in found.items():
        change = (
            registry.words(name)["family"].get("from", {}).get(parent) if "family" in registry.words(name) else None
        )
        assert (change or registry.gan(name).about.idea)["en"] in nodes[name]["text"].replace("&amp;", "&")


def test_every_edge_says_one_thing_in_one_sentence():
    for name in registry.names():
        for parent, change in registry.words(name).get("family", {}).get("from", {}).items():
            assert parent != name
            assert len(change["en"]) <= 110 and change["en"].endswith("."), (name, parent)
            assert change["ko"].endswith("니다."), (name, parent)


def test_a_new_gan_joins_by_its_folder_alone(monkeypatch):
    """One that says where it comes from, one that only asks for something to be read before, and a stranger."""
    about = registry.gan("dcgan").about
    one_more = {"en": "One more.", "ko": "하나 더."}
    new = {
        "tenth": ({"from": {"missing": {}, "progan": one_more}, "idea": {"en": "more", "ko": "더"}}, ()),
        "plain": (None, ("nobody", "wgan")),
        "stranger": (None, ()),
    }  # fmt: skip
    gans, book = catalogue.gans(), catalogue.book
    extra = [catalogue.Shown(name, replace(about, title=name, read_before=before)) for name, (_, before) in new.items()]
    monkeypatch.setattr(catalogue, "gans", lambda: [*gans, *extra])
    told = {name: {"family": family} if family else {} for name, (family, _) in new.items()}
    monkeypatch.setattr(catalogue, "book", lambda name: told[name] if name in told else book(name))
    found = {each.shown.name: each for each in catalogue.family()}
    assert found["tenth"].parent == "progan" and found["tenth"].change["en"] == "One more."
    assert found["plain"].parent == "wgan" and found["plain"].change == about.idea
    assert found["plain"].idea == found["wgan"].idea
    assert found["stranger"].parent == "" and not found["stranger"].idea["en"]
    nodes = drawn()
    assert [node["href"] for node in nodes if node["text"].split()[0] in new] == [None] * 3  # they have no page
    assert sum(node["depth"] == 1 for node in nodes) == 2


def test_who_name_each_other_make_no_circle(monkeypatch):
    about, book = registry.gan("dcgan").about, catalogue.book
    ring = {"one": "three", "two": "one", "three": "two"}
    own = [catalogue.Shown(name, replace(about, title=name, read_before=(before,))) for name, before in ring.items()]
    monkeypatch.setattr(catalogue, "gans", lambda: own)
    monkeypatch.setattr(catalogue, "book", lambda name: {} if name in ring else book(name))
    found = {each.shown.name: each.parent for each in catalogue.family()}
    assert sorted(found) == sorted(ring)
    assert list(found.values()).count("") == 1
    monkeypatch.setattr(catalogue, "gans", lambda: [replace(own[0], about=replace(about, read_before=("one",)))])
    assert [each.parent for each in catalogue.family()] == [""]


def test_who_is_asked_for_is_marked_and_links_carry_what_they_must():
    nodes = drawn("ko", at="progan", carried={"lang": "ko", "hide": "menu"})
    assert [node["href"].partition("?")[0] for node in nodes if node["marked"]] == ["progan"]
    assert all(node["href"].endswith("?lang=ko&hide=menu") for node in nodes)
    assert not any(node["marked"] for node in drawn(at="'><script>"))


def test_markup_of_a_gan_stays_text(monkeypatch):
    about = replace(registry.gan("dcgan").about, title="<script>x</script>", read_before=())
    monkeypatch.setattr(catalogue, "gans", lambda: [catalogue.Shown("bad", about)])
    monkeypatch.setattr(catalogue, "book", lambda name, book=catalogue.book: {} if name == "bad" else book(name))
    assert "<script" not in tree(catalogue.family())


def test_each_idea_has_a_colour():
    css = (PAGES / "parts" / "family" / "family.css").read_text(encoding="utf-8")
    assert all(f".idea-{k} " in css for k in (*range(COLOURS), "none"))
    ideas = {each.idea["en"] for each in catalogue.family()}
    assert {"noise", "labels", "pairs", "many domains", "growing", "styles", "layout"} <= ideas
    assert len(ideas) <= COLOURS


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_opens_and_is_in_the_menu(lang, tiny):
    test = shown("family", lang=lang, at="stylegan")
    html = "\n".join(e.proto.body for e in test.get("html"))
    assert "aria-current" in html and "class='family'" in html
    assert {"en": "The family", "ko": "계보"}[lang] in [link.proto.label for link in test.get("page_link")]


def test_the_read_tab_of_every_gan_leads_into_it(tiny):
    for gan in ("vanilla", "progan"):
        test = shown(gan, tab="read", tag="tiny", lang="ko")
        ways = next(each.value for each in test.markdown if "/family" in each.value)
        assert re.search(rf"\(/family\?at={gan}&lang=ko\)", ways)
