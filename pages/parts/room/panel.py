"""The training panel: the runs of a GAN, a form for a new one, and the room of the one that the address names.

`pages/train.py` and the Train tab of every GAN show this same panel. The room itself (room.js) talks to the studio's
HTTP routes; Streamlit only says which run, and does what follows from it (open the trained model, go back).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, asdict, fields
from pathlib import Path
from typing import Any

import streamlit as st

import studio
from pages.parts.said import address, catalogue, errors, told
from pages.parts.said.mount import component
from pages.parts.said.words import book, said, word
from pages.parts.shell.picker import title as title_of
from studio import checkpoints
from studio.base import checked
from studio.data.files import PICTURES, is_name, is_own, read_as
from studio.guests import owners
from studio.guests.limits import limits
from studio.markdown import plain
from studio.training import devices, recipes, runs, uploads
from studio.training.preview import Preview, preview, thumbnail

_room, _runs = component("room/room"), component("room/runs")
HELD = 8  # examples that are set aside, if there are ten times as many


def panel(gan: str, choose: Callable[[], None] | None = None) -> None:
    """The room of the run in the address, else the runs there are and a form for a new one.

    Args:
        choose: shows which GANs can be trained; then the runs of all of them are listed.
    """
    run, asked = run_in_address(), st.query_params.get("run")
    if run and run.card["gan"] == gan:
        room(run, gan)
        return
    if run:
        _elsewhere(run)
    elif asked:
        st.warning(word("train.page.noRun", run=plain(asked[:60])))
    if limits().off:
        st.info(word("train.page.off"), icon=":material/block:")
    elif _limits():
        st.info(word("train.page.limits", limits=", ".join(_limits())), icon=":material/groups:")
    if any(mine(run) for run in runs.all_runs()):
        st.subheader(word("train.page.runs"), anchor="runs")
        overview(gan, choose is not None)
    if not limits().off:
        st.subheader(word("train.page.new"), anchor="new")
        if owners.public() and not owners.mark(address.visitor()):
            st.info(word("train.page.noCookie"), icon=":material/cookie:")
            return
        if choose:
            choose()
        form(gan)


def run_in_address() -> runs.Run | None:
    """The run that ``?run=`` names, if it is there."""
    try:
        return runs.find(st.query_params.get("run", ""))
    except ValueError:
        return None


def mine(run: runs.Run) -> bool:
    """Whether this browser may do more with it than watch."""
    return owners.may(run.card.get("owner"), address.visitor())


def _elsewhere(run: runs.Run) -> None:
    """The address names a run of another GAN: say so, and lead there."""
    about = studio.gan(run.card["gan"]).about
    st.warning(word("train.page.otherGan", run=plain(run.card.get("title") or run.name), title=about.title))
    st.page_link(
        str(catalogue.PAGES / "train.py"),
        label=word("train.page.openOther", title=about.title),
        query_params=address.carried() | {"run": run.name},
    )


def _limits() -> list[str]:
    known = {
        name: value for name, value in asdict(limits()).items() if value is not None and not isinstance(value, bool)
    }
    return [word(f"train.limit.{name}", n=f"{value:g}") for name, value in known.items()]


# ---- watching -------------------------------------------------------------------------------------------------------


def overview(gan: str, everything: bool) -> None:
    """The runs there are, how each of them is, and who waits for whom."""
    key = f"runs-{gan}-{everything}"

    def opened() -> None:
        found = st.session_state[key].get("opened")
        if found:
            address.put("run", found["name"])

    data = told.runs(None if everything else gan, "train" if everything else gan)
    _runs(key=key, data=data, on_opened_change=opened)


def room(run: runs.Run, gan: str) -> None:
    """The room of a run, and the way back."""
    key = f"room-{run.name}"

    def used() -> None:
        st.session_state["used"] = st.session_state[key].get("used")

    def gone() -> None:
        address.put("run", None)
        address.put("compare", None)

    def compare() -> None:
        address.put("compare", st.session_state[key].get("compare"))

    _room(
        key=key,
        data=told.room(run.name, gan, _page(gan), st.query_params.get("compare"), not limits().off and mine(run)),
        on_used_change=used,
        on_gone_change=gone,
        on_left_change=gone,
        on_compare_change=compare,
    )
    if model := st.session_state.pop("used", None):
        _play(model["gan"], model["tag"])


def _page(gan: str) -> str:
    """The page that this is, as its address says it."""
    path = st.context.url or ""
    return "train" if path.split("?")[0].rstrip("/").endswith("/train") else gan


def _play(gan: str, tag: str) -> None:
    """Opens the GAN's page with the model that was just trained."""
    page = catalogue.PAGES / f"{gan}.py"
    if page.exists():
        st.switch_page(str(page), query_params=address.carried() | {"tag": tag})


