"""Our own node, and the partners it exchanges listings with."""

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.companies.models import Place, Sector
from marketplace.core.models import BaseModel, new_uid
from marketplace.federation.enums import PartnerState, ReaderKind
from marketplace.rest.models import ApiClient


class Node(models.Model):
    """Who this marketplace is to its partners: one row, made when it is first asked for. Its id never changes."""

    uid = models.UUIDField(unique=True, editable=False)

    def __str__(self) -> str:
        return str(self.uid)

    @classmethod
    def own_uid(cls) -> uuid.UUID:
        """The id of this node."""
        return cls.objects.get_or_create(pk=1, defaults={"uid": new_uid()})[0].uid


class Partner(BaseModel):
    """A marketplace or an office whose listings we take, to whom we give ours, or both."""

    name = models.CharField(_("name"), max_length=160, unique=True)
    base_url = models.URLField(_("address"), max_length=500, help_text=_("Where the partner is on the web, like https://marketplace.example.org."))
    # Hosts beside that of `base_url` from which its listings may come, one a line.
    more_hosts = models.TextField(_("more hosts"), blank=True)
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=PartnerState, default=PartnerState.NEW)
    # The id under which it presents itself (protocol only); ours are told from theirs by it.
    node_uid = models.UUIDField(_("node id"), null=True, blank=True, unique=True)
    # What its /.well-known/marketplace-federation said last: JSON object.
    discovery = models.JSONField(_("how it presents itself"), default=dict, blank=True)
    # Their key to us: hangs on the client. Our key to them: sealed, see core.sealing.
    client = models.OneToOneField(ApiClient, models.SET_NULL, null=True, blank=True, related_name="partner")
    sealed_key = models.TextField(blank=True, editable=False)

    # What we take, and how it is read.
    reader = models.CharField(_("what it has"), max_length=10, choices=ReaderKind, default=ReaderKind.PROTOCOL)
    reader_options = models.JSONField(_("how to read it"), default=dict, blank=True)
    harvest_minutes = models.PositiveIntegerField(_("minutes between two visits"), default=60)
    publishes = models.BooleanField(
        _("its listings are public at once"), default=True, help_text=_("Otherwise each waits for the Innovation Service, like those of companies here.")
    )
    take_kinds = models.JSONField(_("kinds to take"), default=list, blank=True, help_text=_("None: all."))
    take_sectors = models.ManyToManyField(Sector, blank=True, related_name="+", verbose_name=_("sectors to take"))
    take_places = models.ManyToManyField(Place, blank=True, related_name="+", verbose_name=_("municipalities to take"))
    default_sector = models.ForeignKey(Sector, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sector where it says none"))
    default_place = models.ForeignKey(Place, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("municipality where it says none"))
    default_language = models.CharField(_("language where it says none"), max_length=2, choices=settings.LANGUAGES, default="ca")

    # What we give. `gives_version` rises with every change of it: a reader's cursor of before is worth nothing then.
    gives = models.BooleanField(_("may read our listings"), default=False)
    give_kinds = models.JSONField(_("kinds to give"), default=list, blank=True, help_text=_("None: all."))
    give_sectors = models.ManyToManyField(Sector, blank=True, related_name="+", verbose_name=_("sectors to give"))
    give_places = models.ManyToManyField(Place, blank=True, related_name="+", verbose_name=_("municipalities to give"))
    gives_version = models.PositiveIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name, verbose_name_plural = _("partner"), _("partners")
        permissions = [("manage_partners", "Can connect and look after partner marketplaces")]

    def __str__(self) -> str:
        return self.name

    @property
    def hosts(self) -> list[str]:
        """The hosts (with their port, if it is not the usual one) to which requests for this partner may go."""
        return list(dict.fromkeys(filter(None, [urlsplit(self.base_url).netloc.lower(), *(line.strip().lower() for line in self.more_hosts.splitlines())])))
