"""The run: probes asked one after the other, each cleaned up after, whatever became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zohosync.errors import ZohosyncError
from zohosync.probe.ground import Ground
from zohosync.probe.heard import Unsettled
from zohosync.probe.probe import Finding, Probe

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """``value`` is None when nothing was settled; then ``reason`` says why, in words for people."""

    probe: Probe
    value: Any = None
    note: str = ""
    reason: str = ""

    @property
    def settled(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Outcome:
    """``left_over`` names what could not be deleted; ``mark`` is what records made here are called."""

    results: tuple[Result, ...]
    left_over: tuple[str, ...]
    mark: str

    @property
    def switches(self) -> dict[str, Any]:
        """The true positions, as zohosim takes them."""
        return {
            result.probe.settles: result.value for result in self.results if result.settled and result.probe.settles
        }


async def run_probes(ground: Ground, probes: Sequence[Probe], announce: Announce) -> Outcome:
    """Ask them all. A probe that fails is not settled, and the next one is asked."""
    results: list[Result] = []
    try:
        for probe in probes:
            announce(probe.name)
            try:
                results.append(await _ask(ground, probe))
            finally:
                await ground.clean()
    finally:
        await ground.leave()
    return Outcome(tuple(results), tuple(ground.left_over), ground.mark)


async def _ask(ground: Ground, probe: Probe) -> Result:
    try:
        return _judge(probe, await probe.ask(ground))
    except Unsettled as unsettled:
        return Result(probe, reason=unsettled.reason)
    except ZohosyncError as error:
        return Result(probe, reason=error.message)


def _judge(probe: Probe, finding: Finding) -> Result:
    """Something seen that is no position of the switch settles nothing, but is worth telling."""
    if finding.value is None:
        return Result(probe, reason=f"no position of the switch foresees this: {finding.note or 'something else'}")
    return Result(probe, finding.value, finding.note)
