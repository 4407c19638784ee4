//! Which encryption keys the database needs, and sealing anew with the present one.

use anyhow::{Context, bail};

use super::connect::{IMAP_PASSWORD, SMTP_PASSWORD, SMTP_USERNAME};
use super::store::{self, Sealed};
use super::vault::{SealError, Vault};
use crate::clock::Clock;
use crate::db::Db;
use crate::ids::AccountId;

/// Refuses to go on with keys that cannot open what the database holds, and notes the present key.
///
/// # Errors
/// With the remedy, when a key is missing.
pub async fn check_keys(db: &Db, vault: &Vault, clock: &Clock) -> anyhow::Result<()> {
    let mut conn = db.write().await?;
    let mut noted = store::keys::noted(&mut conn).await?;
    let configured: Vec<String> = vault.key_ids().map(|id| id.to_string()).collect();
    if noted.iter().any(|id| !configured.contains(id)) {
        bail!(
            "ENCRYPTION_KEY is not the key that sealed the credentials in this database. Set the former key again \
             (secrets.toml of the DATA_DIR in use then, or your setting), or give both as kid:new,kid:former and run: duplex admin rotate-encryption-key"
        );
    }
    let present = configured.into_iter().next().context("ENCRYPTION_KEY holds no key")?;
    if !noted.contains(&present) {
        noted.push(present);
        store::keys::note(&mut conn, &noted, clock.now()).await?;
    }
    Ok(())
}

/// Seals every credential anew with the first key; safe while the server runs. Answers how many rows changed.
///
/// Each row is read and written in one transaction, so a credential that is replaced meanwhile is never overwritten.
pub async fn rotate_keys(db: &Db, vault: &Vault, clock: &Clock) -> anyhow::Result<usize> {
    let (mut changed, mut after) = (0, None);
    loop {
        let mut conn = db.write().await?;
        let page = store::sealed_page(&mut conn, after).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
        for (id, sealed) in page {
            if !is_stale(vault, &sealed) {
                continue;
            }
            changed += conn
                .transaction(async |tx| {
                    let current = store::sealed(tx, id).await?;
                    store::reseal(tx, id, &resealed(vault, id, current)?).await?;
                    Ok::<_, anyhow::Error>(1)
                })
                .await
                .with_context(|| format!("cannot seal the credentials of mailbox {id} anew"))?;
        }
    }
    let present: Vec<String> = vault.key_ids().take(1).map(|id| id.to_string()).collect();
    store::keys::note(&mut db.write().await?, &present, clock.now()).await?;
    Ok(changed)
}

fn columns(sealed: &mut Sealed) -> [(&'static str, &mut Option<Vec<u8>>); 5] {
    [
        ("access_token", &mut sealed.access_token),
        ("refresh_token", &mut sealed.refresh_token),
        (IMAP_PASSWORD, &mut sealed.imap_password),
        (SMTP_USERNAME, &mut sealed.smtp_username),
        (SMTP_PASSWORD, &mut sealed.smtp_password),
    ]
}

fn is_stale(vault: &Vault, sealed: &Sealed) -> bool {
    columns(&mut sealed.clone())
        .into_iter()
        .any(|(_, value)| value.as_deref().is_some_and(|value| vault.is_stale(value)))
}

fn resealed(vault: &Vault, id: AccountId, mut sealed: Sealed) -> Result<Sealed, SealError> {
    for (column, value) in columns(&mut sealed) {
        if let Some(bytes) = value {
            *bytes = vault.seal(id, column, &vault.open(id, column, bytes)?)?;
        }
    }
    Ok(sealed)
}
