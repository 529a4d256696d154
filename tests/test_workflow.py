"""Whatever is done in whatever order: the database is what the files say, and no row is gone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from workflow import Attribute, Checkout, Declared

LONG = settings.default.max_examples > 100
DAYS = settings(
    max_examples=150 if LONG else 8,
    stateful_step_count=30 if LONG else 12,
    suppress_health_check=list(HealthCheck),
)
TABLES = ("alpha", "beta", "gamma")
NAMES = ("color", "note", "size")
DROPS = ("--drop-columns", "--drop-tables")
HAND = '''\
"""By hand."""

from ashflow.migration import Execute, Migration

migration = Migration(operations=[{operation}])
'''

tables = st.sampled_from(TABLES)
names = st.sampled_from(NAMES)
attributes = st.builds(
    Attribute, st.sampled_from(["str", "int"]), null=st.booleans(), default=st.booleans()
)
flags = st.sampled_from([DROPS, DROPS, ("--drop-columns",), ()])
scopes = st.sampled_from([(), (), (), ("--staged",), ("--since", "main"), ("--discard-edits",)])
mostly = st.sampled_from([True, True, True, False])


# ------------------------------------------------------------------ how resources change
def puts_a_table(declared, name, columns, raw):
    declared.setdefault(name, Declared(columns, raw=raw))


def drops_a_table(declared, name):
    declared.pop(name, None)
    refer(declared, name, "")


def renames_a_table(declared, old, new):
    if old in declared and new not in declared:
        declared[new] = declared.pop(old)
        refer(declared, old, new)


def puts_a_column(declared, table, name, attribute):
    if table in declared:
        declared[table].columns[name] = attribute


def drops_a_column(declared, table, name):
    if table in declared and declared[table].columns.pop(name, None):
        forget(declared[table], name)


def renames_a_column(declared, table, old, new):
    columns = declared[table].columns if table in declared else {}
    if old in columns and new not in columns:
        columns[new] = columns.pop(old)
        forget(declared[table], old)


def toggles_an_index(declared, table, member, name):
    if table in declared and name in declared[table].columns:
        setattr(declared[table], member, "" if getattr(declared[table], member) else name)


def toggles_a_member(declared, table, member):
    if table in declared:
        setattr(declared[table], member, not getattr(declared[table], member))


def toggles_a_parent(declared, table, parent):
    if table in declared and parent in declared:
        declared[table].parent = "" if declared[table].parent else parent


def refer(declared, old, new):
    """Have those who refer to a table refer to another one, or to none."""
    for table in declared.values():
        table.parent = new if table.parent == old else table.parent


def forget(table, column):
    """Take away what is said of a column that is no more."""
    table.unique = "" if table.unique == column else table.unique
    table.indexed = "" if table.indexed == column else table.indexed


columns = st.dictionaries(names, attributes, max_size=2)
edits = st.one_of(
    st.tuples(st.just(puts_a_column), tables, names, attributes),
    st.tuples(st.just(drops_a_column), tables, names),
    st.tuples(st.just(renames_a_column), tables, names, names),
    st.tuples(st.just(toggles_an_index), tables, st.sampled_from(["unique", "indexed"]), names),
    st.tuples(st.just(toggles_a_member), tables, st.sampled_from(["checked", "raw"])),
    st.tuples(st.just(toggles_a_parent), tables, tables),
    st.tuples(st.just(puts_a_table), tables, columns, st.booleans()),
    st.tuples(st.just(drops_a_table), tables),
    st.tuples(st.just(renames_a_table), tables, tables),
)


class Workflow(RuleBasedStateMachine):
    """A developer who does everything, in any order."""

    def __init__(self, forge):
        super().__init__()
        self.at = Checkout.made(forge)
        self.branches = ["main"]
        self.stashed = False

    def teardown(self):
        self.at.remove()

    @initialize(columns=columns, more=columns, raw=st.booleans())
    def begins(self, columns, more, raw):
        self.at.declare({"alpha": Declared(columns), "beta": Declared(more, raw=raw)})
        self.generates((), False, True)
        self.at.commit()
        self.writes_rows(set(), False)

    @rule(edits=st.lists(edits, min_size=1, max_size=3))
    def changes(self, edits):
        declared = self.at.declared
        for deed, *arguments in edits:
            deed(declared, *arguments)
        self.at.declare(declared)

    @rule(edits=st.lists(edits, min_size=1, max_size=3), flags=flags, renames=st.booleans())
    def changes_and_migrates(self, edits, flags, renames):
        self.changes(edits)
        self.generates(flags, renames, True)
        self.writes_rows(set(), False)

    @rule(edits=st.lists(edits, max_size=3), flags=flags, renames=st.booleans())
    def changes_and_regenerates(self, edits, flags, renames):
        self.changes(edits)
        self.regenerates(True, flags, (), renames, True)
        self.writes_rows(set(), False)

    # -------------------------------------------------------------- the commands
    @rule(flags=flags, renames=st.booleans(), migrate=st.booleans())
    def generates(self, flags, renames, migrate):
        self.at.change("codegen", self.at.name(), *flags, renames=renames)
        if migrate:
            self.at.run("migrate")

    @rule(back=mostly)
    def writes_one_by_hand(self, back):
        name = self.at.name()
        by_hand(self.at, name, f', down="DROP TABLE {name}"' if back else "")

    @rule()
    def migrates(self):
        self.at.run("migrate")

    @rule(step=st.integers(1, 3))
    def rolls_back(self, step):
        self.at.run("rollback", "-n", str(step))

    @rule(
        migrate=st.booleans(),
        flags=flags,
        scope=scopes,
        renames=st.booleans(),
        sure=mostly,
    )
    def regenerates(self, migrate, flags, scope, renames, sure):
        given = ["-m"] * migrate + ["--yes"] * sure
        self.at.change("regen", self.at.name(), *given, *flags, *scope, renames=renames)

    @rule()
    def takes_it_back(self):
        self.at.run("undo")

    @rule(
        edits=st.lists(edits, max_size=3),
        flags=flags,
        scope=scopes,
        migrate=st.booleans(),
        renames=st.booleans(),
    )
    def changes_its_mind(self, edits, flags, scope, migrate, renames):
        self.changes(edits)
        before = self.at.things()
        self.regenerates(migrate, flags, scope, renames, True)
        if self.at.things() != before:
            said = self.at.run("undo")
            if "no way down" not in said.err:  # what was pending and by hand is applied too
                assert said.code == 0, said
                assert self.at.things() == before

    @rule(
        deed=st.sampled_from(["regen", "regen -m", "undo", "migrate", "rollback"]),
        edits=st.lists(edits, max_size=2),
        chance=st.integers(1, 40),
        again=st.integers(0, 20),
    )
    def is_killed(self, deed, edits, chance, again):
        self.changes(edits)
        arguments = deed.split()
        if arguments[0] == "regen":
            arguments += [self.at.name(), "--yes", "--no-renames"]
        if self.at.run(*arguments, kill=chance).code >= 0:
            return
        if again:
            self.at.run("recover", kill=again)
        said = self.at.run("recover")
        assert said.code == 0, said

    # -------------------------------------------------------------- git
    @rule(add=st.booleans())
    def commits(self, add):
        self.at.git("add", "--all")
        if not add:
            self.at.commit()

    @rule(to=st.integers(0, 5))
    def switches(self, to):
        if to < len(self.branches):
            self.at.git("switch", "--quiet", self.branches[to])
        else:
            self.branches.append(f"branch-{to}")
            self.at.git("switch", "--quiet", "--create", self.branches[-1])

    @rule()
    def stashes_or_pops(self):
        if not self.stashed:
            self.stashed = self.at.stash()
        elif not self.at.asked("status", "--porcelain"):
            self.at.pop()
            self.stashed = False

    # -------------------------------------------------------------- rows
    @rule(nulls=st.sets(names), skipped=st.booleans())
    def writes_rows(self, nulls, skipped):
        for table in self.at.tables():
            self.at.insert(table, nulls, skipped)

    @rule(table=tables)
    def deletes_a_row(self, table):
        if table in self.at.tables():
            self.at.delete(table)

    @invariant()
    def all_is_true(self):
        self.at.check()


def by_hand(at, name, down):
    """Write a migration by hand that makes a table."""
    if at.run("codegen", name, "--empty").code:
        return
    (path,) = (at.root / "priv/repo/migrations").glob(f"*_{name}.py")
    operation = f'Execute(up="CREATE TABLE {name} (token TEXT)"{down})'
    path.write_text(HAND.format(operation=operation))


@pytest.fixture
def at(forge):
    """A checkout with nothing in it."""
    checkout = Checkout.made(forge)
    yield checkout
    checkout.remove()


def test_whatever_is_done_the_files_are_true_and_no_row_is_gone(forge):
    run_state_machine_as_test(lambda: Workflow(forge), settings=DAYS)


def test_a_killed_command_is_ended_and_a_row_survives(at):
    at.declare({"alpha": Declared({"color": Attribute("str")})})
    at.change("codegen", at.name())
    at.run("migrate")
    at.insert("alpha")
    assert len(at.marks()) == 2
    assert at.run("regen", at.name(), "-m", "--yes", kill=40).code < 0
    assert at.run("recover").code == 0
    at.check()


def test_an_undo_of_an_undo_says_why_not_when_all_is_rolled_back(at):
    at.declare({"alpha": Declared()})
    at.change("regen", at.name(), "-m", "--yes")
    at.run("undo")
    at.change("codegen", at.name())
    at.run("migrate")
    at.run("rollback")
    assert at.run("undo").code == 2


def test_rows_of_a_table_that_a_dropped_statement_made_come_back_with_an_undo(at):
    at.declare({"alpha": Declared(raw=True)})
    at.change("codegen", at.name())
    at.run("migrate")
    at.commit()
    at.insert("alpha_raw")
    at.declare({"alpha": Declared()})
    before = at.things()
    at.change("regen", at.name(), "-m", "--yes")
    at.run("undo")
    assert at.things() == before


def test_an_undo_of_a_rename_onto_a_column_that_was_there_brings_both_back(at):
    text = Attribute("str")
    at.declare({"alpha": Declared({"color": text})})
    at.change("codegen", at.name())
    at.run("migrate")
    at.commit()
    at.declare({"alpha": Declared({"color": text, "size": text})})
    at.change("codegen", at.name())
    at.run("migrate")
    at.insert("alpha")
    at.declare({"alpha": Declared({"size": text})})
    before = at.things()
    at.run("regen", at.name(), "-m", "--yes", "--drop-columns", "--rename", "alpha.color=size")
    at.run("undo")
    assert at.things() == before


def test_an_undo_that_is_really_run_brings_a_column_back_that_is_not_null(at):
    at.declare({"alpha": Declared({"size": Attribute("str", null=False)})})
    at.change("codegen", at.name())
    at.run("migrate")
    at.commit()
    at.insert("alpha")
    by_hand(at, "hand", ', down="DROP TABLE hand"')
    at.run("migrate")
    at.declare({"alpha": Declared()})
    before = at.things()
    said = at.change("regen", at.name(), "-m", "--yes", "--drop-columns", "--discard-edits")
    assert said.code == 0, said
    said = at.run("undo")
    assert said.code == 0, said
    assert at.things() == before
