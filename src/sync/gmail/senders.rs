//! The addresses that mail may be sent from, with the signatures that are set there.

use super::Pass;
use crate::accounts::SenderAddress;
use crate::providers::gmail::SendAs;
use crate::sync::error::PassError;

impl Pass<'_> {
    /// Reads them again. What was not confirmed at Gmail is left out: Gmail would put another address in its place.
    pub(super) async fn learn_senders(&self) -> Result<(), PassError> {
        let told = self.mailbox.send_as().await?;
        let senders = told.into_iter().filter(|one| one.is_verified).map(sender).collect();
        self.parts.accounts.note_senders(self.account.id, senders).await?;
        Ok(())
    }
}

fn sender(told: SendAs) -> SenderAddress {
    SenderAddress {
        address: told.address,
        name: told.display_name,
        reply_to: told.reply_to,
        signature_html: told.signature_html,
        is_default: told.is_default,
    }
}
