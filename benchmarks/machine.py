"""What the pages of results say of the machine."""

import pathlib


def cpu():
    """The processor's name, as the kernel gives it."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "an unknown CPU"
