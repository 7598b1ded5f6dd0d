"""Every address of the public API: composition only."""

urlpatterns = []
