//! A mailbox with the mail API over it.

use super::ground::{Ground, incoming, mailbox, organization};
use crate::support::Backend;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use actix_web::{App, HttpMessage, web};
use bytes::Bytes;
use duplex::access::{Access, Role};
use duplex::clock::Clock;
use duplex::config::StorageConfig;
use duplex::events::Events;
use duplex::ids::EmailId;
use duplex::mail;
use duplex::messages::{self, Applied, FolderRole, IncomingMail, Mailbox, Messages};
use duplex::net::{Net, NetOptions};
use duplex::storage::{Compressor, Storage};
use serde_json::Value;
use utoipa_actix_web::AppExt;

/// A mailbox with an API over it.
pub struct Api {
    pub ground: Ground,
    pub storage: Storage,
    pub messages: Messages,
}

/// An answer: status, headers, body.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The values of a field of all items.
    pub fn items(&self, field: &str) -> Vec<String> {
        let items = self.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Api {
    pub async fn new(backend: Backend) -> Self {
        let ground = Ground::new(backend).await;
        let net = Net::new(NetOptions::default()).unwrap();
        let storage = Storage::open(&StorageConfig::Folder(ground.dir().join("files")), &net).await.unwrap();
        let messages =
            Messages::new(ground.db.clone(), Clock::system(), storage.clone(), Events::default(), "http://duplex.test");
        Self { ground, storage, messages }
    }

    pub fn access(owner: &Mailbox) -> Access {
        Access { org: owner.org, user: owner.user, role: Role::Owner, scopes: None, session: None, key: None }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Some(Self::access(&self.ground.owner)), TestRequest::get().uri(path)).await
    }

    pub async fn get_as(&self, owner: &Mailbox, path: &str) -> Answer {
        self.ask(Some(Self::access(owner)), TestRequest::get().uri(path)).await
    }

    pub async fn ask(&self, access: Option<Access>, request: TestRequest) -> Answer {
        let (app, _) = App::new().into_utoipa_app().configure(messages::configure).split_for_parts();
        let app = app.app_data(web::Data::new(self.messages.clone()));
        let service = test::init_service(app).await;
        let request = request.to_request();
        if let Some(access) = access {
            request.extensions_mut().insert(access);
        }
        match service.call(request).await {
            Ok(response) => answer(response).await,
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn apply(&self, mails: Vec<IncomingMail>) -> Applied {
        self.ground.apply(FolderRole::Inbox, mails).await
    }
}

async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = actix_web::body::to_bytes(response.into_body()).await.unwrap_or_else(|_| panic!("the body broke off"));
    Answer { status, headers, body }
}

pub fn html_mail(html: &str) -> mail::ParsedMail {
    let raw = format!(
        "From: Bob <Bob@b.example>\r\nTo: Ann <ann@acme.example>\r\nCc: cy@c.example\r\nSubject: Pictures\r\n\
         Message-ID: <pictures@mail.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: image/png\r\nContent-ID: <pic@1>\r\nContent-Disposition: inline; filename=p.png\r\n\r\nPNGDATA\r\n\
         --b\r\nContent-Type: text/html; name=\"rés.html\"\r\nContent-Disposition: attachment; filename*=UTF-8''r%C3%A9s.html\r\n\r\n<b>0123456789</b>\r\n--b--\r\n"
    );
    mail::parse(raw.as_bytes())
}

impl Api {
    /// Stores a mail with HTML, an embedded image and a file, and puts these into the storage as the sync does.
    pub async fn with_pictures(&self) -> EmailId {
        let parsed = html_mail(
            "<script>alert(1)</script><p>Hi</p><img src=\"cid:pic@1\"><img src=\"https://evil.example/x.gif\">",
        );
        for file in &parsed.attachments {
            let content = Bytes::from(file.content.clone());
            self.storage.put_attachment(self.ground.owner.org, &file.sha256, content).await.unwrap();
        }
        let frame = Compressor::new().unwrap().frame(b"From: Bob\r\n\r\nraw").unwrap();
        let refs = self.storage.put_pack(self.ground.owner.account, vec![frame]).await.unwrap();
        let mail = IncomingMail { raw_ref: refs.into_iter().next(), ..incoming(self.ground.inbox, 50, parsed) };
        self.apply(vec![mail]).await.new[0].0
    }

    pub async fn stranger(&self) -> (Mailbox, Mailbox) {
        let mut conn = self.ground.write().await;
        let colleague = mailbox(&mut conn, self.ground.owner.org, "cy@acme.example").await;
        let org = organization(&mut conn).await;
        let foreigner = mailbox(&mut conn, org, "fay@other.example").await;
        (colleague, foreigner)
    }
}
