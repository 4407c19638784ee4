//! The webhooks that providers call. Nobody is signed in here: each proves itself.

mod gmail;

use actix_web::web;
use futures_util::StreamExt;
use utoipa_actix_web::service_config::ServiceConfig;

/// The largest body that is looked at; notifications have some hundred octets.
const LIMIT: usize = 256 * 1024;

/// So much of a larger one is taken in and dropped, that its sender hears the answer: more than Pub/Sub can send.
const DROPPED: usize = 16 * 1024 * 1024;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(gmail::push);
}

/// Reads a body up to the limit; nothing when it is longer or breaks off.
async fn read(mut payload: web::Payload) -> Option<Vec<u8>> {
    let (mut body, mut length) = (Vec::new(), 0);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.ok()?;
        length += chunk.len();
        if length <= LIMIT {
            body.extend_from_slice(&chunk);
        } else if length > DROPPED {
            break;
        }
    }
    (length <= LIMIT).then_some(body)
}
