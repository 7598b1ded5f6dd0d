"""What our texts are made of: blocks for every page with a body. `StreamField`s of them are BodyField(BodyBlock)."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.stream_block import StreamBlockValidationError, StreamValue
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.contrib.table_block.blocks import TableBlock as WagtailTableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageBlock
from wagtail.rich_text import RichText

from . import anchors
from .cleaning import FEATURES, tidy

LANGUAGES = [("ca", _("Catalan")), ("es", _("Spanish")), ("en", _("English"))]


class TextBlock(blocks.RichTextBlock):
    """Paragraphs and lists; what a word processor brought along is gone once it is saved."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"features": FEATURES} | kwargs)

    def clean(self, value: RichText) -> RichText:
        """Without styles and empty lines."""
        value = super().clean(value)
        return RichText(tidy(value.source, self.features))

    class Meta:
        icon = "pilcrow"
        template = "pages/blocks/text.html"


class HeadingBlock(blocks.StructBlock):
    """A heading that a link can lead to."""

    text = blocks.CharBlock(label=_("Heading"), max_length=120)
    level = blocks.ChoiceBlock(label=_("Level"), choices=[("h2", _("Section")), ("h3", _("Part of a section"))], default="h2")
    anchor = blocks.CharBlock(
        label=_("Name for links"), required=False, max_length=anchors.LONGEST, validators=[validate_slug],
        help_text=_("What stands after # in a link to this place. Left empty, it is made from the heading."),
    )  # fmt: skip

    class Meta:
        icon = "title"
        label = _("Heading")
        template = "pages/blocks/heading.html"


class StepsBlock(blocks.StructBlock):
    """A procedure: what to do, one thing after another."""

    title = blocks.CharBlock(label=_("Title"), required=False, max_length=120)
    steps = blocks.ListBlock(
        blocks.StructBlock([("title", blocks.CharBlock(label=_("What to do"), max_length=120)), ("text", TextBlock(label=_("How"), required=False))]),
        label=_("Steps"), min_num=1,
    )  # fmt: skip

    class Meta:
        icon = "list-ol"
        label = _("Steps")
        template = "pages/blocks/steps.html"


class CalloutBlock(blocks.StructBlock):
    """Something that must not be overlooked, or an example."""

    kind = blocks.ChoiceBlock(label=_("Kind"), choices=[("info", _("Good to know")), ("warning", _("Careful")), ("example", _("Example"))], default="info")
    title = blocks.CharBlock(label=_("Title"), required=False, max_length=120)
    text = TextBlock(label=_("Text"))

    class Meta:
        icon = "info-circle"
        label = _("Callout")
        template = "pages/blocks/callout.html"


class QuoteBlock(blocks.StructBlock):
    """What somebody said, and who."""

    text = blocks.TextBlock(label=_("What was said"), rows=3)
    who = blocks.CharBlock(label=_("By whom"), required=False, max_length=120)
    role = blocks.CharBlock(label=_("Who that is"), required=False, max_length=120)

    class Meta:
        icon = "openquote"
        label = _("Quotation")
        template = "pages/blocks/quote.html"


class PictureBlock(blocks.StructBlock):
    """A picture; it says in words what it shows, or that it only decorates."""

    image = ImageBlock(label=_("Picture"))
    caption = blocks.CharBlock(label=_("Caption"), required=False, max_length=240)
    credit = blocks.CharBlock(label=_("Author"), required=False, max_length=120)

    def bulk_to_python(self, values: list[dict[str, Any]]) -> list[blocks.StructValue]:
        """With the sizes of all pictures of a text, in one query instead of one for each."""
        found = super().bulk_to_python(values)
        prefetch_related_objects([value["image"] for value in found if value["image"]], "renditions")
        return found

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "pages/blocks/picture.html"


class DocumentBlock(blocks.StructBlock):
    """A file to download: its format and size stand beside it."""

    document = DocumentChooserBlock(label=_("Document"))
    title = blocks.CharBlock(label=_("Name"), required=False, max_length=160, help_text=_("Left empty, the document's own title."))
    language = blocks.ChoiceBlock(label=_("Language of the document"), choices=LANGUAGES, required=False)

    class Meta:
        icon = "doc-full"
        label = _("Document")
        template = "pages/blocks/document.html"


