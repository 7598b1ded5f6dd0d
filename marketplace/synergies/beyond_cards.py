"""Groups and rings as a person of one of their companies sees them; None for a curator, who sees all of it and answers nothing.

What two other companies said to each other is theirs: of a link or a member that is not the reader's, only the public listings
and why they fit are shown.
"""

import math
import textwrap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from marketplace.companies.models import Company
from marketplace.listings.models import Listing

from .beyond import Consortium, ConsortiumMember, Ring, RingLink
from .cards import Card
from .enums import Side, State
from .models import Synergy
from .quoted import Quoted

#: How many groups the page of one listing shows.
MOST_OF_LISTING = 2


def synergies_of(consortia: Iterable[Consortium]) -> dict[tuple[int, int], Synergy]:
    """What has become of the pairs of these groups, by (offer, demand): one query."""
    wanted = {(member.offer_id, consortium.demand_id) for consortium in consortia for member in consortium.members.all()}
    found = Synergy.objects.filter(offer__in={offer for offer, _ in wanted}, demand__in={demand for _, demand in wanted})
    return {pair: synergy for synergy in found if (pair := (synergy.offer_id, synergy.demand_id)) in wanted}


def short_name(company: Company) -> str:
    """Its name without the legal form: several names in a row would have too many commas."""
    return company.name.split(",")[0]


# --- A group ------------------------------------------------------------------------------------------------------------------


@dataclass
class MemberCard(Quoted):
    """One offer of a group. `number` is its colour, too."""

    member: ConsortiumMember
    number: int
    synergy: Synergy | None
    is_mine: bool
    for_asker: bool

    @property
    def percent(self) -> int:
        """Its part of what is wanted."""
        return round(self.member.share * 100)

    @property
    def is_asked(self) -> bool:
        """The asking company said yes to this member."""
        return bool(self.synergy and self.synergy.demand_interest_at)

    @property
    def can_be_asked(self) -> bool:
        """The reader may ask this member now."""
        return self.for_asker and not self.is_asked

    @property
    def is_open_to_reader(self) -> bool:
        """Whether the pair's own page is the reader's to see."""
        return self.synergy is not None and (self.for_asker or self.is_mine)

    @property
    def standing(self) -> str:
        """What the reader may know of the pair, in a few words; empty where it is not theirs or nothing happened."""
        if not self.is_open_to_reader or self.synergy.state == State.SUGGESTED:
            return ""
        if self.synergy.state == State.MUTUAL:
            return _("Both of you said yes")
        mine = self.synergy.interest_at(Side.DEMAND if self.for_asker else Side.OFFER)
        return _("You said yes") if mine else _("They said yes")

    @property
    def badge(self) -> str:
        """The badge's tone."""
        return self.synergy.state if self.synergy else ""


@dataclass(frozen=True)
class Segment:
    """A piece of the bar, in percent of its length."""

    number: int
    start: float
    width: float


class GroupCard:
    """`consortium`, loaded for display; `companies` are those of the reader."""

    def __init__(self, consortium: Consortium, companies: Collection[int] | None, synergies: Mapping[tuple[int, int], Synergy]) -> None:
        self.consortium, self.demand = consortium, consortium.demand
        self.is_asking = companies is not None and self.demand.company_id in companies
        self.members = [
            MemberCard(
                offer=member.offer,
                demand=self.demand,
                reasons=[{"code": "terms", "data": {"pairs": member.pairs}}],
                member=member,
                number=number,
                synergy=synergies.get((member.offer_id, consortium.demand_id)),
                is_mine=companies is not None and member.offer.company_id in companies,
                for_asker=self.is_asking,
            )
            for number, member in enumerate(consortium.members.all(), start=1)
        ]

    @property
    def key(self) -> str:
        """What the card's ids on the page are made of."""
        return str(self.consortium.uid)

    @property
    def percent(self) -> int:
        """What they cover together."""
        return round(self.consortium.covered * 100)

    @property
    def percent_alone(self) -> int:
        """What the best single offer covers."""
        return round(self.consortium.best_alone * 100)

    @property
    def segments(self) -> list[Segment]:
        """The bar: each member's part, one after the other."""
        pieces, start = [], 0.0
        for card in self.members:
            width = round(card.member.share * 100, 2)
            pieces.append(Segment(card.number, round(start, 2), width))
            start += width
        return pieces

    @property
    def mine(self) -> list[MemberCard]:
        """The reader's own offers in it."""
        return [card for card in self.members if card.is_mine]

    @property
    def is_asked(self) -> bool:
        """The asking company has said yes to one of the reader's offers."""
        return any(card.is_asked for card in self.mine)

    @property
    def missing(self) -> str:
        """What nobody answers."""
        return ", ".join(self.consortium.missing)

    @property
    def eyebrow(self) -> str:
        """When it was found."""
        return _("Suggested %(time)s ago") % {"time": timesince(self.consortium.suggested_at, depth=1)}


