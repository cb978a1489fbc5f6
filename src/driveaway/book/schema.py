"""The tables of the book, once, for both stores; triggers say what the database itself refuses."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

metadata = MetaData()
# SQLite's rowid alias must be declared INTEGER; PostgreSQL needs eight bytes.
_Seq = BigInteger().with_variant(Integer, "sqlite")

fact = Table(
    "fact",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("happened", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("replaces", BigInteger),
    Column("simulated", Boolean(create_constraint=False), nullable=False),
    Column("body", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    # Made by ``source_key``: an index over it dirties a fraction of the pages.
    Column("source_key", BigInteger, nullable=False),
)
# PostgreSQL has a unique index over the whole source instead (below).
Index("fact_source_key", fact.c.source_key).ddl_if(dialect="sqlite")
Index("fact_subject", fact.c.subject)
Index(
    "fact_erasure",
    fact.c.subject,
    sqlite_where=fact.c.kind == "subject.erased",
    postgresql_where=fact.c.kind == "subject.erased",
)
Index(
    "fact_replaces",
    fact.c.replaces,
    unique=True,
    sqlite_where=fact.c.replaces.is_not(None),
    postgresql_where=fact.c.replaces.is_not(None),
)

secret = Table(
    "fact_secret",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("personal", Text),
)
key = Table(
    "fact_key",
    metadata,
    Column("key", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
edge = Table(
    "book_edge",
    metadata,
    Column("only", SmallInteger, CheckConstraint('"only" = 1'), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)

_SHREDDABLE = """EXISTS (SELECT 1 FROM fact f JOIN fact e ON e.subject = f.subject
 WHERE f.seq = OLD.seq AND e.kind = 'subject.erased')"""

SQLITE_TRIGGERS = (
    # BEFORE INSERT also stops INSERT OR REPLACE, which would slip past a delete trigger.
    """CREATE TRIGGER fact_append BEFORE INSERT ON fact BEGIN
 SELECT RAISE(ABORT, 'book: seq must follow the last one')
  WHERE NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM fact);
 SELECT RAISE(ABORT, 'book: source exists') WHERE EXISTS
  (SELECT 1 FROM fact WHERE source_key = NEW.source_key AND source = NEW.source);
 SELECT RAISE(ABORT, 'book: replaced before') WHERE NEW.replaces IS NOT NULL AND EXISTS
  (SELECT 1 FROM fact WHERE replaces = NEW.replaces);
END""",
    """CREATE TRIGGER fact_keep BEFORE UPDATE ON fact
 BEGIN SELECT RAISE(ABORT, 'book: facts are never updated'); END""",
    """CREATE TRIGGER fact_stay BEFORE DELETE ON fact
 BEGIN SELECT RAISE(ABORT, 'book: facts are never deleted'); END""",
    """CREATE TRIGGER secret_append BEFORE INSERT ON fact_secret WHEN NEW.seq <= (SELECT size FROM book_edge)
 BEGIN SELECT RAISE(ABORT, 'book: a secret comes with its fact only'); END""",
    """CREATE TRIGGER key_append BEFORE INSERT ON fact_key WHEN NEW.seq <= (SELECT size FROM book_edge)
 BEGIN SELECT RAISE(ABORT, 'book: a key comes with its fact only'); END""",
    """CREATE TRIGGER secret_keep BEFORE UPDATE ON fact_secret
 BEGIN SELECT RAISE(ABORT, 'book: secrets are never updated'); END""",
    f"""CREATE TRIGGER secret_stay BEFORE DELETE ON fact_secret WHEN NOT {_SHREDDABLE}
 BEGIN SELECT RAISE(ABORT, 'book: only an erased subject is shredded'); END""",
    """CREATE TRIGGER key_keep BEFORE UPDATE ON fact_key
 BEGIN SELECT RAISE(ABORT, 'book: keys are never updated'); END""",
    f"""CREATE TRIGGER key_stay BEFORE DELETE ON fact_key WHEN NOT {_SHREDDABLE}
 BEGIN SELECT RAISE(ABORT, 'book: only an erased subject is shredded'); END""",
    """CREATE TRIGGER edge_grows BEFORE UPDATE ON book_edge
 WHEN NEW.size <= OLD.size OR NEW.recorded < OLD.recorded
 BEGIN SELECT RAISE(ABORT, 'book: the book only grows'); END""",
    """CREATE TRIGGER edge_follows BEFORE UPDATE ON book_edge
 WHEN NEW.size <> (SELECT coalesce(max(seq), 0) FROM fact)
 BEGIN SELECT RAISE(ABORT, 'book: the edge follows the facts'); END""",
    """CREATE TRIGGER edge_stay BEFORE DELETE ON book_edge
 BEGIN SELECT RAISE(ABORT, 'book: the edge stays'); END""",
    """CREATE TRIGGER edge_only BEFORE INSERT ON book_edge WHEN EXISTS (SELECT 1 FROM book_edge)
 BEGIN SELECT RAISE(ABORT, 'book: one edge only'); END""",
)

_REFUSE = """CREATE FUNCTION book_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'book: % on % is refused, facts only ever get added', TG_OP, TG_TABLE_NAME; END $$"""
_FOLLOW = """CREATE FUNCTION book_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE low bigint; high bigint; many bigint; before bigint;
BEGIN
 SELECT min(seq), max(seq), count(*) INTO low, high, many FROM added;
 IF many = 0 THEN RETURN NULL; END IF;
 SELECT size INTO before FROM book_edge;
 IF low <> before + 1 OR high <> before + many THEN
  RAISE EXCEPTION 'book: seq must follow the last one'; END IF;
 RETURN NULL;