# ---- a new run ------------------------------------------------------------------------------------------------------


def form(gan: str) -> None:
    """Data and a look at it, settings, length, and the button."""
    kind = studio.gan(gan)
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(f"#### {word('train.form.data')}")
        source = _source(gan, kind)
        st.markdown(f"#### {word('train.form.network')}")
        origin, base, preset = _origin(gan, kind)
        values, problems = _settings(gan, kind, base, preset)
    config = None
    if not problems:
        try:
            config = checked(kind.Config(**values))
        except ValueError as error:
            problems.append(errors.said(error))
    with right:
        if source and (reading := st.session_state.get(f"reading-{gan}-{source}")):
            source = f"{source}?as={reading}"
        seen = _look(gan, source, config or base)
        st.markdown(f"#### {word('train.form.length')}")
        how = _length(gan, seen)
        _begin(gan, kind, source, config if seen else None, origin, how, problems)


def _begin(
    gan: str, kind: Any, source: str | None, config: Any, origin: str | None, how: dict[str, Any], problems: list[str]
) -> None:
    """The name and the button."""
    if problems:
        st.error(word("train.form.mend", problems=plain(" ".join(problems))), icon=":material/error:")
    naming, going = st.columns([5, 3], vertical_alignment="bottom")
    usual = _named(kind, source)
    name = naming.text_input(word("train.form.title"), value=usual, max_chars=80, key=f"title-{gan}-{usual}")
    if going.button(
        word("train.form.start"),
        type="primary",
        icon=":material/play_arrow:",
        disabled=config is None,
        width="stretch",
        key="begin",
    ):
        _start(gan, source, config, origin, how | {"title": " ".join(name.split())})


def _start(gan: str, source: str, config: Any, origin: str | None, how: dict[str, Any]) -> None:
    below = checkpoints.card(gan, origin)["config"] if origin else asdict(type(config)())
    changed = [f"{name}={value}" for name, value in asdict(config).items() if value != below.get(name)]
    try:
        with st.spinner(word("train.form.starting")):
            run = studio.Run.start(
                gan, source, settings=changed, origin=origin, owner=owners.mark(address.visitor()), **how
            )
    except ValueError as error:
        st.error(word("train.form.notStarted", says=plain(errors.said(error))), icon=":material/error:")
        return
    address.put("run", run.name)
    st.rerun()


def _named(kind: Any, source: str | None) -> str:
    """What a run is called if nobody says otherwise: the GAN and its data."""
    if not source:
        return kind.about.title
    if is_own(source):
        return f"{kind.about.title}: {catalogue.set_named(source)}"
    data = source.partition(":")[2] if is_name(source) else Path(source).name
    return f"{kind.about.title}: {data.removesuffix('.zip')}"


# ---- the data -------------------------------------------------------------------------------------------------------


