"""The group of all commands; the file of a command is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

from ashflow import __version__
from ashflow.cli.failure import colour

_COMMANDS: Final = {
    "init": "ashflow.cli.init",
    "codegen": "ashflow.cli.codegen",
    "generate-migrations": "ashflow.cli.codegen",
    "migrate": "ashflow.cli.migrate",
    "rollback": "ashflow.cli.rollback",
    "regen": "ashflow.cli.regen",
    "undo": "ashflow.cli.undo",
    "recover": "ashflow.cli.recover",
    "status": "ashflow.cli.status",
    "check": "ashflow.cli.check",
    "hook": "ashflow.cli.hook",
    "create": "ashflow.cli.databases",
    "drop": "ashflow.cli.databases",
    "setup": "ashflow.cli.databases",
    "reset": "ashflow.cli.databases",
}


class Commands(click.Group):
    """A group that knows where its commands are, and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """Return the names, in the order in which a reader meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of a command and return the command."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = import_module(_COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command; a name that is none is answered with those that there are."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(
                f"there is no command {args[0]!r}; there are: {', '.join(_COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", message="ashflow %(version)s")
@click.pass_context
def ashflow(ctx: click.Context) -> None:
    """Declare tables as resources, generate migrations from them, change your mind, lose nothing.

    A day with it:

    \b
    ashflow codegen create_teams   write a migration from the resources
    ashflow migrate                run it
    ashflow regen create_teams -m  changed the resources again? write it anew
    ashflow status                 see what stands where
    """  # noqa: D301  (click keeps the lines of a paragraph that begins with a backspace)
    ctx.color = colour()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)
