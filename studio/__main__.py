"""The shell: python -m studio list | show | GAN VERB | look | train | runs | pause | stop |
keep | recipe | nearest | compare | adopt | publish | pull | measure | bench | table | doctor.

Where a checkpoint's tag is asked, ``hub:owner/name`` means one of the Hub, which is pulled first."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.refused import LANGUAGES, Phrase, Refused, Told, refusal, spoken, told

if TYPE_CHECKING:
    from studio.training.runs import Run


BEGIN, END = "<!-- made by: python -m studio table --write -->\n", "<!-- the table ends -->\n"  # in README.md


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 = done, 2 = it could not be, and a sentence said why."""
    for stream in (sys.stdout, sys.stderr):  # a console may not know Korean, and names may be of any bytes
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser, commands = _parser()
    words = list(sys.argv[1:] if argv is None else argv)
    given = parser.parse_args(words or ["--help"])
    try:
        commands[given.command](given)
        return 0
    except (ValueError, Told) as error:
        print(f"studio: {told(error, spoken())}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads has read enough: | head
        sys.stdout = None
        return 0
    except OSError as error:
        said = Phrase("shell.noFile", file=error.filename or "?", reason=error.strerror or error)
        print(f"studio: {told(said, spoken())}", file=sys.stderr)
        return 2
    except Exception as error:
        if os.environ.get("STUDIO_TRACEBACK"):
            raise
        said = Phrase("shell.fault", kind=type(error).__name__, text=" ".join(str(error).split())[:300])
        print(f"studio: {told(said, spoken())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> tuple[argparse.ArgumentParser, dict[str, Callable[[argparse.Namespace], None]]]:
    from studio import registry
    from studio.verbs import verbs

    parser = argparse.ArgumentParser("python -m studio", description="GAN studio in the shell.")
    sub = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands: dict[str, Callable[[argparse.Namespace], None]] = {}

    def command(function: Callable, says: str, name: str | None = None) -> argparse.ArgumentParser:
        name = name or function.__name__.strip("_")
        commands[name] = function
        return sub.add_parser(name, help=says, description=says)

    command(_list, "Every GAN and its checkpoints.").add_argument("--json", action="store_true")
    p = command(_show, "What is known about a GAN or one of its checkpoints.")
    p.add_argument("gan")
    p.add_argument("tag", nargs="?")
    p = command(_table, "The GANs as a table, as in README.md.")
    p.add_argument("--write", action="store_true", help="put it into README.md")
    command(_doctor, "What this machine has, and whether the checkpoints are whole.")
    p = command(_adopt, "Take over an official checkpoint file.")
    p.add_argument("gan")
    p.add_argument("file", nargs="+", help="the file; or those of one checkpoint, such as a generator's and a critic's")
    p.add_argument("--tag", required=True)
    p.add_argument("--title")
    p.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", help="what the file cannot tell")
    p = command(_publish, "Put a checkpoint, or a run as it stands, on the Hub.")
    p.add_argument("what", metavar="RUN|CHECKPOINT", help="gan/tag, a tag, or the name or folder of a run")
    p.add_argument("--to", required=True, metavar="OWNER/NAME")
    p.add_argument("--private", action="store_true", help="a repo that is made is seen by its owner only")
    p = command(_pull, "Get a checkpoint from the Hub; without a network, what was got before.")
    p.add_argument("repo", metavar="OWNER/NAME", help="owner/name, or owner/name@revision")
    p.add_argument("--tag", help="the name it gets here (default: its own, or one like it that is free)")
    p = command(_measure, "Measure a checkpoint or a run on the pictures that were held out of its training.")
    p.add_argument("gan")
    p.add_argument("tag", nargs="?", help="a checkpoint's tag, or the folder of a run")
    p.add_argument("--data", help="where the data lies now, if not where the card says")
    p.add_argument("--write", action="store_true", help="put the figures into the checkpoint's card")
    p = command(_bench, "Compare the exact and the fast variant on this machine.")
    p.add_argument("gan", nargs="?")
    p.add_argument("--json", action="store_true")
    p = command(_look, "What a training would see of some data, without training.")
    p.add_argument("gan", choices=registry.names())
    p.add_argument("--data", required=True, help="a folder, a zip, a folder in a zip, or toy")
    p.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", help="fields of the GAN's Config")
    p.add_argument("--out", help="a picture to write: examples as the net will see them")
    p.add_argument("--json", action="store_true")
    p = command(_train, "Train a GAN; stop with Ctrl+C (it saves) and go on with --resume.")
    p.add_argument("gan", nargs="?")
    p.add_argument("--data", help="a folder, a zip, a folder in a zip, or toy")
    p.add_argument("--run", help="the run's name or folder (default: gan and date, under STUDIO_HOME/runs)")
    p.add_argument("--resume", metavar="RUN", help="go on exactly where this run stopped")
    p.add_argument(
        "--from", dest="start", metavar="TAG", help="begin from a checkpoint's weights, with fresh optimisers"
    )
    p.add_argument("--steps", type=int, help="steps in all")
    p.add_argument("--minutes", type=float, help="minutes from now")
    p.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", help="fields of the GAN's Config")
    p.add_argument("--hold-out", type=int, default=0, metavar="N", help="pictures to set aside for measuring")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: cpu; of a resumed run: the one it had)")
    p.add_argument("--threads", type=int, help="CPU threads")
    p.add_argument("--workers", type=int, help="processes that prepare the data (default: as the device needs)")
    p.add_argument("--now", action="store_true", help="do not wait until no other run has the device")
    p.add_argument("--polite", action="store_true", help="let other programs go first (as the training room starts it)")
    p = command(_recipe, "Train a checkpoint as the shipped one was trained, from wherever that stands.")
    p.add_argument("gan", nargs="?", choices=registry.names())
    p.add_argument("tag", nargs="?")
    p.add_argument("--all", action="store_true", help="all recipes by turns, whoever needs it most first")
    p.add_argument("--data", metavar="DIR", help="the folder that the recipe's files are in")
    p.add_argument("--minutes", type=float, help="how long; default: to the recipe's end")
    p.add_argument("--device", default="cpu")
    p.add_argument("--out", metavar="DIR", help="where runs and checkpoints go, in files of 16 MB at most")
    p.add_argument("--threads", type=int, help="CPU threads")
    p.add_argument("--workers", type=int, help="processes that prepare the data")
    command(_runs, "Every run, and how it is.")
    command(_pause, "Hold a run that is being trained; it saves first.").add_argument("run")
    command(_stop, "End a run that is being trained; it saves first.").add_argument("run")
    p = command(_keep, "Make a checkpoint of a run.")
    p.add_argument("run")
    p.add_argument("--tag", required=True)
    p.add_argument("--title", nargs="*", default=[], metavar="LANG=TITLE")
    p.add_argument("--default", action="store_true")
    p.add_argument("--shipped", action="store_true", help="into the repo's checkpoints/ instead of STUDIO_HOME")
    p.add_argument("--examples", nargs="*", default=[], metavar="FILE", help="pictures to try it on")
    p.add_argument("--facts", help="a JSON file of further facts for the card")

    p = command(_compare, "A contact sheet of several runs on the same held-out examples.")
    p.add_argument("runs", nargs="+")
    p.add_argument("--out", required=True, help="the picture to write")
    p.add_argument("--data", help="where the data lies now, if not where the first run's card says")
    p.add_argument("--rows", type=int, default=8)
    p.add_argument("--pictures", nargs="*", default=[], metavar="FILE", help="own pictures to show instead")

    p = command(_nearest, "Does it copy? What a checkpoint makes, beside the nearest pictures it was trained on.")
    p.add_argument("gan", choices=registry.names())
    p.add_argument("tag", nargs="?")
    p.add_argument("--data", required=True, help="where its training pictures lie")
    p.add_argument("--out", required=True, help="the picture to write")
    p.add_argument("--rows", type=int, default=8)

    for name in registry.names():
        gan = registry.gan(name)
        actions = command(_verb, gan.about.idea["en"], name).add_subparsers(dest="verb", metavar="VERB", required=True)
        for verb in verbs(gan).values():
            p = actions.add_parser(verb.name, help=verb.says, description=verb.says)
            for argument in verb.arguments.values():
                if argument.required:
                    p.add_argument(argument.name, help=argument.says.replace("%", "%%"))
                else:
                    p.add_argument(f"--{argument.name}", help=argument.says.replace("%", "%%"))
            p.add_argument("out", nargs="?", help="the file to write; without it, JSON is printed")
            p.add_argument("--tag", help="the checkpoint (default: the GAN's own)")
            p.add_argument("--device", default="cpu")
            p.add_argument("--fast", action="store_true", help="the variant that the server uses")
    return parser, commands


def _verb(given: argparse.Namespace) -> None:
    import studio
    from studio import images
    from studio.verbs import jsonable, verbs

    gan = studio.load(given.command, given.tag, given.device, given.fast)
    verb = verbs(gan)[given.verb]
    values = {name: getattr(given, name) for name in verb.arguments if getattr(given, name) is not None}
    result = getattr(gan, verb.name)(**verb.bind(values))
    if given.out and isinstance(result, images.Picture):
        _write(given.out, result.save)
    elif given.out and isinstance(result, images.File):
        _write(given.out, lambda path: path.write_bytes(result.content))
    elif given.out:
        _write(given.out, lambda path: path.write_text(json.dumps(jsonable(result)), encoding="utf-8"))
    else:
        print(json.dumps(jsonable(result)))


def _write(out: str, write: Callable[[Path], object]) -> None:
    """Writes a file, and makes its folder if there is none.

    Raises:
        ValueError: it can't be; says why.
    """
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        write(Path(out))
    except (OSError, ValueError) as error:
        raise Refused("shell.noOut", out=out, reason=error) from error
    print(out)


def _list(given: argparse.Namespace) -> None:
    from studio import checkpoints, registry

    rows = [
        {
            "gan": name,
            "title": registry.gan(name).about.title,
            "year": registry.gan(name).about.year,
            "tags": checkpoints.tags(name),
        }
        for name in registry.names()
    ]
    if given.json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['gan']:12} {row['title']} ({row['year']}): {', '.join(row['tags']) or 'no checkpoint yet'}")


