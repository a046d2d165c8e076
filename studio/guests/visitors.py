"""Who asks, on a server that others reach too, and how much of it one of them may ask for.

A server is a *classroom* if it has a teacher's key (``STUDIO_KEY``, set by ``python app.py --class``). There a
visitor's standing is one of

``"here"``  sits at this machine: the connection comes from it, under one of its own names, past no proxy;
``"key"``   has shown the teacher's key, and keeps a cookie that is derived from it;
``""``      anybody else.

How much: ``STUDIO_RATE="viewer=15 address=400"`` questions a second of one browser tab, and of one network address. A
whole class may sit behind one address, so that one is generous; what keeps the machine from drowning is the line before
each model (`studio.serving`). Not set: no limit.

Knows headers, not frameworks: the HTTP routes and the pages ask the same questions here.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import os
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from studio.places import home
from studio.refused import Later, Refused

COOKIE = "studio-teacher"
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another: a key may have to be typed
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")  # a proxy was in between
TAB = re.compile(r"[A-Za-z0-9_-]{1,64}")
BURST = 3  # seconds' worth of questions at once: a drag after a pause
MOST_KNOWN = 20_000  # visitors whose counts are kept


# ---- the teacher ----------------------------------------------------------------------------------------------------


def classroom() -> bool:
    """Whether this server has a teacher."""
    return bool(os.environ.get("STUDIO_KEY"))


def new_key() -> str:
    """A random key, 79 bits in four groups of letters: ``k7m2-p9xw-…``."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def kept_key(anew: bool = False) -> str:
    """The key in ``STUDIO_HOME/class/key``, which only its owner can read; made if there is none.

    It outlives the server: after a crash in the middle of a lesson the teacher's link still opens.

    Raises:
        OSError: it can't be written.
    """
    path = home() / "class" / "key"
    if not anew:
        try:
            kept = path.read_text(encoding="ascii").strip()
            if re.fullmatch(rf"[{LETTERS}]{{4}}(-[{LETTERS}]{{4}}){{3}}", kept):
                return kept
        except (OSError, ValueError):
            pass
    key = new_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
        out.write(key + "\n")
    return key


def pass_for(key: str) -> str | None:
    """The cookie for whoever shows this key; None = it is not the teacher's."""
    own = os.environ.get("STUDIO_KEY", "")
    given = key.strip().lower()
    right = hmac.compare_digest(given.encode(errors="replace"), own.lower().encode())
    return _pass() if own and right else None


def _pass() -> str:
    """What the cookie holds: whoever reads it off a disk does not learn the key."""
    return hmac.new(os.environ["STUDIO_KEY"].encode(), b"the teacher's cookie", sha256).hexdigest()


def standing(client: str | None, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
    """``"here"``, ``"key"`` or ``""``, as the head of this file says; ``""`` for all on a server that is no classroom.

    Args:
        client: the address that the connection comes from.
        headers: of the request; names in any case.
    """
    if not classroom():
        return ""
    named = {name.lower(): value for name, value in headers.items()}
    near = _is_loopback(client) and not any(name in named for name in PASSED_ON)
    # The name, too: a page elsewhere can make its own name mean this machine (DNS rebinding).
    if near and _host(named.get("host", "")) in OWN_NAMES:
        return "here"
    shown = cookies.get(COOKIE, "")
    return "key" if hmac.compare_digest(shown.encode(errors="replace"), _pass().encode()) else ""


def _host(header: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _is_loopback(client: str | None) -> bool:
    try:
        return ipaddress.ip_address(client or "").is_loopback
    except ValueError:
        return False


def foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site sent it. Browsers say so, by one header or, over plain http, the other."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None or origin is None:
        return site == "cross-site"
    try:
        return urlsplit(origin).netloc not in (headers.get("host"), headers.get("x-forwarded-host"))
    except ValueError:
        return True


# ---- how much -------------------------------------------------------------------------------------------------------


class TooMany(Later):
    """More than a visitor may ask for. ``retry_after``: whole seconds until there is room again."""

    status = 429


class Buckets:
    """Token buckets by name: ``rate`` a second, ``burst`` at once. Those not seen for longest are forgotten first."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # name -> (tokens, when)

    def take(self, name: str) -> float:
        """Takes a token. Returns 0, or, if there is none, the seconds until there is one (and nothing is taken)."""
        now = time.monotonic()
        with self._lock:
            tokens, when = self._levels.pop(name, (self.burst, now))
            tokens = min(self.burst, tokens + (now - when) * self.rate)
            enough = tokens >= 1
            self._levels[name] = (tokens - enough, now)
            while len(self._levels) > MOST_KNOWN:
                self._levels.popitem(last=False)
        return 0.0 if enough else (1 - tokens) / self.rate


def network(client: str | None) -> str:
    """A visitor's address for counting; of IPv6 the first half, because one machine has the rest to itself."""
    try:
        address = ipaddress.ip_address(client or "")
    except ValueError:
        return "?"
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


class Rates:
    """What one tab, and one address, may ask in a second."""

    def __init__(self, viewer: float, address: float) -> None:
        self.tabs, self.addresses = Buckets(viewer, BURST * viewer), Buckets(address, BURST * address)

    def check(self, client: str | None, tab: str | None) -> None:
        """Counts one question. Who does not say which tab it is, is counted by the address alone.

        Raises:
            TooMany: says how long to wait.
        """
        where = network(client)
        if tab and TAB.fullmatch(tab) and (wait := self.tabs.take(f"{where} {tab}")):
            raise TooMany("server.fast", math.ceil(wait))
        if wait := self.addresses.take(where):
            raise TooMany("server.network", math.ceil(wait))


_rates: dict[str, Rates] = {}


def rates() -> Rates | None:
    """The server's, by its setting; None = no limit.

    Raises:
        ValueError: the setting can't be read.
    """
    text = os.environ.get("STUDIO_RATE", "").strip()
    if text in ("", "off"):
        return None
    if text not in _rates:
        values = {"viewer": 15.0, "address": 400.0}
        for part in text.replace(",", " ").split():
            name, _, value = part.partition("=")
            if name not in values or not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) or not float(value):
                raise Refused("server.rateSetting", text=text, part=part)
            values[name] = float(value)
        _rates[text] = Rates(**values)
    return _rates[text]
