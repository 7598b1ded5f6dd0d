"""Draws the demo's pictures: calm, flat shapes in the colours of the site's own tokens, so that nothing has to be fetched or licensed."""

import math
import re
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

from django.core.files.images import ImageFile
from PIL import Image, ImageDraw

import marketplace.core

WIDTH, HEIGHT = 1280, 720
#: Drawn so many times as large, then made smaller: Pillow's shapes have no smooth edges of their own.
FINE = 2
#: Pages show the middle of a picture in a band three times as wide as high, so what matters is drawn somewhat smaller, around the middle.
ZOOM = 0.72
UNIT = FINE * ZOOM
TOKENS = Path(marketplace.core.__file__).parent / "static" / "css" / "tokens.css"

Points = list[tuple[float, float]]


class Sheet:
    """A sheet to draw on as if it were 1280 × 720; colours by the names of the tokens."""

    def __init__(self, ground: str) -> None:
        self.image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), colours()[ground])
        self.pen = ImageDraw.Draw(self.image)

    def ground(self, top: float, colour: str) -> None:
        """From side to side, down to the bottom."""
        self.pen.rectangle([0, _at(0, top)[1], WIDTH * FINE, HEIGHT * FINE], colours()[colour])

    def box(self, left: float, top: float, width: float, height: float, colour: str, *, round_by: float = 0) -> None:  # noqa: PLR0913 - a rectangle has so many
        """A rectangle."""
        self.pen.rounded_rectangle([_at(left, top), _at(left + width, top + height)], round_by * UNIT, colours()[colour])

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        """A circle around (x, y)."""
        self.pen.ellipse([_at(x - radius, y - radius), _at(x + radius, y + radius)], colours()[colour])

    def shape(self, points: Points, colour: str) -> None:
        """A polygon."""
        self.pen.polygon([_at(*point) for point in points], colours()[colour])

    def line(self, points: Points, colour: str, width: float) -> None:
        """A line with round joints and ends."""
        self.pen.line([_at(*point) for point in points], colours()[colour], round(width * UNIT), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def bowl(self, x: float, y: float, radius: float, colour: str) -> None:
        """The lower half of a circle."""
        self.pen.pieslice([_at(x - radius, y - radius), _at(x + radius, y + radius)], 0, 180, colours()[colour])

    def file(self, name: str) -> ImageFile:
        """The finished picture."""
        out = BytesIO()
        self.image.reduce(FINE).save(out, "PNG")
        out.seek(0)
        return ImageFile(out, name=name)


def _at(x: float, y: float) -> tuple[float, float]:
    return WIDTH * FINE / 2 + (x - WIDTH / 2) * UNIT, HEIGHT * FINE / 2 + (y - HEIGHT / 2) * UNIT


@cache
def colours() -> dict[str, str]:
    """The tokens of the light look: {"pine": "#0f5c4d", …}."""
    light = TOKENS.read_text(encoding="utf-8").partition("@media")[0]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", light))


def draw(name: str) -> ImageFile:
    """One of PICTURES, as a PNG."""
    return PICTURES[name]().file(f"{name}.png")


def shop() -> Sheet:
    """A shop with an awning, one window lit."""
    sheet = Sheet("clay-wash")
    sheet.disc(1030, 180, 90, "gold-wash")
    sheet.ground(600, "sunken")
    sheet.box(330, 190, 620, 410, "surface", round_by=14)
    for number in range(8):
        left, colour = 300 + number * 85, "clay" if number % 2 else "surface"
        sheet.box(left, 190, 85, 90, colour)
        sheet.bowl(left + 42.5, 280, 42.5, colour)
    sheet.box(300, 170, 680, 30, "clay-strong", round_by=8)
    sheet.box(390, 370, 280, 160, "gold-wash", round_by=10)
    for x, height in ((430, 60), (495, 90), (565, 70)):
        sheet.box(x, 530 - height, 45, height, "pine", round_by=8)
    sheet.box(730, 360, 150, 240, "pine", round_by=10)
    sheet.box(755, 385, 100, 90, "pine-wash", round_by=8)
    sheet.disc(860, 500, 8, "gold-wash")
    return sheet


def bridge() -> Sheet:
    """A bridge that joins three hills."""
    sheet = Sheet("pine-wash")
    sheet.disc(950, 170, 80, "gold-wash")
    for x, radius, colour in ((120, 420, "pine"), (660, 330, "demand"), (1210, 430, "clay")):
        sheet.disc(x, 760, radius, colour)
    sheet.ground(660, "sunken")
    sheet.line([(170, 350), (640, 430), (1130, 345)], "surface", 26)
    for x, top in ((290, 370), (410, 392), (530, 411), (770, 408), (890, 386), (1010, 366)):
        sheet.line([(x, top), (x, top + 90)], "surface", 12)
    for x, y in ((250, 335), (660, 400), (1050, 333)):
        sheet.disc(x, y - 48, 22, "ink")
        sheet.box(x - 20, y - 24, 40, 50, "gold", round_by=18)
    return sheet


def sun() -> Sheet:
    """A sun above roofs with solar panels."""
    sheet = Sheet("gold-wash")
    sheet.disc(640, 240, 130, "clay")
    for step in range(12):
        angle = math.tau * step / 12
        start, end = 160, 210
        sheet.line([(640 + math.cos(angle) * r, 240 + math.sin(angle) * r) for r in (start, end)], "clay", 14)
    for left, colour in ((120, "pine"), (500, "pine-strong"), (880, "pine")):
        sheet.box(left, 520, 290, 200, "surface")
        sheet.shape([(left - 30, 530), (left + 60, 390), (left + 320, 390), (left + 320, 530)], colour)
        for row in range(2):
            for column in range(3):
                x, y = left + 66 + column * 74 - row * 14, 412 + row * 54
                sheet.shape([(x, y), (x + 56, y), (x + 50, y + 42), (x - 12, y + 42)], "demand-wash")
        sheet.box(left + 110, 590, 70, 130, "clay-wash", round_by=6)
    sheet.ground(690, "sunken")
    return sheet


def desk() -> Sheet:
    """A counter with two chairs and a clock."""
    sheet = Sheet("demand-wash")
    sheet.disc(980, 190, 92, "surface")
    sheet.line([(980, 190), (980, 130)], "ink", 10)
    sheet.line([(980, 190), (1022, 212)], "demand", 10)
    sheet.ground(620, "sunken")
    sheet.box(250, 390, 640, 40, "pine-strong", round_by=12)
    sheet.box(280, 430, 580, 190, "pine", round_by=6)
    sheet.box(330, 470, 150, 110, "pine-strong", round_by=8)
    sheet.box(520, 300, 150, 90, "ink", round_by=10)
    sheet.box(534, 314, 122, 62, "pine-wash", round_by=4)
    sheet.box(720, 350, 80, 40, "surface", round_by=4)
    for x in (140, 1000):
        sheet.box(x, 400, 26, 220, "clay-strong", round_by=10)
        sheet.box(x, 500, 130, 30, "clay", round_by=12)
        sheet.box(x + 100, 520, 22, 100, "clay-strong", round_by=8)
    return sheet


def shield() -> Sheet:
    """A shield with a lock."""
    sheet = Sheet("pine-wash")
    for x, y in ((210, 200), (1060, 240), (260, 560), (1040, 540)):
        sheet.disc(x, y, 46, "clay-wash")
        sheet.line([(x - 16, y - 16), (x + 16, y + 16)], "clay", 10)
        sheet.line([(x + 16, y - 16), (x - 16, y + 16)], "clay", 10)
    sheet.shape([(640, 90), (860, 165), (848, 400), (760, 545), (640, 630), (520, 545), (432, 400), (420, 165)], "pine")
    sheet.shape([(640, 128), (828, 192), (816, 390), (738, 515), (640, 588)], "pine-strong")
    sheet.disc(640, 300, 70, "gold-wash")
    sheet.disc(640, 300, 44, "pine-strong")
    sheet.box(545, 305, 190, 150, "gold-wash", round_by=20)
    sheet.disc(640, 365, 20, "gold")
    sheet.box(632, 370, 16, 48, "gold", round_by=8)
    return sheet


def door() -> Sheet:
    """An open door with a plant on each side."""
    sheet = Sheet("sunken")
    sheet.ground(600, "line")
    sheet.box(460, 130, 360, 470, "pine", round_by=10)
    sheet.box(490, 160, 300, 440, "gold-wash")
    sheet.shape([(490, 160), (650, 205), (650, 640), (490, 600)], "pine-strong")
    sheet.disc(628, 420, 11, "gold-wash")
    sheet.shape([(650, 600), (790, 600), (900, 720), (690, 720)], "gold-wash")
    for x in (290, 990):
        for lean, top in ((-70, 360), (-28, 300), (28, 290), (70, 370)):
            sheet.line([(x, 520), (x + lean, top)], "pine", 12)
            sheet.disc(x + lean, top, 38, "pine")
        sheet.shape([(x - 65, 500), (x + 65, 500), (x + 46, 620), (x - 46, 620)], "clay")
    return sheet


def phone() -> Sheet:
    """A phone that shows a shopping bag."""
    sheet = Sheet("clay-wash")
    for x, y, radius, colour in ((250, 190, 60, "gold-wash"), (1040, 530, 86, "pine-wash"), (1010, 180, 40, "demand-wash"), (280, 560, 50, "surface")):
        sheet.disc(x, y, radius, colour)
    sheet.box(470, 50, 340, 630, "ink", round_by=48)
    sheet.box(492, 92, 296, 540, "surface", round_by=24)
    sheet.box(600, 66, 80, 10, "ink-soft", round_by=5)
    sheet.disc(640, 280, 58, "clay-strong")
    sheet.disc(640, 280, 38, "surface")
    sheet.shape([(556, 285), (724, 285), (744, 460), (536, 460)], "clay")
    sheet.line([(598, 372), (630, 402), (688, 342)], "surface", 16)
    sheet.box(536, 510, 208, 26, "pine-wash", round_by=13)
    sheet.box(536, 552, 140, 26, "pine-wash", round_by=13)
    return sheet


def bars() -> Sheet:
    """Four columns of different heights."""
    sheet = Sheet("demand-wash")
    for y in (180, 300, 420):
        sheet.line([(230, y), (1050, y)], "line", 4)
    for x, height, colour in ((290, 400, "demand"), (480, 260, "pine"), (670, 320, "clay"), (860, 150, "gold")):
        sheet.box(x, 560 - height, 130, height, colour, round_by=14)
        sheet.box(x, 540, 130, 20, colour)
    sheet.line([(230, 562), (1050, 562)], "ink", 8)
    for x in (355, 545, 735, 925):
        sheet.box(x - 38, 592, 76, 18, "surface", round_by=9)
    return sheet


def gears() -> Sheet:
    """Two gear wheels that fit."""
    sheet = Sheet("gold-wash")
    for x, y, radius, teeth, turn, colour, middle in ((490, 390, 190, 14, 0.0, "pine", "pine-wash"), (815, 268, 130, 10, 0.06, "clay", "clay-wash")):
        for step in range(teeth):
            angle = math.tau * step / teeth + turn
            half = math.tau / teeth / 4
            inner, outer = radius - 12, radius + 34
            corners = [(angle - half * 1.3, inner), (angle - half * 0.8, outer), (angle + half * 0.8, outer), (angle + half * 1.3, inner)]
            sheet.shape([(x + math.cos(a) * r, y + math.sin(a) * r) for a, r in corners], colour)
        sheet.disc(x, y, radius, colour)
        sheet.disc(x, y, radius * 0.55, middle)
        sheet.disc(x, y, radius * 0.22, colour)
    return sheet


def steps() -> Sheet:
    """A staircase of four steps with a flag on top."""
    sheet = Sheet("pine-wash")
    sheet.disc(240, 190, 74, "gold-wash")
    for number, colour in enumerate(("pine", "demand", "clay", "pine-strong")):
        left, top = 220 + number * 210, 560 - number * 105
        sheet.box(left, top, 210, HEIGHT - top, colour)
        sheet.box(left, top, 210, 16, "surface")
    sheet.ground(690, "sunken")
    sheet.line([(960, 245), (960, 90)], "ink", 12)
    sheet.shape([(966, 90), (1090, 128), (966, 166)], "gold")
    return sheet


def folder() -> Sheet:
    """An open folder with three sheets."""
    sheet = Sheet("gold-wash")
    sheet.box(330, 180, 260, 90, "clay-strong", round_by=18)
    sheet.box(330, 220, 620, 380, "clay-strong", round_by=18)
    for left, top, lines in ((400, 130, 5), (560, 100, 6), (730, 150, 4)):
        sheet.box(left, top, 190, 330, "surface", round_by=8)
        sheet.box(left + 24, top + 30, 90, 16, "pine", round_by=8)
        for number in range(lines):
            sheet.box(left + 24, top + 68 + number * 28, 142 - number % 3 * 22, 10, "line", round_by=5)
    sheet.shape([(270, 340), (1010, 340), (950, 610), (330, 610)], "clay")
    return sheet


def scales() -> Sheet:
    """Scales with coins in one pan."""
    sheet = Sheet("demand-wash")
    sheet.box(628, 150, 24, 440, "ink", round_by=10)
    sheet.box(500, 580, 280, 34, "ink", round_by=16)
    sheet.line([(370, 240), (910, 180)], "ink", 18)
    sheet.disc(640, 170, 34, "gold")
    for x, y, drop in ((370, 240, 210), (910, 180, 210)):
        sheet.line([(x, y), (x - 105, y + drop)], "ink-soft", 6)
        sheet.line([(x, y), (x + 105, y + drop)], "ink-soft", 6)
        sheet.bowl(x, y + drop, 130, "pine" if x < WIDTH / 2 else "clay")
    for x, y in ((322, 438), (372, 438), (422, 438), (347, 418), (397, 418), (372, 398)):
        sheet.box(x - 30, y - 10, 60, 20, "gold", round_by=10)
        sheet.box(x - 22, y - 6, 44, 6, "gold-wash", round_by=3)
    return sheet


PICTURES: dict[str, Callable[[], Sheet]] = {
    one.__name__: one for one in (shop, bridge, sun, desk, shield, door, phone, bars, gears, steps, folder, scales)
}  # fmt: skip
