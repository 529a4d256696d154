"""`ashflow init`: make a project of a folder."""

from __future__ import annotations

from typing import Any

import click

from ashflow.cli.options import common
from ashflow.cli.output import Output
from ashflow.config import current_folder


@click.command(short_help="Make a project of this folder.", epilog="Example: ashflow init --sample")
@click.option("--sample", is_flag=True, help="Write a first resource to begin with.")
@common
def init(*, sample: bool, **options: Any) -> int:
    """Add [tool.ashflow] to pyproject.toml, and the folders and the ignore line that go with it."""
    from ashflow.project.init import start

    output = Output(options["as_json"], options["quiet"])
    written = start(current_folder(), sample=sample)
    for path in written:
        output.result(f"wrote {path}")
    if not written:
        output.result("nothing to do: this is a project already")
    elif sample:
        output.result("next: ashflow codegen create_workshop, then ashflow migrate")
    else:
        output.result('next: name your modules in domains, such as ["shop.resources"]')
    output.data({"written": written})
    return 0
