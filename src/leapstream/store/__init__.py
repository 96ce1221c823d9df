"""A store of models: immutable versions with checksums, signatures and contracts, and aliases that move between them."""

from leapstream.store.aliases import Alias, AliasedVersion, Selection
from leapstream.store.manifest import Lineage, StoredFile, Version
from leapstream.store.models import ModelStore
from leapstream.store.past import Change

__all__ = ["Alias", "AliasedVersion", "Change", "Lineage", "ModelStore", "Selection", "StoredFile", "Version"]
