"""Every reason has its row in the papers."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "src" / "zohosync" / "gst"
MADE_BY = {"Problem", "_conflict", "_mistyped"}


def codes() -> set[str]:
    """What is handed to Problem, or to what makes one, first."""
    calls = [
        node
        for path in ROOM.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE_BY and node.args
    ]
    first = [call.args[0] for call in calls]
    return {str(arg.value) for arg in first if isinstance(arg, ast.Constant)}


def test_every_reason_is_documented_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "reason-codes.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {code for row in rows for code in re.findall(r"`([a-z0-9_]+)`", row)} == codes()
    assert len(codes()) >= 30
