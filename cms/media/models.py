"""The site's pictures and documents, in place of Wagtail's own: a description is required, and nothing unchecked is stored."""

from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext_lazy as _
from taggit.managers import TaggableManager
from wagtail.documents.models import AbstractDocument
from wagtail.images.models import AbstractImage, AbstractRendition, Filter, WagtailImageField, WagtailImageFieldFile, get_upload_to
from wagtail.search import index

from . import contents, pictures
from .names import safe_stem


def uploader() -> models.ForeignKey:
    """Who uploaded a file. Wagtail's own models have the same names as ours, so ours leave no way back from the person."""
    field = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("uploaded by"))
    field.wagtail_reference_index_ignore = True
    return field


def _close(file: FieldFile) -> None:
    """Close a stored file that Wagtail opened to read its size; one that is still to be stored stays open."""
    if file._committed:  # noqa: SLF001 - Django has no other name for it
        file.close()


class PictureFile(WagtailImageFieldFile):
    """A picture on its way into the storage."""

    def get_image_dimensions(self) -> tuple[int, int]:
        """Width and height, read from nothing but pictures; ValidationError for an upload that is none."""
        if not self._committed and not isinstance(self.file, pictures.Picture):
            pictures.check(self.file)
        return super().get_image_dimensions()

    def save(self, name: str, content: File, save: bool = True) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Store it re-encoded, whichever form, import or view brought it: Wagtail's upload of several files skips the form's own field.

        ValidationError for what is no picture.
        """
        content.name = content.name or name
        safe = pictures.normalised(content, name)
        super().save(safe.name, safe, save=save)


class PictureField(WagtailImageField):
    """An image field that stores only what `pictures.normalised` made."""

    attr_class = PictureFile


class Image(AbstractImage):
    """A picture, with the words for those who do not see it and the name of who made it."""

    file = PictureField(_("file"), upload_to=get_upload_to, width_field="width", height_field="height")
    description = models.CharField(
        _("description"), max_length=255,
        help_text=_("What is to be seen, for people who do not see it: “Two women at the counter of the office”. Not “photo of”."),
    )  # fmt: skip
    credit = models.CharField(_("credit"), max_length=120, blank=True, help_text=_("Who made the picture, and its licence if there is one. Shown below it."))

    uploaded_by_user = uploader()
    tags = TaggableManager(help_text=None, blank=True, verbose_name=_("tags"), related_name="pictures")

    admin_form_fields = (
        "title", "file", "description", "credit", "collection", "tags",
        "focal_point_x", "focal_point_y", "focal_point_width", "focal_point_height",
    )  # fmt: skip
    search_fields = [*AbstractImage.search_fields, index.SearchField("credit")]

    class Meta(AbstractImage.Meta):
        verbose_name, verbose_name_plural = _("picture"), _("pictures")

    def generate_rendition_file(self, filter: Filter, *, source: File | None = None) -> File:  # noqa: A002 - Wagtail's name
        """A size of the picture; Wagtail leaves its temporary file open."""
        with super().generate_rendition_file(filter, source=source) as temporary:
            temporary.seek(0)
            return ContentFile(temporary.read(), name=temporary.name)

    def _set_image_file_metadata(self) -> None:
        super()._set_image_file_metadata()
        _close(self.file)


class Rendition(AbstractRendition):
    """A picture in one size and format."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="renditions")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image", "filter_spec", "focal_point_key"], name="one_rendition_of_a_picture")]

    def get_upload_to(self, filename: str) -> str:
        """With the picture's own sum in front: browsers keep a size for a year, so another picture must never get its name."""
        return super().get_upload_to(f"{self.image.file_hash[:10]}-{filename}" if self.image.file_hash else filename)


def document_path(document: "Document", filename: str) -> str:
    """Where a document is stored: the readable part of its name stays, for it is part of the address."""
    return f"documents/{safe_stem(filename)}{PurePath(filename).suffix.lower()}"


class Document(AbstractDocument):
    """A file to read or fill in, and what people need to know before they fetch it."""

    file = models.FileField(_("file"), upload_to=document_path, validators=[contents.check])
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True, help_text=_("Leave it empty if it has none or several."))
    accessible = models.BooleanField(
        _("can be read with a screen reader"), default=False,
        help_text=_("A tagged PDF or a document with real headings, alternative texts and tables with headers. A scan is not."),
    )  # fmt: skip
    other_form = models.CharField(
        _("how to get it in another form"), max_length=200, blank=True,
        help_text=_("For who cannot read this file: “Ask for it at the office or at 93 000 00 00”. Required if no screen reader can read it."),
    )  # fmt: skip

    uploaded_by_user = uploader()
    tags = TaggableManager(help_text=None, blank=True, verbose_name=_("tags"), related_name="files")

    admin_form_fields = ("title", "file", "language", "accessible", "other_form", "collection", "tags")
    search_fields = [*AbstractDocument.search_fields, index.FilterField("language")]

    class Meta(AbstractDocument.Meta):
        """Who may do what with documents and pictures is asked of Wagtail's own models' permissions."""

    def _set_document_file_metadata(self) -> None:
        super()._set_document_file_metadata()
        _close(self.file)

    def clean(self) -> None:
        """A document that not everybody can read names another way; what the file holds is checked by its field."""
        if not self.accessible and not self.other_form:
            raise ValidationError({"other_form": _("Not everybody can read this file. Write how they get its content otherwise.")})
