"""Many threads share few heaps."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT = """
import ctypes, sys, tempfile, threading
from studio.web import heaps
if sys.argv[1] == "shared":
    assert heaps.share(2)
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
libc.malloc_info.argtypes, libc.fclose.argtypes = (ctypes.c_int, ctypes.c_void_p), (ctypes.c_void_p,)
together = threading.Barrier(12)
def work():
    libc.malloc(5000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[t.start() for t in threads], [t.join() for t in threads]
with tempfile.NamedTemporaryFile() as file:
    out = libc.fopen(file.name.encode(), b"w")
    libc.malloc_info(0, out)
    libc.fclose(out)
    print(open(file.name).read().count("<heap nr="))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has heaps for threads")
def test_threads_share_two_heaps():
    def heaps(how: str) -> int:
        return int(
            subprocess.run([sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True).stdout
        )

    assert heaps("shared") == 2
    assert heaps("as it comes") > 2
