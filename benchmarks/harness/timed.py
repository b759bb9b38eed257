"""Run a command and print, as JSON, its wall seconds, its peak resident MB and the last line of its error.

A process of its own, kept small: on Linux a child's peak counts from that of the process that started it, so
a caller that holds data would lend its own size to every command.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

with tempfile.TemporaryFile() as errors:
    start = time.perf_counter()
    child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=errors)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    code = child.returncode = os.waitstatus_to_exitcode(status)
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
last = re.sub(r"/\S+/", "", lines[-1]) if lines else "no message"  # no paths of this machine
error = f"exit code {code}: {last}" if code else ""
peak_mb = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "error": error}))
