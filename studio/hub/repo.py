"""Checkpoints through the Hub: `publish` one, `pull` one. A repo holds what a checkpoint's folder holds.

    owner/name/card.json  weights.safetensors  discriminator.safetensors  preview.webp  examples  README.md

Whoever can name a repo can put anything into it. So `pull` asks first what is there and how large it is, reads the
card as a stranger's (`studio.hub.foreign`), fetches the files that it lists and no others, and compares their checksums
with the card's; nothing of a repo is executed. Without a network it takes what was pulled before.

The address of the Hub is ``HF_ENDPOINT``'s, else huggingface.co; whom one is, is ``hf auth login``'s or ``HF_TOKEN``'s.
No page and no HTTP route calls this module: a visitor's browser can't make the server fetch anything.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, ModelInfo, get_token
from huggingface_hub import errors as theirs

from studio import checkpoints, images, registry
from studio.formats import READERS, safe
from studio.hub import foreign, model_card
from studio.places import home
from studio.refused import Phrase, Refused, spoken, told
from studio.training import keep as afterwards
from studio.training import runs

REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
MOST_WEIGHTS = 512 << 20  # bytes of a file of weights: a StyleGAN of 1024 pixels has half of it
MOST_PICTURE = 8 << 20
PATIENCE = 10  # seconds to wait for the Hub's first word

log = logging.getLogger(__name__)


class Unreachable(Refused):
    """The Hub can't be asked now: what was pulled before will do, if it is there."""


@dataclass(frozen=True)
class Pulled:
    """A checkpoint of this machine that is one of the Hub; ``says``: how it came to be here, in a sentence."""

    gan: str
    tag: str
    folder: Path
    revision: str
    says: str


# ---- pulling --------------------------------------------------------------------------------------------------------


def here(gan: str, tag: str | None) -> tuple[str, str]:
    """The (gan, tag) of ``hub:owner/name`` (``@revision``), given as the one or as the other; it is pulled first.

    Raises:
        ValueError: see `pull`; or it is a checkpoint of another GAN than `gan`.
    """
    if gan.startswith(checkpoints.HUB):
        pulled = pull(gan, tag)
    else:
        registry.gan(gan)
        pulled = pull(tag or "", gan=gan)
    log.warning("%s", told(pulled.says, spoken()))
    return pulled.gan, pulled.tag


def pull(repo: str, tag: str | None = None, revision: str | None = None, gan: str | None = None) -> Pulled:
    """Downloads a checkpoint into ``STUDIO_HOME``, unless its newest state is there already.

    Args:
        repo: ``owner/name``; ``hub:`` before it and ``@revision`` behind it may be there.
        tag: the name it gets here; None = its own, with a number behind it if another checkpoint has that.
        revision: a commit, branch or tag of the repo; None = its newest state.
        gan: whose checkpoint is wanted; None = of any.

    Raises:
        Unreachable: there is no network, or the Hub is not in order, and nothing was pulled before.
        ValueError: no such repo; one that holds no checkpoint of the studio, another GAN's, one that is too large,
            damaged or made to harm; a tag that is taken. Says which, and what to do.
    """
    repo, at = _named(repo)
    revision = revision or at
    if revision is not None and not REVISION.fullmatch(revision):
        raise Refused("hub.revision", revision=revision[:60])
    if tag is not None:
        checkpoints.checked_tag(tag)
    before = _before(repo, tag)
    try:
        with _asking(repo):
            info = _api().model_info(repo, revision=revision, files_metadata=True, timeout=PATIENCE)
    except Unreachable as error:
        if before is None or not (revision in (None, "main") or before.revision.startswith(revision)):
            raise
        known = {"gan": before.gan, "tag": before.tag, "revision": before.revision[:7]}
        says = Phrase("hub.before", why=error, **known)
        return _of(gan, repo, Pulled(before.gan, before.tag, before.folder, before.revision, says))
    if not isinstance(info.sha, str) or not re.fullmatch(r"[0-9a-f]{7,64}", info.sha):
        raise Refused("hub.noRevision", repo=repo)
    if before is not None and before.revision == info.sha:
        says = Phrase("hub.unchanged", repo=repo, gan=before.gan, tag=before.tag)
        return _of(gan, repo, Pulled(before.gan, before.tag, before.folder, before.revision, says))
    return _download(repo, info, tag, gan)


def _named(repo: str) -> tuple[str, str | None]:
    """``hub:owner/name@revision`` -> (owner/name, revision)."""
    name, at, revision = repo.removeprefix(checkpoints.HUB).partition("@")
    if not REPO.fullmatch(name) or ".." in name or "--" in name:
        raise Refused("hub.noName", repo=repo[:80])
    return name, revision if at else None