def group_cards(consortia: list[Consortium], companies: Collection[int] | None) -> list[GroupCard]:
    """The cards of several groups, with one query for what has become of their pairs."""
    states = synergies_of(consortia) if consortia else {}
    return [GroupCard(consortium, companies, states) for consortium in consortia]


def groups_of(listing: Listing, companies: Collection[int]) -> list[GroupCard]:
    """The best groups in which a listing is: as the demand, or as one of the offers."""
    best = Consortium.objects.current().with_listing(listing).for_display().order_by("-covered", "-id")
    return group_cards(list(best[:MOST_OF_LISTING]), companies)


# --- A ring -------------------------------------------------------------------------------------------------------------------


class LinkCard(Quoted):
    """One step of a ring: the offering company serves the asking one."""

    def __init__(self, link: RingLink, companies: Collection[int]) -> None:
        self.synergy = link.synergy
        super().__init__(offer=self.synergy.offer, demand=self.synergy.demand, reasons=self.synergy.reasons)
        self.side = self.synergy.side_to_answer(companies)
        self.card = Card(self.synergy, self.side) if self.side else None

    @property
    def serving(self) -> Company:
        """Who offers."""
        return self.offer.company

    @property
    def served(self) -> Company:
        """Who asks."""
        return self.demand.company

    @property
    def sentence(self) -> str:
        """What the arrow says."""
        return _("%(one)s can serve %(other)s") % {"one": short_name(self.serving), "other": short_name(self.served)}


class RingCard:
    """`ring`, loaded for display; begins with a company of the reader."""

    def __init__(self, ring: Ring, companies: Collection[int] | None) -> None:
        self.ring, self.companies = ring, set(companies or ())
        links = [LinkCard(link, self.companies) for link in ring.links.all()]
        start = next((place for place, link in enumerate(links) if link.serving.pk in self.companies), 0)
        self.links = links[start:] + links[:start]

    @property
    def key(self) -> str:
        """What the card's ids on the page are made of."""
        return str(self.ring.uid)

    @property
    def names(self) -> list[Company]:
        """Its companies, in the order in which they serve."""
        return [link.serving for link in self.links]

    @property
    def others(self) -> str:
        """The other companies' names."""
        return ", ".join(short_name(company) for company in self.names[1:])

    @property
    def is_pair(self) -> bool:
        """Two companies that serve each other."""
        return len(self.links) == 2  # noqa: PLR2004 - two

    @property
    def waits_for_me(self) -> bool:
        """The reader has not answered every link of theirs."""
        return any(link.card and link.card.waits_for_me for link in self.links)

    @property
    def description(self) -> str:
        """The picture in words."""
        return ". ".join(link.sentence for link in self.links) + "."

    @property
    def eyebrow(self) -> str:
        """When it was found."""
        return _("Suggested %(time)s ago") % {"time": timesince(self.ring.suggested_at, depth=1)}

    @property
    def picture(self) -> "Picture":
        """The ring drawn."""
        return Picture([(company, company.pk in self.companies) for company in self.names])


