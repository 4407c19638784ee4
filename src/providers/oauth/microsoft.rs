//! Whose mailbox a token of Microsoft opens: asked of Graph, never believed from elsewhere.

use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use super::Vendor;
use super::refusal::{nonsense, retry_after, unreachable};
use crate::net::{Net, read_body};
use crate::providers::{ProviderError, ProviderErrorKind};
use crate::secret::Secret;

/// The largest answer that is read.
const LIMIT: usize = 1024 * 1024;

const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// Which mailbox is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// The one of the person who signed in.
    Own,
    /// Another one, by its address.
    Of(&'a str),
}

/// The owner of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The address.
    pub address: String,
    /// The name.
    pub name: Option<String>,
    /// Further addresses under which mail arrives.
    pub aliases: Vec<String>,
}

/// Reads whose mailbox it is, and that there is one.
pub async fn read_owner(net: &Net, graph: &Url, token: &Secret, whose: Whose<'_>) -> Result<Owner, ProviderError> {
    let reader = Reader { http: net.http(), graph, token };
    let root: Vec<&str> = match whose {
        Whose::Own => vec!["me"],
        Whose::Of(address) => vec!["users", address],
    };
    let inbox: Vec<&str> = root.iter().copied().chain(["mailFolders", "inbox"]).collect();
    reader.get(&inbox, "id,displayName").await?;
    // Proxy addresses are not to be had for every account, and other users' profiles not with every permission.
    let profile = match reader.get(&root, "displayName,mail,userPrincipalName,proxyAddresses").await {
        Ok(profile) => profile,
        Err(_) => match (reader.get(&root, "").await, whose) {
            (Ok(profile), _) => profile,
            (Err(_), Whose::Of(address)) => {
                return Ok(Owner { address: address.to_lowercase(), name: None, aliases: Vec::new() });
            }
            (Err(error), Whose::Own) => return Err(error),
        },
    };
    Owner::read(&profile).ok_or_else(|| nonsense(Vendor::Microsoft))
}

impl Owner {
    fn read(profile: &Value) -> Option<Self> {
        let text = |name: &str| profile[name].as_str().map(str::trim).filter(|text| !text.is_empty());
        let is_address = |text: &&str| text.contains('@') && !text.contains("#EXT#");
        let address = text("mail").or_else(|| text("userPrincipalName")).filter(is_address)?.to_lowercase();
        let listed = profile["proxyAddresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let proxies = listed.filter_map(|text| {
            let (kind, address) = text.split_once(':')?;
            kind.eq_ignore_ascii_case("smtp").then_some(address)
        });
        let mut aliases: Vec<String> = Vec::new();
        for alias in proxies.chain(text("userPrincipalName")).filter(is_address) {
            let alias = alias.to_lowercase();
            if alias != address && !aliases.contains(&alias) && !alias.ends_with(".onmicrosoft.com") {
                aliases.push(alias);
            }
        }
        Some(Self { address, name: text("displayName").map(str::to_owned), aliases })
    }
}

struct Reader<'a> {
    http: reqwest::Client,
    graph: &'a Url,
    token: &'a Secret,
}

impl Reader<'_> {
    async fn get(&self, path: &[&str], select: &str) -> Result<Value, ProviderError> {
        let mut url = self.graph.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1.0").extend(path);
        }
        if !select.is_empty() {
            url.query_pairs_mut().append_pair("$select", select);
        }
        let request = self.http.get(url).bearer_auth(self.token.expose()).header("Prefer", "IdType=\"ImmutableId\"");
        let response = request.timeout(TIMEOUT).send().await.map_err(|_| unreachable(Vendor::Microsoft))?;
        let (status, wait) = (response.status(), retry_after(response.headers()));
        let octets = read_body(response, LIMIT).await.map_err(|_| unreachable(Vendor::Microsoft))?;
        let answer: Value = serde_json::from_slice(&octets).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        Err(ProviderError { retry_after: wait, ..refused(status, &answer) })
    }
}

fn refused(status: StatusCode, answer: &Value) -> ProviderError {
    use ProviderErrorKind::{NeedsOperator, NeedsPerson, Refused, Unavailable};
    let code = answer["error"]["code"].as_str().unwrap_or_default();
    let new = |kind, code, detail: &str| ProviderError::new(kind, code, detail);
    match (status.as_u16(), code) {
        (_, "MailboxNotEnabledForRESTAPI" | "MailboxNotSupportedForRESTAPI" | "ErrorNonExistentMailbox") | (404, _) => {
            new(
                Refused,
                "provider_mailbox_unusable",
                "There is no mailbox at Microsoft 365 for this account: it has no licence for one, or it is kept on a server of \
             the company.",
            )
        }
        (401, _) => {
            new(NeedsPerson, "oauth_token_refused", "Microsoft refuses the access that was just granted. Try again.")
        }
        (403, _) => new(
            NeedsOperator,
            "provider_access_denied",
            "Microsoft does not let Duplex into this mailbox. For a shared mailbox its owner must give full access; for a \
             whole tenant an administrator must grant the application Mail.ReadWrite and Mail.Send.",
        ),
        _ => new(Unavailable, "provider_unavailable", "Microsoft Graph is not available now. Try again in a minute."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_address_is_the_mailboxs_own_and_the_others_are_aliases() {
        let profile = json!({"displayName": "Ann", "mail": "Ann@Example.com", "userPrincipalName": "a.lee@example.com",
            "proxyAddresses": ["SMTP:Ann@example.com", "smtp:sales@example.com", "X500:/o=x", "smtp:ann@x.onmicrosoft.com"]});
        let owner = Owner::read(&profile).unwrap();
        assert_eq!(owner.address, "ann@example.com");
        assert_eq!(owner.aliases, ["sales@example.com", "a.lee@example.com"]);
        let personal = json!({"mail": null, "userPrincipalName": "ann@outlook.com"});
        assert_eq!(Owner::read(&personal).unwrap().address, "ann@outlook.com");
        let guest = json!({"mail": null, "userPrincipalName": "ann_x.com#EXT#@y.onmicrosoft.com"});
        assert_eq!(Owner::read(&guest), None);
    }
}