def _show(given: argparse.Namespace) -> None:
    from studio import checkpoints, registry
    from studio.verbs import verbs

    gan = registry.gan(given.gan)
    if given.tag:
        print(json.dumps(checkpoints.card(given.gan, _local(given.gan, given.tag)), indent=1, ensure_ascii=False))
        return
    print(
        f"{gan.about.title} ({gan.about.year})\n{gan.about.idea['en']}\n{gan.about.paper}\n{gan.about.link}\n\nVerbs:"
    )
    for verb in verbs(gan).values():
        takes = ", ".join(a.name if a.required else f"[{a.name}]" for a in verb.arguments.values())
        print(f"  {verb.name}({takes}): {verb.says}")
    print("\nCheckpoints:", ", ".join(checkpoints.tags(given.gan)) or "none yet", "\n\nConfig (the paper's values):")
    for field in fields(gan.Config):
        print(f"  {field.name} = {field.default!r}: {field.metadata['says']}")


def table() -> str:
    """Every GAN and the checkpoints that it ships with, oldest paper first, as README.md shows them (Markdown)."""
    from studio import checkpoints, registry

    rows = ["| what one does | the idea | paper | checkpoints |", "|---|---|---|---|"]
    known = {name: registry.gan(name).about for name in registry.names()}
    for name in registry.course(known):
        about, tags = known[name], checkpoints.tags(name)
        shipped = [tag for tag in tags if (checkpoints.SHIPPED / name / tag).is_dir()]
        titles = " · ".join(checkpoints.card(name, tag)["title"]["en"] for tag in shipped) or "none yet: train one"
        paper = f"[{about.title}](studio/gans/{name}/paper.py), {about.year}"
        rows.append(f"| {about.tab['en']} | {about.idea['en']} | {paper} | {titles} |")
    return "\n".join(rows) + "\n"


