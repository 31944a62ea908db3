"""``python -m zohosync`` is the command ``zohosync``."""

from zohosync.cli.main import run

if __name__ == "__main__":
    run()
