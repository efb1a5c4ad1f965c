"""What the overview shows of a report: figures, charts, tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from admin.charts.plot import Chart, Series, Value, bars, lines, share
from admin.charts.scale import short_count, short_time
from admin.period import Period
from core.days import days_between
from core.store.numbers.counting import Numbers
from core.store.numbers.histogram import Histogram
from core.store.numbers.reading import Part, Report

P50, P95 = 0.5, 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and how it compares with the days before; `address` leads to the conversations behind it."""

    name: str
    value: str
    compared: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of parts. `width` is its part of the most that was asked, in hundredths."""

    name: str
    address: str
    conversations: str
    failed_ones: str
    width: float
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class Table:
    """Parts of one kind."""

    title: str
    rows: list[Row]
    note: str = ""


def figures(period: Period, now: Report, before: Report) -> list[Figure]:
    """The whole of the days."""
    these, those = now.whole, before.whole
    tokens = these.prompt_tokens + these.completion_tokens
    return [
        Figure(
            "Questions", short_count(these.questions), _more(these.questions, those.questions), period.conversations()
        ),
        Figure("Answered", share(these.answered, these.questions), _was(share(those.answered, those.questions))),
        Figure(
            "Failed", short_count(these.failed), _more(these.failed, those.failed), period.conversations(state="failed")
        ),
        Figure("People", short_count(now.people), _more(now.people, before.people)),
        Figure("Answer, half within", _time(these.total, P50), _was(_time(those.total, P50))),
        Figure("Answer, 95 % within", _time(these.total, P95), _was(_time(those.total, P95))),
        Figure("Tokens", short_count(tokens), _more(tokens, those.prompt_tokens + those.completion_tokens)),
        Figure(
            "Good feedback",
            short_count(these.good),
            _more(these.good, those.good),
            period.conversations(feedback="good"),
        ),
        Figure(
            "Bad feedback", short_count(these.bad), _more(these.bad, those.bad), period.conversations(feedback="bad")
        ),
    ]


def charts(period: Period, report: Report) -> list[Chart]:
    """The days one by one, or weeks or months of them."""
    spans = period.spans()
    parts = [_together(report, first, last) for first, last in spans]
    names = [span_name(first, last, with_year=period.first.year != period.last.year) for first, last in spans]

    def of(name: str, style: str, value: Callable[[Numbers], Value]) -> Series:
        return Series(name, style, [value(part) for part in parts])

    def within(id: str, title: str, histogram: Callable[[Numbers], Histogram]) -> Chart:
        half = of("half within (p50)", "s1", lambda part: histogram(part).percentile(P50))
        most = of("95 % within (p95)", "s0", lambda part: histogram(part).percentile(P95))
        return lines(id, title, names, [most, half])

    daily = len(spans) == period.length
    pictures = [f"{part.picture_tokens:,}".replace(",", "\u202f") for part in parts]
    return [
        bars(
            "questions",
            "Questions",
            names,
            [
                of("answered", "s1", lambda part: part.answered),
                of("failed", "s3", lambda part: part.failed),
                of("stopped", "s4", lambda part: part.cancelled),
                of("handed over", "s2", lambda part: part.handed_over),
                of("open", "s5", lambda part: part.other),
            ],
        ),
        bars(
            "people",
            "People" if daily else "People a day",
            names,
            [Series("people", "s1", [_people(report, first, last) for first, last in spans])],
        ),
        within("total", "From question to answer", lambda part: part.total),
        within("first", "From question to first word", lambda part: part.first),
        within("queue", "Wait for a worker", lambda part: part.queue),
        bars(
            "tokens",
            "Tokens",
            names,
            [
                of("read", "s1", lambda part: part.prompt_tokens - part.cached_tokens),
                of("known from before", "s2", lambda part: part.cached_tokens),
                of("written", "s0", lambda part: part.completion_tokens),
            ],
            beside=[("of pictures", pictures)],
        ),
        bars(
            "feedback",
            "Feedback",
            names,
            [of("good", "s2", lambda part: part.good), of("bad", "s3", lambda part: part.bad)],
        ),
        bars(
            "failures",
            "Failures",
            names,
            [of("failed", "s3", lambda part: part.failed)],
            beside=[("of the questions", [share(part.failed, part.questions) for part in parts])],
        ),
    ]


def tables(period: Period, report: Report) -> list[Table]:
    """The same days by where and how was asked."""
    more = f"{report.other_channels} more channels" if report.other_channels else ""
    return [
        _table(period, "By platform", "platform", report.platforms),
        _table(period, "By workspace", "workspace", report.workspaces),
        _table(period, "By channel", "place", report.channels, more),
        _table(period, "By model", "model", report.models),
        # The numbers have no filter for it; the list of conversations has.
        _table(period, "By mode", "", report.modes),
    ]


def span_name(first: date, last: date, *, with_year: bool = False) -> str:
    """A place of the axis, such as Nov 26."""
    name = f"{first:%b} {first.day}" if first == last else f"{first:%b} {first.day}–{last:%b} {last.day}"
    return f"{name}, {last.year}" if with_year else name


def _table(period: Period, title: str, name: str, parts: Sequence[Part], note: str = "") -> Table:
    most = max((part.numbers.questions for part in parts), default=0)
    rows = []
    for part in parts:
        mine = {name or "mode": part.id} if part.id else {}
        rows.append(
            Row(
                part.name or "none yet",
                period.address(**mine) if name and part.id else "",
                period.conversations(**mine),
                period.conversations(state="failed", **mine),
                round(100 * part.numbers.questions / most, 1) if most else 0.0,
                part.numbers,
            )
        )
    return Table(title, rows, note)


def _together(report: Report, first: date, last: date) -> Numbers:
    if first == last:
        return report.days[first]
    together = Numbers()
    for day in days_between(first, last):
        together.add(report.days[day])
    return together


def _people(report: Report, first: date, last: date) -> float:
    days = days_between(first, last)
    return sum(report.people_by_day.get(day, 0) for day in days) / len(days)


def _time(histogram: Histogram, part: float) -> str:
    value = histogram.percentile(part)
    return "–" if value is None else short_time(value)


def _more(now: float, before: float) -> str:
    if now == before:
        return "as before"
    if not before:
        return "none before"
    change = 100 * (now - before) / before
    return f"{abs(change):.0f} % {'more' if change > 0 else 'less'} than before"


def _was(before: str) -> str:
    return "none before" if before == "–" else f"{before} before"
