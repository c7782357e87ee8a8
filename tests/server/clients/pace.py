"""How much slower than usual the program runs: FATHOM_SLOWER=8 for a sanitizer's build."""
import os

SLOWER = float(os.environ.get("FATHOM_SLOWER", "1"))


def seconds(usual):
    return usual * SLOWER
