"""Triggers that keep the audit trail append-only: nothing is changed, and only what an anchor stands for is removed.

Input: the tables. Output: DDL that runs when they are made. Whoever owns the tables can drop the triggers: they stop
mistakes and stolen service accounts without that right; the hash chain is what shows the rest.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import DDL, FromClause, Table, event

_SAID = "the audit trail is append-only"
_ANCHORED = "EXISTS (SELECT 1 FROM audit_anchor WHERE chain = OLD.chain AND sequence >= OLD.sequence)"
_SQLITE = (
    # Of a trail that was begun before there were anchors.
    "DROP TRIGGER IF EXISTS audit_entry_no_delete",
    "DROP TRIGGER IF EXISTS audit_entry_no_update",
    f"CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    f"CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry WHEN NOT {_ANCHORED} "
    f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    f"CREATE TRIGGER audit_anchor_no_update BEFORE UPDATE ON audit_anchor BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    f"CREATE TRIGGER audit_anchor_no_delete BEFORE DELETE ON audit_anchor BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
    f"RAISE EXCEPTION '{_SAID}'; END $body$",
    "CREATE OR REPLACE FUNCTION audit_entry_removal() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN "
    f"IF {_ANCHORED} THEN RETURN OLD; END IF; RAISE EXCEPTION '{_SAID}'; END $body$",
    "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
    "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
    "FOR EACH ROW EXECUTE FUNCTION audit_entry_removal()",
    "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    "CREATE TRIGGER audit_anchor_no_change BEFORE UPDATE OR DELETE ON audit_anchor "
    "FOR EACH ROW EXECUTE FUNCTION audit_append_only()",
)


def guard(*, entries: FromClause, anchors: FromClause) -> None:
    """Has the triggers made together with the table of anchors, which is made after that of entries."""
    if not isinstance(entries, Table) or not isinstance(anchors, Table):
        raise TypeError("not tables")
    anchors.add_is_dependent_on(entries)
    for dialect, statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
        for statement in statements:
            ddl: Any = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
            event.listen(anchors, "after_create", ddl.execute_if(dialect=dialect))
