"""The studio for a class: `python app.py --class` serves it to the phones and laptops in this network.

    python app.py                                    for this machine alone, at http://localhost:8501
    python app.py --class                            for everybody in the network; nobody but the teacher can train
    python app.py --class --train "minutes=3 queue=2"    everybody may train, that much
    python app.py --class --address 127.0.0.1        behind a proxy of yours, or to try it out

It sets what the rest of the studio reads from the environment: ``STUDIO_KEY`` (there is a teacher), ``STUDIO_TRAIN``
and ``STUDIO_RATE`` (what strangers may do). Whoever sits at this machine is the teacher without a key.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from studio.guests import limits, visitors
from studio.refused import Refused, spoken, told

EVERYWHERE = "0.0.0.0"
RATE = "viewer=15 address=400"


def options(argv: Sequence[str] | None = None) -> list[str]:
    """The shell's words as Streamlit's options; what the studio itself reads goes into the environment.

    Raises:
        SystemExit: a word that is not known, or a setting that can't be read; a sentence says which.
    """
    parser = argparse.ArgumentParser("python app.py", description="Serve the GAN studio.")
    parser.add_argument("--class", dest="lesson", action="store_true", help="to everybody in this network")
    parser.add_argument("--port", type=int, help="default: 8501")
    parser.add_argument("--address", help="of this machine to listen at; with --class all, else localhost")
    parser.add_argument("--at", metavar="URL", help="how others reach it, if that is not this machine's address")
    parser.add_argument("--train", metavar="LIMITS", help='what everybody may train: off, or "minutes=3 queue=2"')
    parser.add_argument("--rate", metavar="LIMITS", help=f'questions a second: off, or "{RATE}"')
    parser.add_argument("--new-key", action="store_true", help="the teacher's links of earlier lessons end")
    parser.add_argument("--headless", action="store_true", help="open no browser")
    given = parser.parse_args(argv)
    if given.port is not None and not 0 < given.port < 65536:
        parser.error(told(Refused("shell.port"), spoken()))
    for name, value in (("STUDIO_TRAIN", given.train), ("STUDIO_RATE", given.rate), ("STUDIO_ADDRESS", given.at)):
        if value is not None:
            os.environ[name] = value
    if given.lesson:
        os.environ.setdefault("STUDIO_TRAIN", "off")
        os.environ.setdefault("STUDIO_RATE", RATE)
        try:
            if given.new_key or not visitors.classroom():
                os.environ["STUDIO_KEY"] = visitors.kept_key(given.new_key)
        except OSError as error:
            parser.error(told(Refused("shell.noKey", reason=error), spoken()))
    try:
        limits.limits(), visitors.rates()
    except ValueError as error:
        parser.error(told(error, spoken()))
    address = given.address or (EVERYWHERE if given.lesson else None)
    named = {"address": address, "port": given.port, "headless": "true" if given.headless else None}
    return [word for name, value in named.items() if value for word in (f"--server.{name}", str(value))]


def greeting(address: str | None) -> str:
    """What the shell says of a classroom: the lesson's address and its QR code, and the teacher's way in.

    Args:
        address: under which phones find the studio; None = only this machine does.
    """
    if address is None:
        where = "  Only this machine can open it so. Say how others reach it: --at http://…"
    else:
        where = f"  For the class: {address}\n\n{code(address)}"
    key = os.environ["STUDIO_KEY"]
    if sys.stdout.isatty():  # a key belongs on the teacher's screen, never into a log
        own = (
            f"  For you alone:  {address or 'http://localhost'}/gallery#key={key}\n  (on this machine no key is needed)"
        )
    else:
        own = "  The teacher's key is in STUDIO_HOME/class/key."
    train = limits.limits()
    may = "nobody but you can train" if train.off else "everybody may train; STUDIO_TRAIN limits it"
    return f"{where}\n{own}\n  Training: {may}."


def code(address: str) -> str:
    """A QR code of half blocks, as terminals show them."""
    import io

    import segno

    out = io.StringIO()
    segno.make(address, micro=False).terminal(out, compact=True, border=2)
    return out.getvalue()