def _table(given: argparse.Namespace) -> None:
    from studio.places import ROOT, write_atomically

    if not given.write:
        print(table(), end="")
        return
    path = ROOT / "README.md"
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Refused("shell.noTable", begin=BEGIN.strip(), end=END.strip())
    write_atomically(path, lambda beside: beside.write_text(before + BEGIN + table() + END + after, encoding="utf-8"))


def _doctor(given: argparse.Namespace) -> None:
    import platform
    import shutil

    import torch

    from studio import checkpoints, registry
    from studio.places import home

    print(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    print(
        f"torch {torch.__version__}, CPU capability {torch.backends.cpu.get_cpu_capability()}, "
        f"{torch.get_num_threads()} threads"
    )
    print(f"CUDA: {torch.cuda.get_device_name(0) if torch.cuda.is_available() else 'none'}")
    place = home()
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / ".writable").write_bytes(b"")
        (place / ".writable").unlink()
        print(f"STUDIO_HOME {place}: writable, {shutil.disk_usage(place).free / 2**30:.1f} GB free")
    except OSError as error:
        print(f"STUDIO_HOME {place}: can't be written ({error.strerror}); set STUDIO_HOME to a folder of yours")
    trouble = 0
    for name in registry.names():
        for place in checkpoints.places():
            for folder in sorted(p.parent for p in place.glob(f"{name}/*/card.json")):
                try:
                    checkpoints.load(name, folder.name)
                    print(f"{name}/{folder.name}: whole")
                except ValueError as error:
                    trouble += 1
                    print(f"{name}/{folder.name}: {told(error, spoken())}")
    if trouble:
        raise Refused("shell.troubles", n=trouble)


