"""A store of models: immutable versions with checksums, signatures and contracts, and aliases that move between them."""

from leapstream.store.manifest import StoredFile, Version
from leapstream.store.models import Alias, ModelStore
from leapstream.store.past import Change

__all__ = ["Alias", "Change", "ModelStore", "StoredFile", "Version"]
