"""Each engine as the contract sees it: empty, alone, and gone afterwards."""

import uuid

import pytest

from search.backends import elastic
from search.backends.embedded import EmbeddedBackend
from search.documents import Write


def write(backend, *documents, force=False):
    return backend.write([Write(d.uid, d.version, d) for d in documents], force=force)


@pytest.fixture
def embedded_backend(tmp_path):
    backend = EmbeddedBackend(tmp_path / "index")
    backend.create()
    return backend


@pytest.fixture
def elastic_backend(elasticsearch_url):
    client = elastic.connect(elasticsearch_url)
    backend = elastic.ElasticBackend(client, f"test-{uuid.uuid4().hex[:12]}")
    backend.create()
    yield backend
    backend.remove()
    client.close()


@pytest.fixture(params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.needs("elasticsearch"))])
def backend(request):
    return request.getfixturevalue("embedded_backend" if request.param == "embedded" else "elastic_backend")
