#!/bin/sh
# The image of PostgreSQL runs this once, on an empty volume: the two roles of the service (docs/operations.md, Set up).
set -eu
secrets=${SECRETS:-/run/secrets}
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v owner="$(cat "$secrets/owner-password")" -v service="$(cat "$secrets/service-password")" <<'SQL'
CREATE ROLE dialer_owner LOGIN PASSWORD :'owner';
CREATE ROLE dialer LOGIN PASSWORD :'service';
ALTER DATABASE :"DBNAME" OWNER TO dialer_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE dialer_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO dialer;
ALTER DEFAULT PRIVILEGES FOR ROLE dialer_owner GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO dialer;
SQL
