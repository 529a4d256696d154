"""What a migration file says, as a value."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import TYPE_CHECKING

from ashflow.change.operations import Execute, Fill, Operation, Run
from ashflow.change.reverse import reverse_all
from ashflow.values import value

if TYPE_CHECKING:
    from collections.abc import Sequence


@value
class Migration:
    """What a migration file says.

    Args:
        operations: What is done on the way up, in order; the way down is derived.
        transaction: Whether it runs in one transaction; only what a database refuses in one
            (`VACUUM`) is a reason to say no.
        foreign_keys: Whether foreign keys are enforced while it runs, so that deletes cascade;
            then it may change rows only.
    """

    operations: Sequence[Operation] = ()
    _: KW_ONLY
    transaction: bool = True
    foreign_keys: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "operations", tuple(self.operations))
        for operation in self.operations:
            if not isinstance(operation, Operation):
                raise TypeError(f"{operation!r} is no operation")
            if self.foreign_keys and not isinstance(operation, Fill | Execute | Run):
                raise ValueError(
                    f"{type(operation).__name__} in a migration with foreign_keys=True, which may "
                    "change no tables; put it into a migration of its own"
                )

    @property
    def down(self) -> tuple[Operation, ...]:
        """The operations of the way down.

        Raises:
            IrreversibleError: One of them has no reverse.
        """
        return reverse_all(self.operations)
