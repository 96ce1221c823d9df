"""Looks for circles among the imports of leapstream's modules; `make imports` runs it.

Every import counts: at the head of a module, inside of a function, and for type checkers alone.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set

import grimp

Imports = Mapping[str, Set[str]]


def imports_of(package: str) -> Imports:
    """The modules of a package that each of its modules imports."""
    graph = grimp.build_graph(package, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}


def circles(imports: Imports) -> list[list[str]]:
    """Circles as chains of modules, the first one again at the end; each module that is in one is in one of the chains."""
    found: list[list[str]] = []
    for module in imports:
        chain = None if any(module in other for other in found) else _way_back(module, imports)
        if chain is not None:
            found.append(chain)
    return found


def _way_back(module: str, imports: Imports) -> list[str] | None:
    """The shortest chain of imports from a module to itself."""
    chains = {module: [module]}
    waiting = [module]
    for current in waiting:
        for imported in sorted(imports[current]):
            if imported == module:
                return [*chains[current], module]
            if imported not in chains:
                chains[imported] = [*chains[current], imported]
                waiting.append(imported)
    return None


def main() -> int:
    """Print the circles; 1 when there are some."""
    imports = imports_of("leapstream")
    found = circles(imports)
    for chain in found:
        print("circle: " + " -> ".join(chain))
    print(f"{len(imports)} modules, {sum(map(len, imports.values()))} imports, {len(found)} circles")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