END $$"""
_NEW = """CREATE FUNCTION book_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
 IF EXISTS (SELECT 1 FROM added WHERE seq <= (SELECT size FROM book_edge)) THEN
  RAISE EXCEPTION 'book: % come with their fact only', TG_TABLE_NAME; END IF;
 RETURN NULL;
END $$"""
_SHRED = f"""CREATE FUNCTION book_shred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
 IF NOT {_SHREDDABLE} THEN RAISE EXCEPTION 'book: only an erased subject is shredded'; END IF;
 RETURN OLD;
END $$"""
_GROW = """CREATE FUNCTION book_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
 IF NEW.size <= OLD.size OR NEW.recorded < OLD.recorded THEN
  RAISE EXCEPTION 'book: the book only grows'; END IF;
 IF NEW.size <> (SELECT coalesce(max(seq), 0) FROM fact) THEN
  RAISE EXCEPTION 'book: the edge follows the facts'; END IF;
 RETURN NEW;
END $$"""

POSTGRESQL_TRIGGERS = (
    _REFUSE,
    _FOLLOW,
    _NEW,
    _SHRED,
    _GROW,
    "CREATE UNIQUE INDEX fact_source ON fact (source)",
    """CREATE TRIGGER fact_append AFTER INSERT ON fact REFERENCING NEW TABLE AS added
 FOR EACH STATEMENT EXECUTE FUNCTION book_follow()""",
    """CREATE TRIGGER secret_append AFTER INSERT ON fact_secret REFERENCING NEW TABLE AS added
 FOR EACH STATEMENT EXECUTE FUNCTION book_new()""",
    """CREATE TRIGGER key_append AFTER INSERT ON fact_key REFERENCING NEW TABLE AS added
 FOR EACH STATEMENT EXECUTE FUNCTION book_new()""",
    """CREATE TRIGGER fact_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON fact
 FOR EACH STATEMENT EXECUTE FUNCTION book_refuse()""",
    """CREATE TRIGGER secret_keep BEFORE UPDATE OR TRUNCATE ON fact_secret
 FOR EACH STATEMENT EXECUTE FUNCTION book_refuse()""",
    "CREATE TRIGGER secret_stay BEFORE DELETE ON fact_secret FOR EACH ROW EXECUTE FUNCTION book_shred()",
    """CREATE TRIGGER key_keep BEFORE UPDATE OR TRUNCATE ON fact_key
 FOR EACH STATEMENT EXECUTE FUNCTION book_refuse()""",
    "CREATE TRIGGER key_stay BEFORE DELETE ON fact_key FOR EACH ROW EXECUTE FUNCTION book_shred()",
    "CREATE TRIGGER edge_grows BEFORE UPDATE ON book_edge FOR EACH ROW EXECUTE FUNCTION book_grow()",
    """CREATE TRIGGER edge_stay BEFORE DELETE OR TRUNCATE ON book_edge
 FOR EACH STATEMENT EXECUTE FUNCTION book_refuse()""",
)
