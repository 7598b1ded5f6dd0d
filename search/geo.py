"""Distances on the globe."""

from math import asin, cos, radians, sin, sqrt

#: Elasticsearch's mean radius, so that both engines see the same kilometres.
EARTH_RADIUS_KM = 6371.0087714


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres between two points (latitude, longitude in degrees) by the haversine formula."""
    latitude, longitude, other_latitude, other_longitude = map(radians, (*one, *other))
    a = sin((other_latitude - latitude) / 2) ** 2 + cos(latitude) * cos(other_latitude) * sin((other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(a)))
