"""Templates: found once, escaped always, with the words they need."""

import hashlib
from datetime import datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zohosync.console import words
from zohosync.console.desk import Console

STATIC = files("zohosync.console") / "static"


def load_templates(console: Console) -> Environment:
    """The environment of all templates; times are told by the console's clock and zone."""
    environment = Environment(
        loader=PackageLoader("zohosync.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def instant(moment: datetime) -> Markup:
        """A ``time`` element: how long ago, and the exact moment for who points at it and for machines."""
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            moment.isoformat(),
            words.describe_instant(moment, console.zone),
            words.describe_age(moment, console.clock.now()),
        )

    environment.filters |= {
        "age": instant,
        "exact": lambda moment: words.describe_instant(moment, console.zone),
        "duration": words.describe_duration,
        "number": words.describe_count,
        "kind": words.name_kind,
        "rupees": words.describe_rupees,
        "plainly": words.describe_plainly,
    }
    environment.globals |= {
        "words": words,
        "tries": console.tries,
        "simulated": console.settings.zoho == "sim",
        "style_url": _versioned("console.css"),
        "script_url": _versioned("console.js"),
    }
    return environment


def _versioned(name: str) -> str:
    """The address of a static file with a digest of its content, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