def _before(repo: str, tag: str | None) -> Pulled | None:
    """What was pulled from a repo before, under this tag if one is asked for."""
    for gan in registry.names():
        for known in [tag] if tag is not None else checkpoints.all_tags(gan):
            if known not in checkpoints.all_tags(gan):
                continue
            origin = checkpoints.card(gan, known).get("origin") or {}
            if origin.get("hub") == repo and isinstance(origin.get("revision"), str):
                return Pulled(gan, known, checkpoints.folder(gan, known), origin["revision"], "")
    return None


def _of(gan: str | None, repo: str, pulled: Pulled) -> Pulled:
    if gan is not None and pulled.gan != gan:
        raise Refused("hub.anothers", repo=repo, theirs=pulled.gan, gan=gan)
    return pulled


def _download(repo: str, info: ModelInfo, tag: str | None, gan: str | None) -> Pulled:
    """The files that the card lists, looked at one by one, into a folder that appears when all of it is right."""
    sizes = {each.rfilename: each.size for each in info.siblings or []}
    _look_for_a_card(repo, sizes)
    with _beside() as place:
        try:
            _small_enough("card.json", sizes, foreign.MOST_CARD)
            card = foreign.read(_fetched(repo, info.sha, "card.json", Path(place)).read_bytes())
            _of(gan, repo, Pulled(card["gan"], card["tag"], Path(place), info.sha, ""))
            pictures = [name for name in ["preview.webp", *foreign.pictures(card)] if name in sizes]
            _complete(card, info, sizes)
            for name in pictures:
                _small_enough(name, sizes, MOST_PICTURE)
            tag = _free_tag(repo, card, tag)
            target = home() / "checkpoints" / card["gan"] / tag
            with checkpoints.appearing(target) as fresh:
                for name in (*card["files"], *pictures):
                    os.replace(_fetched(repo, info.sha, name, Path(place)), fresh / name)
                    _as_listed(fresh / name, card["files"].get(name))
                _fits(card, fresh)
                origin = (card.get("origin") or {}) | {"hub": repo, "revision": info.sha}
                text = checkpoints.card_text(card | {"tag": tag, "origin": origin})
                (fresh / "card.json").write_text(text, encoding="utf-8")
        except foreign.Refused as error:
            raise Refused("hub.notPulled", repo=repo, why=error) from error
    says = Phrase("hub.pulled", repo=repo, gan=card["gan"], tag=tag, revision=info.sha[:7])
    return Pulled(card["gan"], tag, target, info.sha, says)


def _beside() -> tempfile.TemporaryDirectory:
    """A folder to download into, on the disk where the checkpoint will lie."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=home(), prefix=".coming-")
    except OSError as error:
        raise Refused("hub.home", home=home(), reason=error.strerror) from error


def _look_for_a_card(repo: str, sizes: dict[str, int | None]) -> None:
    if "card.json" in sizes:
        return
    loose = [name for name in sizes if Path(name).suffix.lower() in READERS]
    pickled = [name for name in loose if not name.endswith(".safetensors")]
    if pickled:
        raise Refused("hub.pickled", repo=repo, file=pickled[0][:60])
    raise Refused("hub.otherProgram" if loose else "hub.noCheckpoint", repo=repo)


def _small_enough(name: str, sizes: dict[str, int | None], most: int) -> None:
    """Said before anything of it is downloaded."""
    size = sizes.get(name)
    if size is None:
        raise foreign.Refused("card.sizeUnknown", file=name)
    if size > most:
        raise foreign.Refused("card.tooLarge", file=name, size=size / 1000000.0, most=most / 1000000.0)


def _complete(card: dict[str, Any], info: ModelInfo, sizes: dict[str, int | None]) -> None:
    """All that the card lists is in the repo, of the size and with the checksum that it says."""
    hashes = {each.rfilename: each.lfs.sha256 for each in info.siblings or [] if each.lfs is not None}
    for name in (*card["files"], *foreign.pictures(card)):
        if name not in sizes:
            raise foreign.Refused("card.notThere", file=name)
    for name, facts in card["files"].items():
        _small_enough(name, sizes, MOST_WEIGHTS)
        if sizes[name] != facts["bytes"]:
            raise foreign.Refused("card.otherSize", file=name, size=sizes[name], said=facts["bytes"])
        if hashes.get(name, facts["sha256"]) != facts["sha256"]:
            raise foreign.Refused("card.otherSum", file=name)


def _free_tag(repo: str, card: dict[str, Any], asked: str | None) -> str:
    """The tag it gets: no other checkpoint's, but that of an earlier state of the same repo."""
    known = _before(repo, asked)
    if known is not None and known.gan == card["gan"]:
        return known.tag
    if asked is not None:
        if asked in checkpoints.all_tags(card["gan"]):
            raise Refused("hub.tagTaken", gan=card["gan"], tag=asked)
        return asked
    return afterwards.free_tag(card["gan"], card["tag"])


