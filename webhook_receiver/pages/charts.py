"""Charts as plain SVG: pygal draws, our style sheet colours, a table has numbers."""

import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

import pygal  # type: ignore[import-untyped] # ships no types
from markupsafe import Markup

# pygal hangs a finder of plug-ins, of which we have none, into all imports; it speaks a
# protocol that Python has given up, about which every import that follows warns.
sys.meta_path[:] = [
    each for each in sys.meta_path if not isinstance(each, pygal.PluginImportFixer)
]

_SIZE = {"width": 460, "height": 190}
_STEPS = (1, 2, 5)
_MOST_TICKS = 5
_NO_USE = {"defs", "desc", "title"}
"""Styles, scripts and tooltips, which the policy for our pages forbids or starves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of time, and how much of each series is in it."""

    label: str
    tick: str
    """What stands below it; mostly nothing, so that it can be read."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Stacked bars, with their title and the names of the series."""

    title: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        """What each series adds up to."""
        columns = zip(*(bar.counts for bar in self.bars), strict=True)
        return tuple(sum(column) for column in columns)

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to draw."""
        return not any(self.totals)

    @property
    def svg(self) -> Markup:
        """The drawing; whoever cannot see it is told the totals."""
        return _drawing(self)


# Drawing one takes longer than all else on its page, and its numbers change seldom.
@lru_cache(maxsize=100)
def _drawing(chart: Chart) -> Markup:
    drawn = pygal.StackedBar(
        css=[],
        js=[],
        disable_xml_declaration=True,
        no_prefix=True,
        show_legend=False,
        spacing=4,
        truncate_label=-1,
        margin=8,
        **_SIZE,
    )
    drawn.x_labels = [bar.tick for bar in chart.bars]
    drawn.y_labels = _ticks(max(sum(bar.counts) for bar in chart.bars))
    for number, name in enumerate(chart.series):
        drawn.add(name, [bar.counts[number] for bar in chart.bars])
    drawn.add_xml_filter(lambda root: _plain(root, chart))
    return Markup(drawn.render(is_unicode=True))  # noqa: S704 - pygal escapes


def _plain(root: Element, chart: Chart) -> Element:
    """Leave only what is drawn, and name it."""
    for parent in list(root.iter()):
        for child in list(parent):
            if not _is_drawn(child):
                parent.remove(child)
    del root.attrib["id"]
    named = zip(chart.series, chart.totals, strict=True)
    told = ", ".join(f"{name}: {total}" for name, total in named)
    root.attrib |= {"role": "img", "aria-label": f"{chart.title}. {told}"}
    return root


def _is_drawn(element: Any) -> bool:  # noqa: ANN401 - a comment's tag is a function
    if not isinstance(element.tag, str):
        return False
    kind = element.attrib.get("class", "")
    is_overlay = kind.endswith("overlay") or kind == "titles"
    is_mute = element.tag == "text" and not element.text
    return not (element.tag in _NO_USE or is_overlay or is_mute)


def _ticks(top: int) -> list[int]:
    """Return a few whole numbers from 0 to `top`, or just beyond."""
    step, power = 1, 1
    while top > step * (_MOST_TICKS - 1):
        number = _STEPS.index(step // power) + 1
        if number == len(_STEPS):
            number, power = 0, power * 10
        step = _STEPS[number] * power
    return list(range(0, max(top, 1) + step, step))
