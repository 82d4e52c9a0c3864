"""``python -m algo``: the same as the command ``algo``."""

from algo.main import run

if __name__ == "__main__":
    run()
