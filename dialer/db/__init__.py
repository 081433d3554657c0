"""The database: tables, unit of work (the only commit), vault, keys, bulk writes, migrations."""