def _fetched(repo: str, sha: str, name: str, place: Path) -> Path:
    """One file of the repo, of exactly this revision."""
    with _asking(repo):
        return Path(_api().hf_hub_download(repo, name, revision=sha, local_dir=place, etag_timeout=PATIENCE))


def _as_listed(path: Path, facts: dict[str, Any] | None) -> None:
    """What came is what the card lists: weights by their checksum, and a picture is one."""
    if facts is None:
        try:
            images.open_picture(path)
        except ValueError as error:
            raise foreign.Refused("card.notPicture", file=path.name) from error
    elif hashlib.sha256(path.read_bytes()).hexdigest() != facts["sha256"]:
        raise foreign.Refused("card.cameDamaged", file=path.name)


def _fits(card: dict[str, Any], folder: Path) -> None:
    """The weights are those of such a network: every tensor in its place, of its shape, and finite."""
    tensors: dict[str, Any] = {}
    kind = registry.gan(card["gan"])
    try:
        for name in card["files"]:
            tensors |= safe.read(folder / name)
        checkpoints.build(kind, kind.configured(card["config"]), tensors)
    except (ValueError, RuntimeError, TypeError, OverflowError, MemoryError) as error:  # torch's, of absurd sizes
        raise foreign.Refused("card.weights", why=error) from error


# ---- publishing -----------------------------------------------------------------------------------------------------


def publish(what: str, repo: str, private: bool = False) -> str:
    """Uploads a checkpoint, or a run as it stands, with a model card; what the repo had of it before is replaced.

    Args:
        what: ``gan/tag``, a tag, a checkpoint's folder, or a run's name or folder.
        repo: ``owner/name``; made, if it is not there.
        private: whether only its owner sees a repo that is made.

    Returns:
        The repo's address.

    Raises:
        Unreachable: no network, or the Hub is not in order.
        ValueError: nothing of that name, not whole, nobody is logged in or may not write there, or the repo holds
            something else.
    """
    repo, at = _named(repo)
    if at is not None:
        raise Refused("hub.noRevisions")
    if get_token() is None:
        raise Refused("hub.login")
    with tempfile.TemporaryDirectory() as place:
        files = _packed(_folder(what, Path(place)), repo)
        api = _api()
        with _asking(repo, writing=True):
            there = _there(api, repo, private)
            if there is None:
                api.create_repo(repo, private=private, exist_ok=True)
            stale = [name for name in there or [] if _ours(name) and name not in files]
            done = api.create_commit(
                repo,
                [
                    *(CommitOperationAdd(name, content) for name, content in files.items()),
                    *(CommitOperationDelete(name) for name in stale),
                ],
                commit_message="A checkpoint of the GAN studio",
            )
    return f"{api.endpoint}/{repo} (revision {done.oid[:7]})"


def _folder(what: str, place: Path) -> Path:
    """The folder of a checkpoint, or of a run that is kept into `place`."""
    given = Path(what)
    if (given / "events.jsonl").is_file():
        return afterwards.kept(runs.Run(given), place)
    if (given / "card.json").is_file():
        return given
    gan, _, tag = what.partition("/")
    if tag and gan in registry.names():
        return checkpoints.folder(gan, tag)
    if runs.NAME.fullmatch(what) and (runs.folder_of_runs() / what / "card.json").is_file():
        return afterwards.kept(runs.find(what), place)
    found = [name for name in registry.names() if what in checkpoints.tags(name)]
    if len(found) == 1:
        return checkpoints.folder(found[0], what)
    if found:
        raise Refused("hub.several", there=found, what=what, first=found[0])
    raise Refused("hub.nothing", what=what[:80])


