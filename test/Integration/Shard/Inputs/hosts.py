"""Two hosts, as namespaces joined by a slow cable (utils/shard-hosts.sh): the bits of
one process, what passes the cable, and an end for both where a rank is killed.

    hosts.py --build BUILD SCRIPT
"""

import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from failures import Check
from ranks import SCHEME, prepare


def same_bits(args, folder):
    """None, or what is wrong."""
    program, inputs = prepare("256x512x256", args.build, folder)
    command = [f"{args.build}/bin/quant-run", program, inputs, "--target=x86",
               f"--quantize={SCHEME}"]
    subprocess.run([*command, f"--outputs={folder / 'one'}"], check=True,
                   stdout=subprocess.DEVNULL)
    done = subprocess.run([args.script, *command, f"--outputs={folder / 'two'}",
                           "--shard=2"], capture_output=True, text=True, timeout=60)
    if done.returncode:
        return done.stderr
    one, two = (next((folder / name).glob("*.npy")).read_bytes()
                for name in ("one", "two"))
    if one != two:
        return "other bits"
    planned = int(re.search(r"sent by a rank in a run: (\d+)", done.stdout)[1])
    passed = [int(n) for n in re.findall(r": (\d+) bytes sent", done.stderr)]
    if len(passed) != 2 or min(passed) < planned:
        return f"{planned} bytes are sent, but over the cable went {passed}"
    return None


def killed(args, check):
    """The rank on the other host is killed while the program runs."""
    program = check.command("a", 2, 1, "--repeat=100000000", "--progress")
    process = subprocess.Popen([args.script, *program], text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    running = 0
    while running < 2:
        line = process.stderr.readline()
        if not line:
            return check.record("a rank is killed", "it ends before it runs")
        running += "quant-run: running, generic ..." in line
    found = subprocess.run(["ip", "netns", "pids", f"quant-b-{process.pid}"],
                           capture_output=True, text=True, check=True).stdout.split()
    ranks = [int(pid) for pid in found
             if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "quant-run"]
    begin = time.monotonic()
    os.kill(ranks[0], signal.SIGKILL)
    check.ends("a rank is killed", process, begin,
               {"error: ended, because another rank has ended": 1})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("script")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        check = Check(args.build, pathlib.Path(folder))
        check.record("the bits of one process", same_bits(args, check.folder))
        killed(args, check)
    return check.failed > 0


if __name__ == "__main__":
    sys.exit(main())