#: The drawing's measures, in its own units.
WIDTH, RADIUS = 340, 26
HEIGHTS = {2: 150, 3: 270, 4: 300}
#: How far the arrows keep from the circles, how much they bend outwards, and how long their heads are.
GAP, BEND, HEAD = 6, 0.16, 9
#: Room for a name under a circle: two lines of so many characters.
LINE_LENGTH, MOST_LINES, LINE_HEIGHT = 17, 2, 16


@dataclass(frozen=True)
class Line:
    """A piece of a name, and where it stands."""

    text: str
    y: float


@dataclass(frozen=True)
class Node:
    """A company as a circle."""

    x: float
    y: float
    company: Company
    is_mine: bool

    @property
    def lines(self) -> list[Line]:
        """Its name, as far as there is room; the legal form is left out."""
        pieces = textwrap.wrap(short_name(self.company), LINE_LENGTH, max_lines=MOST_LINES, placeholder="…")
        return [Line(text, self.y + RADIUS + LINE_HEIGHT * number) for number, text in enumerate(pieces, start=1)]

    @property
    def initials_y(self) -> float:
        """The middle of the letters."""
        return self.y + 6


@dataclass(frozen=True)
class Arrow:
    """A bent line and its head, as SVG path data and points."""

    path: str
    head: str


class Picture:
    """Circles around a middle and an arrow from each to the next, going round clockwise."""

    width, radius = WIDTH, RADIUS

    def __init__(self, companies: list[tuple[Company, bool]]) -> None:
        self.height = HEIGHTS[len(companies)]
        self.nodes = [Node(*self._place(number, len(companies)), company, is_mine) for number, (company, is_mine) in enumerate(companies)]
        self.arrows = [_arrow(one, other) for one, other in zip(self.nodes, self.nodes[1:] + self.nodes[:1], strict=True)]

    def _place(self, number: int, count: int) -> tuple[float, float]:
        """Two beside each other, three and four with the first on top; room for two lines below each."""
        below = MOST_LINES * LINE_HEIGHT + 4
        angle = 2 * math.pi * number / count - (math.pi if count == 2 else math.pi / 2)  # noqa: PLR2004 - two
        middle, down = (self.height - below) / 2, (self.height - below) / 2 - RADIUS - 4
        across = WIDTH / 2 - 66
        return round(WIDTH / 2 + across * math.cos(angle), 1), round(middle + down * math.sin(angle), 1)


def _arrow(one: Node, other: Node) -> Arrow:
    dx, dy = other.x - one.x, other.y - one.y
    length = math.hypot(dx, dy)
    # To the left of the way, which is outwards when one goes round clockwise.
    bend_x, bend_y = (one.x + other.x) / 2 + dy * BEND * _bending(length), (one.y + other.y) / 2 - dx * BEND * _bending(length)
    start = _towards(one.x, one.y, bend_x, bend_y, RADIUS + GAP)
    tip = _towards(other.x, other.y, bend_x, bend_y, RADIUS + GAP)
    back = _towards(*tip, bend_x, bend_y, HEAD)
    side_x, side_y = (tip[1] - back[1]) / HEAD * HEAD * 0.55, (back[0] - tip[0]) / HEAD * HEAD * 0.55
    points = (tip, (back[0] + side_x, back[1] + side_y), (back[0] - side_x, back[1] - side_y))
    path = f"M{start[0]:.1f} {start[1]:.1f} Q{bend_x:.1f} {bend_y:.1f} {back[0]:.1f} {back[1]:.1f}"
    return Arrow(path, " ".join(f"{x:.1f},{y:.1f}" for x, y in points))


def _bending(length: float) -> float:
    """Long ways bend more, so that two arrows between the same circles keep apart."""
    return 1 + length / WIDTH


def _towards(x: float, y: float, to_x: float, to_y: float, distance: float) -> tuple[float, float]:
    length = math.hypot(to_x - x, to_y - y)
    return x + (to_x - x) / length * distance, y + (to_y - y) / length * distance