def _adopt(given: argparse.Namespace) -> None:
    from studio import checkpoints, registry
    from studio.training.runs import read_settings

    settings = read_settings(registry.gan(given.gan), given.set)
    print(checkpoints.adopt(given.file, given.gan, given.tag, given.title, settings))


def _publish(given: argparse.Namespace) -> None:
    from studio import hub

    print(hub.publish(given.what, given.to, given.private))


def _pull(given: argparse.Namespace) -> None:
    from studio import hub

    pulled = hub.pull(given.repo, given.tag)
    print(told(pulled.says, spoken()), file=sys.stderr)
    print(pulled.folder)


def _local(gan: str, tag: str | None) -> str | None:
    """The tag itself; of one of the Hub, the tag that it has here once it is pulled."""
    from studio import checkpoints

    if not (tag or "").startswith(checkpoints.HUB):
        return tag
    from studio import hub

    return hub.here(gan, tag)[1]


def _measure(given: argparse.Namespace) -> None:
    from studio import checkpoints, registry
    from studio.training.runs import Run

    given.tag = _local(given.gan, given.tag)
    if given.tag and (Path(given.tag) / "card.json").exists() and (Path(given.tag) / "events.jsonl").exists():
        gan, card = Run(given.tag).gan().requires_grad_(False), Run(given.tag).card  # as a checkpoint comes
    else:
        gan, card = checkpoints.load(given.gan, given.tag), checkpoints.card(given.gan, given.tag)
    source = given.data or card.get("data") or card.get("origin", {}).get("data")
    if not source:
        raise Refused("shell.whichData")
    held = card.get("held_out")
    if not held:
        raise Refused("shell.nothingHeld")
    data = registry.gan(given.gan).Data(source, gan.config)
    data.recall(gan.extras or {})
    found = data.held(held)
    for lost in data.lost:
        print(told(lost, spoken()), file=sys.stderr)
    if not found:
        raise Refused("shell.nothingHeld")
    figures = gan.measure(data, [data.names.index(name) for name in found])
    print(json.dumps(figures, indent=1))
    if given.write:
        checkpoints.update_card(given.gan, given.tag or checkpoints.tags(given.gan)[0], figures=figures)


def _bench(given: argparse.Namespace) -> None:
    from studio.serving import bench

    rows = bench.bench(given.gan)
    print(json.dumps(rows) if given.json else bench.table(rows))


