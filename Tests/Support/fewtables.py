"""Fixtures: four small tables with a prefix that no other test has."""

from __future__ import annotations

import uuid

import pytest

import folders
import tables
from items import keyed, random_items


@pytest.fixture
def prefix() -> str:
    return f"p{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def few(source, prefix):
    """Four small tables, two with a tag."""
    names = [prefix + name for name in ("a", "b", "c", "d")]
    for place, name in enumerate(names):
        more = {"Tags": [{"Key": "team", "Value": "pay" if place == 1 else "ship"}]} if place else {}
        tables.create(source.client, name, **more)
        tables.put_all(source.client, name, keyed(random_items(30, seed=60 + place)))
    yield names
    folders.remove(source.client, names)
