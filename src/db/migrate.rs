//! The migrations, embedded in the binary, and the check that the database is not newer than the program.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// Migrations of the embedded database.
pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// Their twins for PostgreSQL.
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Runs what is missing, after refusing a database that a newer version has written.
pub(super) fn run<DB, H>(harness: &mut H, migrations: EmbeddedMigrations) -> anyhow::Result<()>
where
    DB: diesel::backend::Backend,
    H: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| anyhow::anyhow!("{error}");
    let known: Vec<Box<dyn Migration<DB>>> = migrations.migrations().map_err(failed)?;
    let known: BTreeSet<String> = known.iter().map(|m| m.name().version().to_string()).collect();
    let applied = harness.applied_migrations().map_err(failed).context("cannot read the database's version")?;
    if let Some(unknown) = applied.iter().map(ToString::to_string).find(|version| !known.contains(version)) {
        bail!(
            "the database was written by a newer version of Duplex (it has migration {unknown}); start that version, or restore a backup made before the upgrade"
        );
    }
    harness.run_pending_migrations(migrations).map_err(failed).context("cannot bring the database up to date")?;
    Ok(())
}