def _look(given: argparse.Namespace) -> None:
    from studio import registry
    from studio.training import runs
    from studio.training.preview import preview

    kind = registry.gan(given.gan)
    config = runs.changed(kind, {}, given.set)
    named = {pair.partition("=")[0] for pair in given.set}
    if not named & {"labels", "domains"}:  # those of the paper's data
        config = kind.Data.unlabelled(config)
    seen = preview(given.gan, given.data, config)
    if given.out:
        _write(given.out, seen.sheet.save)
    if given.json:
        print(json.dumps({"gan": given.gan, "source": given.data, **seen.facts()}, ensure_ascii=False))
        return
    print(f"{given.data}: {seen.kind}, {seen.count}")
    for name, count in seen.parts.items():
        print(f"  {name}: {count}")
    for size, count in seen.sizes.items():
        print(f"  {size}: {count} / {seen.looked}")
    for why, count in seen.notes.items():
        print(f"{count}: {told(why, spoken())}")
    for why, count in seen.reasons.items():
        print(told(Phrase("skipped.counted", n=count, why=why), spoken()))


def _train(given: argparse.Namespace) -> None:
    import signal

    import torch

    from studio.training import devices
    from studio.training import process as trainer
    from studio.training.loop import Ended

    if given.threads:
        torch.set_num_threads(given.threads)
    if given.polite:
        devices.give_way()  # whoever plays with a model meanwhile should not feel it
    how = {"steps": given.steps, "minutes": given.minutes, "device": given.device, "queue": not given.now}
    workers = {} if given.workers is None else {"workers": given.workers}
    if given.resume:
        run, events = trainer.resume(given.resume, given.data, given.set, **how, **workers)
        if run.wish().go == "pause" and not given.polite:
            run.ask(go="on")
    else:
        if not given.gan or not given.data:
            raise Refused("shell.whichGan")
        how["device"] = devices.device(given.device or "cpu").name
        run, events = trainer.start(
            given.gan,
            given.data,
            name=given.run,
            settings=given.set,
            origin=_local(given.gan, given.start),
            held_out=given.hold_out,
            seed=given.seed,
            **how,
            **workers,
        )
    signal.signal(signal.SIGINT, lambda *_: run.stop())  # Ctrl+C ends it in good order
    signal.signal(signal.SIGTERM, lambda *_: run.stop())
    print(f"{run.folder}: stop with Ctrl+C, go on with: python -m studio train --resume {run.folder}", flush=True)
    noticed = False
    for event in events:
        _tell(event)
        if not noticed:
            noticed = True
            for notice in run.card.get("notices", []):
                print(notice.get(spoken(), notice["en"]), flush=True)
        if isinstance(event, Ended) and event.how == "failed":
            raise refusal(event.why)


def _recipe(given: argparse.Namespace) -> None:
    import signal

    import torch

    from studio.training import devices, recipes
    from studio.training.loop import Ended

    if not given.all and not given.gan:
        for each in recipes.recipes():
            k, run = recipes.stands(each)
            at = f"stage {k + 1}, {run.done()['minutes']:.0f} min" if run else "not begun here"
            print(f"{each.gan} {each.tag}: {len(each.stages)} stages, {each.minutes:.0f} min; {at}")
        return
    if given.threads:
        torch.set_num_threads(given.threads)
    place = Path(given.out) / "runs" if given.out else None
    device = devices.device(given.device).name
    how = {"workers": given.workers}
    if given.all:
        if given.minutes is None:
            raise Refused("shell.howLong")
        steps = recipes.follow_all(given.data or ".", given.minutes, device, place, **how)
    else:
        one = recipes.recipe(given.gan, given.tag or _default(given.gan))
        steps = recipes.follow(one, given.data, given.minutes, device, place, **how)
    asked, seen = [], {}

    def stop(*_: object) -> None:
        asked.append(True)
        for run in seen.values():
            run.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    for run, event in steps:
        if run.folder not in seen:
            print(f"{run.folder}: stop with Ctrl+C, go on with the same command", flush=True)
        seen[run.folder] = run
        _tell(event)
        if isinstance(event, Ended) and (event.how == "failed" and not given.all):
            raise refusal(event.why)
        if isinstance(event, Ended) and asked:
            break
    for run in seen.values():
        tag = run.card["recipe"]["tag"]
        if given.out:
            if run.has_state:
                print(run.keep(tag, recipes.facts(run), Path(given.out) / "checkpoints"))
            recipes.split(run.folder)
        else:
            print(f"python -m studio keep {run.name} --tag {tag}")