class ButtonBlock(blocks.StructBlock):
    """The one thing to do next: to a page of ours or to an address."""

    text = blocks.CharBlock(label=_("Words on it"), max_length=60)
    page = blocks.PageChooserBlock(label=_("Page of this site"), required=False)
    url = blocks.URLBlock(label=_("Or an address"), required=False)
    quiet = blocks.BooleanBlock(label=_("Less important"), required=False)

    def clean(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Leads to one place, neither none nor two."""
        cleaned = super().clean(value)
        if bool(cleaned["page"]) == bool(cleaned["url"]):
            message = _now("Choose one of both: a page of this site or an address.")
            raise StructBlockValidationError({"url": ValidationError(message, code="target")})
        return cleaned

    class Meta:
        icon = "link"
        label = _("Button")
        template = "pages/blocks/button.html"


class TableBlock(WagtailTableBlock):
    """Figures side by side: with a caption, and a first row that says what the columns are."""

    def clean(self, value: dict[str, Any] | None) -> dict[str, Any] | None:
        """Not without caption and header: a screen reader tells of every cell which column it belongs to."""
        cleaned = super().clean(value)
        if not cleaned:
            return cleaned
        if not (cleaned.get("table_caption") or "").strip():
            raise ValidationError(_now("Write a caption: what does the table show?"), code="caption")
        rows = cleaned.get("data") or [[]]
        if not cleaned.get("first_row_is_table_header"):
            raise ValidationError(_now("Show the first row as header: the names of the columns."), code="header")
        if not all((cell or "").strip() for cell in rows[0][1:]):
            raise ValidationError(_now("Every column needs a name in the first row."), code="header")
        return cleaned

    def get_translatable_segments(self, value: dict[str, Any] | None) -> list:
        """Caption and cells, for the translators (wagtail-localize asks for them)."""
        from wagtail_localize.segments import StringSegmentValue  # noqa: PLC0415 - asked only where wagtail-localize is installed

        if not value:
            return []
        cells = [(f"{row}-{column}", cell) for row, cells in enumerate(value["data"]) for column, cell in enumerate(cells)]
        return [StringSegmentValue(path, text) for path, text in [("caption", value.get("table_caption")), *cells] if text]

    def restore_translated_segments(self, value: dict[str, Any], segments: list) -> dict[str, Any]:
        """The table with what the translators wrote."""
        table = value | {"data": [list(row) for row in value["data"]]}
        for segment in segments:
            if segment.path == "caption":
                table["table_caption"] = segment.render_text()
            else:
                row, column = map(int, segment.path.split("-"))
                table["data"][row][column] = segment.render_text()
        return table

    class Meta:
        icon = "table"
        label = _("Table")
        template = "pages/blocks/table.html"


class QuestionBlock(blocks.StructBlock):
    """A question as somebody would ask it, and its answer."""

    question = blocks.CharBlock(label=_("Question"), max_length=200)
    answer = TextBlock(label=_("Answer"))

    class Meta:
        icon = "help"
        label = _("Question")
        template = "pages/blocks/question.html"


class QuestionsBlock(blocks.StructBlock):
    """Questions whose answers unfold."""

    title = blocks.CharBlock(label=_("Title"), required=False, max_length=120)
    questions = blocks.ListBlock(QuestionBlock(), label=_("Questions"), min_num=1)

    class Meta:
        icon = "help"
        label = _("Questions")
        template = "pages/blocks/questions.html"


class FiguresBlock(blocks.StructBlock):
    """Up to four numbers that matter, and where they come from."""

    figures = blocks.ListBlock(
        blocks.StructBlock([("number", blocks.CharBlock(label=_("Number"), max_length=20)), ("label", blocks.CharBlock(label=_("Of what"), max_length=80))]),
        label=_("Figures"), min_num=1, max_num=4,
    )  # fmt: skip
    source = blocks.CharBlock(label=_("Source"), required=False, max_length=160)

    class Meta:
        icon = "order"
        label = _("Key figures")
        template = "pages/blocks/figures.html"


class ContactBlock(blocks.StructBlock):
    """Whom to ask."""

    name = blocks.CharBlock(label=_("Person or office"), max_length=120)
    role = blocks.CharBlock(label=_("What they help with"), required=False, max_length=160)
    phone = blocks.CharBlock(label=_("Phone"), required=False, max_length=40)
    email = blocks.EmailBlock(label=_("E-mail"), required=False)
    hours = blocks.CharBlock(label=_("When"), required=False, max_length=120)

    class Meta:
        icon = "user"
        label = _("Contact")
        template = "pages/blocks/contact.html"


class VideoBlock(blocks.StructBlock):
    """A link to a video: nothing of somebody else's is loaded into our page."""

    title = blocks.CharBlock(label=_("Title"), max_length=160)
    url = blocks.URLBlock(label=_("Address"))
    minutes = blocks.IntegerBlock(label=_("Minutes"), required=False, min_value=1, max_value=600)
    language = blocks.ChoiceBlock(label=_("Spoken language"), choices=LANGUAGES, required=False)
    subtitles = blocks.CharBlock(
        label=_("Subtitles"), required=False, max_length=80, help_text=_("For example: Catalan and Spanish. Videos without subtitles leave people out.")
    )

    class Meta:
        icon = "media"
        label = _("Video")
        template = "pages/blocks/video.html"


class BodyBlock(blocks.StreamBlock):
    """A page's text. Every heading has an anchor of its own once it is saved."""

    heading = HeadingBlock()
    text = TextBlock(label=_("Text"))
    steps = StepsBlock()
    callout = CalloutBlock()
    quote = QuoteBlock()
    picture = PictureBlock()
    document = DocumentBlock()
    button = ButtonBlock()
    table = TableBlock(label=_("Table"))
    questions = QuestionsBlock()
    figures = FiguresBlock()
    contact = ContactBlock()
    video = VideoBlock()

    def clean(self, value: StreamValue, *args: object, **kwargs: object) -> StreamValue:
        """Anchors: filled in where empty, refused where two headings have the same."""
        cleaned = super().clean(value, *args, **kwargs)
        name_anchors(cleaned, "heading", "text")
        return cleaned

    class Meta:
        template = "pages/blocks/body.html"
        block_counts: dict = {}


def name_anchors(stream: StreamValue, kind: str, title: str) -> None:
    """Give every block `kind` an anchor made from its `title`; complain at those that share one."""
    places = [(number, block.value) for number, block in enumerate(stream) if block.block_type == kind]
    given = [value.get("anchor") or "" for _number, value in places]
    if twice := anchors.repeated(given):
        message = _now("Another heading of this page has the same name for links.")
        raise StreamBlockValidationError(
            {
                number: StructBlockValidationError({"anchor": ValidationError(message, code="repeated")})
                for number, value in places
                if value.get("anchor") in twice
            }
        )
    for (_number, value), name in zip(places, anchors.filled(given, [value[title] for _n, value in places]), strict=True):
        value["anchor"] = name


#: For `BodyField(BODY_BLOCKS)`: the same blocks wherever there is a text.
BODY_BLOCKS = BodyBlock
