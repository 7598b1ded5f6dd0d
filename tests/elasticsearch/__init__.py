"""A real Elasticsearch node for tests and development, without Docker (see node.py)."""
