"""The limits of Books: both windows of a minute, the codes before anything is written, the figures a bench reads."""

import asyncio

import pytest


async def ask(zoho) -> int:
    """Status of one call of the first organisation."""
    return int((await zoho.books("/settings/taxes")).status_code)


async def told(zoho, **given: object) -> dict[str, object]:
    answer = await zoho.http.post("/_sim/books/limits", json=given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_sliding_minute_frees_a_call_sixty_seconds_after_it_was_made(zoho):
    await told(zoho, per_minute=2)
    assert await ask(zoho) == 200
    zoho.sim.clock.advance(50)
    assert [await ask(zoho), await ask(zoho)] == [200, 429]
    zoho.sim.clock.advance(10)
    assert [await ask(zoho), await ask(zoho)] == [200, 429]
    zoho.sim.clock.advance(50)
    assert [await ask(zoho), await ask(zoho)] == [200, 429]


async def test_a_fixed_minute_starts_anew_with_the_minute_of_the_clock(zoho):
    await zoho.turn(books_minute_window="fixed")
    await told(zoho, per_minute=2)
    zoho.sim.clock.advance(59)
    assert [await ask(zoho), await ask(zoho), await ask(zoho)] == [200, 200, 429]
    zoho.sim.clock.advance(1)
    assert [await ask(zoho), await ask(zoho), await ask(zoho)] == [200, 200, 429]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
async def test_a_minute_lasts_as_long_as_the_clock_says(zoho, window: str):
    await zoho.turn(books_minute_window=window)
    await zoho.http.post("/_sim/clock", json={"minute_seconds": 3})
    await told(zoho, per_minute=1)
    assert [await ask(zoho), await ask(zoho)] == [200, 429]
    zoho.sim.clock.advance(3)
    assert await ask(zoho) == 200


async def test_asking_on_lengthens_the_block_when_the_switch_says_so(zoho):
    await zoho.turn(books_refused_calls_count=True)
    await told(zoho, per_minute=1)
    assert await ask(zoho) == 200
    zoho.sim.clock.advance(50)
    assert await ask(zoho) == 429
    zoho.sim.clock.advance(50)
    assert await ask(zoho) == 429
    zoho.sim.clock.advance(60)
    assert await ask(zoho) == 200


async def test_the_busiest_minute_and_what_was_refused_can_be_read(zoho):
    await told(zoho, per_minute=3)
    for _ in range(5):
        await ask(zoho)
    zoho.sim.clock.advance(120)
    await ask(zoho)
    figures = await told(zoho)
    assert (figures["busiest_minute"], figures["refused"]) == (3, {"44": 2, "45": 0, "1070": 0})
    await told(zoho, calls=4)
    await ask(zoho)
    assert (await told(zoho))["refused"] == {"44": 2, "45": 1, "1070": 0}


async def test_a_new_measurement_forgets_the_figures_but_not_the_calls_of_this_minute(zoho):
    await told(zoho, per_minute=2)
    for _ in range(3):
        await ask(zoho)
    figures = await told(zoho, forget_peaks=True)
    assert (figures["busiest_minute"], figures["most_at_once"]) == (2, 0)
    assert figures["refused"] == {"44": 0, "45": 0, "1070": 0}
    assert await ask(zoho) == 429


async def test_calls_at_once_are_measured_and_refused_beyond_the_plan(zoho):
    await told(zoho, plan="free")
    await zoho.http.post("/_sim/latency", json={"seconds": 0.05})
    statuses = await asyncio.gather(*(ask(zoho) for _ in range(7)))
    assert sorted(statuses) == [200] * 5 + [429] * 2
    figures = await told(zoho)
    assert (figures["most_at_once"], figures["refused"]) == (5, {"44": 0, "45": 0, "1070": 2})


async def test_a_reset_forgets_the_figures(zoho):
    await ask(zoho)
    await zoho.http.post("/_sim/reset")
    figures = await told(zoho)
    assert (figures["busiest_minute"], figures["most_at_once"]) == (0, 0)


async def test_a_window_that_is_not_known_is_refused(zoho):
    answer = await zoho.http.post("/_sim/switches", json={"books_minute_window": "leaky"})
    assert answer.status_code == 400