def _source(gan: str, kind: Any) -> str | None:
    """Where the pictures come from, as `studio.data` takes it; None = nothing chosen yet."""
    kept = uploads.uploads(address.visitor())
    offered = {
        "toy": bool(kind.Data.TOYS),
        "real": bool(kind.Data.REAL),
        "upload": kind.Data.FILES,
        "kept": kind.Data.FILES and bool(kept),
        "folder": kind.Data.FILES and not limits().public,
        "torchvision": bool(kind.Data.TORCHVISION),
    }
    names = [name for name, there in offered.items() if there]
    chosen = st.segmented_control(
        word("train.form.source"),
        names,
        format_func={name: word(f"train.sources.{name}") for name in names}.get,
        default=names[0],
        required=True,
        key=f"source-{gan}",
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    asked = {"toy": _own, "real": _own, "upload": _upload, "kept": _kept, "folder": _folder, "torchvision": _tv}
    return asked[chosen](gan, kind, *([chosen] if asked[chosen] is _own else []))


def _own(gan: str, kind: Any, which: str) -> str:
    """The sets that the studio has itself: drawn ones (``toy``), or real ones that are built in (``real``)."""
    sources = [source for source in kind.Data.sources() if source.startswith(f"{which}:")]
    if len(sources) == 1 and which == "toy":
        return sources[0]
    columns = st.columns(max(3, len(sources)), gap="small")[: len(sources)]
    for column, source in zip(columns, sources, strict=True):
        column.image(_thumbnail(gan, source), width="stretch", alt=catalogue.set_named(source))
    chosen = st.segmented_control(
        word("train.form.toySet"),
        sources,
        format_func={source: catalogue.set_named(source) for source in sources}.get,
        default=sources[0],
        required=True,
        key=f"{which}-{gan}",
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
    for whose in catalogue.licences([chosen]):
        st.caption(plain(whose))
    return chosen


@st.cache_data(show_spinner=False)
def _thumbnail(gan: str, source: str) -> Any:
    return thumbnail(gan, source)


def _upload(gan: str, kind: Any) -> str | None:
    most = uploads.most_megabytes()
    files = st.file_uploader(
        word("train.form.upload"),
        type=["zip", *sorted(each.lstrip(".") for each in PICTURES)],
        accept_multiple_files=True,
        max_upload_size=most,
        key=f"upload-{gan}",
    )
    st.caption(word("train.form.uploadHelp", asks=said(kind.Data.asks), most=most))
    if not files:
        return None
    names = tuple(file.file_id for file in files)
    if st.session_state.get("kept-of") != names:
        try:
            with st.spinner(word("train.form.looking")):
                st.session_state["kept-as"] = _keep(files)
            st.session_state["kept-of"] = names
        except ValueError as error:
            st.error(word("train.form.refused", says=plain(errors.said(error))), icon=":material/error:")
            return None
    try:
        return uploads.find(st.session_state["kept-as"], address.visitor()).source
    except ValueError:
        return None  # deleted since


def _keep(files: Any) -> str:
    return uploads.keep([(file.name, file) for file in files], address.visitor()).name


def _kept(gan: str, kind: Any) -> str | None:
    kept = {each.name: each for each in uploads.uploads(address.visitor())}
    labels = {
        each.name: word(
            "train.form.kept", title=each.title, files=f"{each.files:,}", megabytes=f"{each.bytes / 1e6:.1f}"
        )
        for each in kept.values()
    }
    chosen = st.selectbox(
        word("train.form.keptBefore"),
        list(kept),
        format_func=labels.get,
        key=f"kept-{gan}",
        label_visibility="collapsed",
    )
    with st.popover(word("train.form.forget"), icon=":material/delete:"):
        st.markdown(word("train.form.forgetSure", n=len(uploads.used_by(kept[chosen]))))
        if st.button(word("train.form.forgetYes"), key="forget"):
            try:
                uploads.delete(chosen, address.visitor())
                st.rerun()
            except ValueError as error:
                st.error(plain(errors.said(error)))
    return kept[chosen].source


def _folder(gan: str, kind: Any) -> str | None:
    path = st.text_input(
        word("train.form.folder"), key=f"folder-{gan}", placeholder="/home/…/photos", persist_state="session"
    )
    st.caption(word("train.form.folderHelp", asks=said(kind.Data.asks)))
    return str(Path(path.strip()).expanduser()) if path.strip() else None


def _tv(gan: str, kind: Any) -> str | None:
    chosen = st.selectbox(
        word("train.form.torchvision"), kind.Data.TORCHVISION, key=f"torchvision-{gan}", persist_state="session"
    )
    st.caption(word("train.form.torchvisionHelp"))
    wanted = st.session_state.setdefault("torchvision-wanted", set())
    if chosen not in wanted and not st.button(word("train.form.torchvisionLook"), icon=":material/download:", key="tv"):
        return None
    wanted.add(chosen)
    return f"torchvision:{chosen}"


# ---- what was understood --------------------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=64)
def _cached(gan: str, source: str, settings: tuple, stamp: float) -> Preview:
    return preview(gan, source, studio.gan(gan).Config(**dict(settings)))


def _look(gan: str, source: str | None, config: Any) -> Preview | None:
    """A look at the data, and what was understood; None = nothing that can be trained on."""
    if source is None:
        st.info(word("train.form.nothingYet"), icon=":material/visibility:")
        return None
    path = Path(read_as(source)[0])
    try:
        stamp = path.stat().st_mtime if path.exists() else 0.0
        with st.spinner(word("train.form.looking")):
            seen = _cached(gan, source, tuple(asdict(config).items()), stamp)
    except (ValueError, OSError) as error:
        st.error(word("train.form.refused", says=plain(errors.said(error))), icon=":material/error:")
        return None
    says = word("train.form.seen", size=config.size) if hasattr(config, "size") else word("train.form.seenSo")
    st.image(seen.sheet, width="stretch", output_format="PNG", alt=says)
    st.caption(says)
    if seen.kind == "toy":
        st.markdown(word("train.form.drawnOnes", count=f"{seen.count:,}"))
        return seen
    st.markdown(word("train.form.counted", count=f"{seen.count:,}", kind=_kind(seen.kind)))
    if len(seen.readings) > 1:
        chosen = read_as(source)[1]
        st.selectbox(
            word("train.form.reading"),
            seen.readings,
            index=seen.readings.index(chosen if chosen in seen.readings else seen.kind),
            format_func=_kind,
            key=f"reading-{gan}-{read_as(source)[0]}",
        )
    if seen.parts:
        st.caption(", ".join(f"{plain(name)} ({count:,})" for name, count in list(seen.parts.items())[:64]))
    sizes = ", ".join(f"{size} ({count})" for size, count in seen.sizes.items())
    st.caption(word("train.form.sizes", looked=f"{seen.looked:,}", sizes=sizes))
    for why, count in seen.notes.items():
        st.caption(f"{count:,}: {plain(errors.said(why))}")
    if seen.skipped:
        why = "".join(f"\n- {count}: {plain(errors.said(reason))}" for reason, count in seen.reasons.items())
        st.warning(f"{word('train.form.skipped', n=len(seen.skipped))}\n{why}", icon=":material/warning:")
        some = dict(sorted(seen.skipped.items())[:100])
        with st.container(height=260 if len(some) > 4 else "content", border=False):
            st.table(
                {"": [plain(name) for name in some], " ": [plain(errors.said(why)) for why in some.values()]},
                border="horizontal",
            )
    return seen


def _kind(name: str) -> str:
    """What files were taken for, in words."""
    known = book("train")["kinds"].get({"side by side": "beside"}.get(name, name))
    return said(known) if known else name


# ---- the network ----------------------------------------------------------------------------------------------------


def _origin(gan: str, kind: Any) -> tuple[str | None, Any, str]:
    """(the checkpoint to begin from or None, the settings that are offered, the name they go by)."""
    begins = {"": word("train.form.scratch")} | {
        tag: title_of(studio.card(gan, tag)) for tag in studio.tags(gan, address.visitor())
    }
    origin = (
        st.selectbox(
            word("train.form.origin"),
            list(begins),
            format_func=begins.get,
            key=f"origin-{gan}",
            persist_state="session",
        )
        or None
    )
    presets = {
        name: word(f"train.presets.{name}") for name in (["checkpoint"] if origin else ["classroom", "paper", "tiny"])
    }
    cooked = {}
    for each in recipes.recipes():
        for k in range(len(each.stages) if each.gan == gan and origin in (None, each.tag) else 0):
            title = title_of(studio.card(gan, each.tag)) if each.tag in studio.tags(gan) else each.tag
            cooked[f"{each.tag}-{k + 1}"] = recipes.config(each, k)
            presets[f"{each.tag}-{k + 1}"] = word("train.presets.recipe", title=title, k=k + 1, n=len(each.stages))
    preset = st.selectbox(
        word("train.form.preset"),
        list(presets),
        format_func=presets.get,
        key=f"preset-{gan}-{origin}",
        persist_state="session",
    )
    if preset in cooked:
        return origin, cooked[preset], f"recipe-{preset}"
    if origin:
        return origin, kind.configured(studio.card(gan, origin)["config"]), f"checkpoint-{origin}"
    return None, {"classroom": kind.CLASSROOM, "paper": kind.Config(), "tiny": kind.TINY}[preset], preset


def _settings(gan: str, kind: Any, base: Any, preset: str) -> tuple[dict[str, Any], list[str]]:
    """A field for each of the Config's, with its sentence; what is wrong with them, in sentences."""
    values, problems = {}, []
    own = sum(getattr(base, each.name) != each.default for each in fields(base))
    with st.expander(word("train.form.settings", n=own)):
        columns = st.columns(2, gap="medium")
        for place, each in enumerate(fields(kind.Config)):
            with columns[place % 2]:
                value = _field(each, getattr(base, each.name), f"set-{gan}-{preset}-{each.name}")
                paper = "" if value == each.default else f" ({word('train.form.paper', value=_plain(each.default))})"
                st.caption(sentence(gan, each) + paper)
            problem = _problem(each, value)
            values[each.name] = value
            if problem:
                columns[place % 2].error(plain(errors.said(problem)))
                problems.append(problem)
    return values, problems


def sentence(gan: str, field: Field) -> str:
    """What a field of a Config is, in the visitor's language: the GAN's words know the Korean."""
    return said({"en": field.metadata["says"], "ko": book(gan)["options"].get(field.name, "")})


def _field(field: Field, value: Any, key: str) -> Any:
    kind, choices = type(field.default), field.metadata.get("choices")
    shared = {"key": key, "persist_state": "session"}
    if choices:
        return st.selectbox(field.name, list(choices), index=list(choices).index(value), **shared)
    if kind is bool:
        return st.toggle(field.name, value=value, **shared)
    if kind is int:
        return st.number_input(field.name, value=value, step=1, **shared)
    if kind is float:
        step = 10.0 ** (len(f"{abs(value):.0f}") - 2) if abs(value) >= 1 else _tenth(value or 0.1)
        return st.number_input(field.name, value=float(value), step=step, format="%g", **shared)
    return st.text_input(field.name, value=value, **shared)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _tenth(value: float) -> float:
    """A tenth of it, rounded to a power of ten: 2e-4 -> 1e-5."""
    return float(f"1e{int(f'{value:e}'.partition('e')[2]) - 1}")


def _problem(field: Field, value: Any) -> str | None:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    if value is None:
        return word("train.form.missing", field=field.name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    key = "between" if low is not None and high is not None else "atLeast" if low is not None else "atMost"
    return word(f"train.form.{key}", field=field.name, low=low, high=high)


# ---- how long -------------------------------------------------------------------------------------------------------


def _length(gan: str, seen: Preview | None) -> dict[str, Any]:
    there = devices.devices()
    first, second, third = st.columns(3, gap="medium")
    with second:
        titles = {each.name: f"{each.kind.upper()} ({each.title})" for each in there}
        chosen = st.selectbox(
            word("train.form.device"),
            list(titles),
            format_func=titles.get,
            key=f"device-{gan}",
            persist_state="session",
        )
        device = devices.device(chosen)
    with first:
        best = told.minutes(device)
        minutes = st.number_input(
            word("train.form.minutes"),
            value=best,
            min_value=0.1,
            max_value=float(limits().minutes or 100_000),
            step=1.0,
            format="%g",
            key=f"minutes-{gan}-{device.kind}",
            persist_state="session",
        )
        st.caption(word("train.form.minutesHelp", n=f"{best:g}"))
    with third:
        most = max(0, (seen.count if seen else 0) // 2)
        held = st.number_input(
            word("train.form.heldOut"),
            value=min(HELD, (seen.count if seen else 0) // 10),
            min_value=0,
            max_value=min(most, 10_000),
            step=1,
            key=f"held-{gan}-{seen.count if seen else 0}",
        )
        st.caption(word("train.form.heldOutHelp"))
    return {"minutes": minutes, "device": device.name, "held_out": int(held)}
