"""The commands of ``leapstream store`` and their options. What they do is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from leapstream.cli.console import takes_storage_options

store_app = typer.Typer(help="Look at the models of a store, and move their aliases.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Model = Annotated[str, typer.Argument(metavar="STORE/NAME", help="A model of a store.")]
_Version = Annotated[
    str,
    typer.Argument(metavar="STORE/NAME@VERSION", help="A version of a model, an alias, or 'latest', the highest one."),
]
_Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="The alias.")]


@store_app.command("list", help="List the models of a store.")
@takes_storage_options
def _list(
    place: Annotated[str, typer.Argument(metavar="STORE", help="The folder or URI of a store.")], as_json: _Json = False
) -> None:
    from leapstream.cli.store import show_models

    show_models(place, as_json=as_json)


@store_app.command("show", help="Show the versions of a model, or a single version.")
@takes_storage_options
def _show(
    model: Annotated[str, typer.Argument(metavar="STORE/NAME[@VERSION]", help="A model, or a version or alias of it.")],
    as_json: _Json = False,
) -> None:
    from leapstream.cli.store import show_model

    show_model(model, as_json=as_json)


@store_app.command("history", help="Show who published versions and moved aliases, and when.")
@takes_storage_options
def _history(model: _Model, as_json: _Json = False) -> None:
    from leapstream.cli.store import show_history

    show_history(model, as_json=as_json)


@store_app.command(
    "alias", help="Let an alias stand for a version, or for several by weights; one that is there moves."
)
@takes_storage_options
def _set_alias(
    model: Annotated[
        str,
        typer.Argument(
            metavar="STORE/NAME[@VERSION]", help="A version of a model, an alias, or 'latest'; a model with --weights."
        ),
    ],
    alias: _Alias,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION=N,…", help="Split the rows among these versions by their keys, such as v7=90,v8=10."
        ),
    ] = None,
    shadow: Annotated[
        list[str] | None,
        typer.Option(metavar="VERSION", help="Compute this version beside, without answering by it (repeatable)."),
    ] = None,
    as_json: _Json = False,
) -> None:
    from leapstream.cli.store import set_alias

    set_alias(model, alias, weights, shadow or (), as_json=as_json)


@store_app.command("unalias", help="Remove an alias.")
@takes_storage_options
def _remove_alias(model: _Model, alias: _Alias, as_json: _Json = False) -> None:
    from leapstream.cli.store import remove_alias

    remove_alias(model, alias, as_json=as_json)


@store_app.command("rollback", help="Set an alias to what it stood for before.")
@takes_storage_options
def _rollback(model: _Model, alias: _Alias, as_json: _Json = False) -> None:
    from leapstream.cli.store import rollback

    rollback(model, alias, as_json=as_json)


@store_app.command(
    "check", help="Verify a version, or all versions of an alias: checksum, signature, and the rows of its contract."
)
@takes_storage_options
def _check(version: _Version, as_json: _Json = False) -> None:
    from leapstream.cli.store import check

    check(version, as_json=as_json)


@store_app.command("remove", help="Remove a version for good, or what a publisher that was killed has left of one.")
@takes_storage_options
def _remove(version: _Version, as_json: _Json = False) -> None:
    from leapstream.cli.store import remove

    remove(version, as_json=as_json)


def add_short_names(app: typer.Typer) -> None:
    """Add the commands that are used most without the word ``store`` before them."""
    app.command("versions", help="Show the versions of a model in a store; 'store show' for short.")(_show)
    app.command("alias", help="Let an alias stand for a version; 'store alias' for short.")(_set_alias)
    app.command("rollback", help="Set an alias to what it stood for before; 'store rollback' for short.")(_rollback)