def _packed(folder: Path, repo: str) -> dict[str, bytes | Path]:
    """What is uploaded: name -> content or file. Looked at as `pull` will: what could not be pulled is refused."""
    try:
        card = foreign.read((folder / "card.json").read_bytes())
        files: dict[str, bytes | Path] = {}
        for name, facts in card["files"].items():
            if not (folder / name).is_file() or facts["bytes"] > MOST_WEIGHTS:
                raise foreign.Refused("card.missingFile", file=name, most=MOST_WEIGHTS >> 20)
            _as_listed(folder / name, facts)
            files[name] = folder / name
        _fits(card, folder)
    except (foreign.Refused, OSError) as error:
        raise Refused("hub.notPublished", name=folder.name, why=error) from error
    shown = model_card.pictures_beside(folder, card)
    for name in ("examples", "pictures"):
        if name in card:
            card[name] = [each for each in card[name] if each in shown]
    if "arms" in card and card["arms"]["file"] not in shown:
        del card["arms"]
    files |= {name: folder / name for name in shown}
    files["card.json"] = checkpoints.card_text(card).encode()
    files["README.md"] = model_card.readme(card, repo, shown).encode()
    if model_card.licence_id(card) == "other":
        files["LICENSE"] = model_card.licence_text(card).encode()
    return files


def _there(api: HfApi, repo: str, private: bool) -> list[str] | None:
    """The files of the repo; None = there is none yet.

    Raises:
        ValueError: it holds something else than a checkpoint, which would be lost; or it is public.
    """
    try:
        info = api.model_info(repo, timeout=PATIENCE)
    except theirs.GatedRepoError:
        raise
    except theirs.RepositoryNotFoundError:
        return None
    names = [each.rfilename for each in info.siblings or []]
    if "card.json" not in names and set(names) - {".gitattributes", "README.md", "LICENSE"}:
        raise Refused("hub.somethingElse", repo=repo, file=names[0][:60])
    if private and info.private is False:
        raise Refused("hub.public", repo=repo)
    return names


def _ours(name: str) -> bool:
    """Whether a file of a repo is one that `publish` writes, and may therefore take away."""
    return name == "LICENSE" or any(known.fullmatch(name) for known in (foreign.WEIGHTS, foreign.PICTURE))


# ---- what the Hub answers -------------------------------------------------------------------------------------------


def _api() -> HfApi:
    """The address is read now, not when the library was imported."""
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name=model_card.LIBRARY)


@contextmanager
def _asking(repo: str, writing: bool = False) -> Iterator[None]:
    """The errors of the library, its HTTP client and the network as sentences."""
    try:
        yield
    except ValueError as error:  # ours, and some of theirs
        if isinstance(error, theirs.HfHubHTTPError):
            raise _answered(repo, error, writing) from error
        if isinstance(error, theirs.HFValidationError):
            raise Refused("hub.invalid", repo=repo, why=error) from error
        raise
    except theirs.HfHubHTTPError as error:
        raise _answered(repo, error, writing) from error
    except theirs.OfflineModeIsEnabled as error:
        raise Unreachable("hub.offline") from error
    except theirs.LocalEntryNotFoundError as error:  # what the library says if it could not ask
        raise _answered(repo, error.__cause__, writing) from error
    except (OSError, RuntimeError, theirs.FileMetadataError) as error:
        if isinstance(error.__cause__, theirs.HfHubHTTPError):  # of one of several uploads
            raise _answered(repo, error.__cause__, writing) from error
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise Refused("hub.diskFull") from error
        raise Unreachable("hub.brokeOff", reason=type(error).__name__) from error
    except Exception as error:
        if not type(error).__module__.startswith("httpx"):  # its name differs between versions of the library
            raise
        raise Unreachable("hub.noNetwork") from error


def _answered(repo: str, error: BaseException | None, writing: bool) -> Refused:
    """What an answer of the Hub means, and what to do."""
    if not isinstance(error, theirs.HfHubHTTPError):
        return Unreachable("hub.noNetwork")
    status = error.response.status_code
    if isinstance(error, theirs.GatedRepoError):
        return Refused("hub.gated", repo=repo)
    if isinstance(error, theirs.RevisionNotFoundError):
        return Refused("hub.noSuchRevision", repo=repo)
    if isinstance(error, theirs.DisabledRepoError):
        return Refused("hub.closed", repo=repo)
    if status == 429:
        wait = error.response.headers.get("retry-after", "")
        return Unreachable("hub.waitSeconds", seconds=wait) if wait.isdecimal() else Unreachable("hub.waitMinutes")
    if status == 401 and "credentials" in error.response.headers.get("x-error-message", ""):
        return Refused("hub.loginAgain")
    if writing and status in (401, 403):
        return Refused("hub.mayNotWrite", repo=repo)
    if isinstance(error, theirs.RepositoryNotFoundError) or status in (401, 403):
        return Refused("hub.noModel", repo=repo)
    if status >= 500:
        return Unreachable("hub.outOfOrder", status=status)
    return Refused("hub.refuses", repo=repo, status=status, says=_short(error))


def _short(error: theirs.HfHubHTTPError) -> str:
    said = " ".join((error.server_message or str(error)).split())
    return said[:200] + ("" if said.endswith(".") else ".")