def _default(gan: str) -> str:
    from studio import checkpoints

    return (checkpoints.tags(gan) or [""])[0]


def _tell(event: object) -> None:
    """A training's event, as the shell prints it."""
    from studio.training.loop import Ended, Measured, Phase, Progress

    if isinstance(event, Progress):
        losses = "  ".join(f"{name} {value:.4f}" for name, value in event.losses.items())
        print(f"step {event.step}  {event.rate:.1f} pictures/s  {losses}", flush=True)
    elif isinstance(event, Measured):
        figures = "  ".join(f"{name} {value:.4f}" for name, value in event.figures.items())
        print(f"held out, step {event.step}  {figures}{'  (the best so far)' * event.best}", flush=True)
    elif isinstance(event, Phase):
        print(f"{event.how} at step {event.step}", flush=True)
    elif isinstance(event, Ended):
        print(f"{event.how} at step {event.step}. {told(event.why, spoken())}", flush=True)


def _runs(given: argparse.Namespace) -> None:
    from studio.training import runs

    for run in runs.all_runs():
        status = run.status()
        print(f"{run.name:36} {status.how:9} step {status.step:7}  {told(status.why, spoken())}".rstrip())


def _pause(given: argparse.Namespace) -> None:
    _run(given.run).pause()


def _stop(given: argparse.Namespace) -> None:
    _run(given.run).stop()


def _run(name: str) -> Run:
    from studio.training import runs

    run = runs.Run(name) if (Path(name) / "card.json").exists() else runs.find(name)
    if not run.alive:
        raise Refused("shell.nobodyTrains", run=run.name, name=name)
    return run


def _nearest(given: argparse.Namespace) -> None:
    from studio import checkpoints, registry
    from studio.training import keep as afterwards

    tag = _local(given.gan, given.tag)
    gan, held = checkpoints.load(given.gan, tag), checkpoints.card(given.gan, tag).get("held_out") or []
    data = registry.gan(given.gan).Data(given.data, gan.config)
    _write(given.out, afterwards.nearest(gan, data, held, given.rows).save)


def _compare(given: argparse.Namespace) -> None:
    from studio.training import process as trainer

    sheet = trainer.compare(given.runs, given.pictures, given.data, given.rows)
    _write(given.out, lambda path: sheet.save(path, quality=92))


def _facts_of(file: str | None) -> dict[str, Any]:
    """What a JSON file says for a card.

    Raises:
        ValueError: it is not there, or no table.
    """
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8-sig")) if file else {}
    except ValueError as error:
        raise Refused("shell.noFacts", file=file, why=error) from error
    if not isinstance(found, dict):
        raise Refused("shell.noFacts", file=file, why="[…]")
    return found


def _titles(given: Sequence[str]) -> dict[str, str]:
    """``en=Shoes ko=신발``; words without a language are the title in all."""
    told = dict(pair.split("=", 1) for pair in given if pair.partition("=")[0] in LANGUAGES and "=" in pair)
    plain = " ".join(each for each in given if each.partition("=")[0] not in LANGUAGES or "=" not in each)
    usual = plain or told.get("en") or next(iter(told.values()))
    return {language: told.get(language, usual) for language in LANGUAGES}


def _keep(given: argparse.Namespace) -> None:
    from studio import checkpoints
    from studio.training import recipes, runs
    from studio.training.runs import Run

    run = Run(given.run) if (Path(given.run) / "card.json").exists() else runs.find(given.run)
    facts = recipes.facts(run) | _facts_of(given.facts)
    if given.title:
        facts["title"] = _titles(given.title)
    if given.default:
        facts["default"] = True
    where = checkpoints.SHIPPED if given.shipped else None
    print(run.keep(given.tag, facts, where, [Path(name) for name in given.examples]))


if __name__ == "__main__":
    sys.exit(main())
