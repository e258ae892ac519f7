//! Users of the server: what each may do, asked of the server itself, and tokens as an operator of a server signs them.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::{Value, json};

/// A connection as a user, and what the server refuses it.
pub struct User {
    pub client: Client,
    refused: Arc<Mutex<Vec<String>>>,
}

impl User {
    /// Connects with the key in `file`, of which the secret half is the line that is no comment.
    pub async fn connect(url: &str, file: &Path, ca: &Path, inbox: &str) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let seed = text.lines().find(|line| !line.starts_with('#')).unwrap().to_owned();
        let refused = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&refused);
        let options = ConnectOptions::new()
            .nkey(seed)
            .add_root_certificates(ca.to_owned())
            .custom_inbox_prefix(inbox)
            .request_timeout(Some(Duration::from_secs(5)))
            .event_callback(move |event| {
                if let Event::ServerError(error) = event {
                    heard.lock().unwrap().push(error.to_string());
                }
                std::future::ready(())
            });
        Self { client: options.connect(url).await.unwrap(), refused }
    }

    /// Which of these it may not do: `publish SUBJECT` or `subscribe SUBJECT`. What it may publish is published, empty.
    pub async fn refused<'a>(&self, tried: &[&'a str]) -> Vec<&'a str> {
        self.refused.lock().unwrap().clear();
        for what in tried.iter().chain(&["publish the.last.one"]) {
            match what.split_once(' ').unwrap() {
                ("publish", subject) => {
                    self.client.publish(subject.to_owned(), Vec::new().into()).await.unwrap();
                }
                (_, subject) => drop(self.client.subscribe(subject.to_owned()).await.unwrap()),
            }
            self.client.flush().await.unwrap();
        }
        // What it says comes in the order of what was tried.
        let said = loop {
            let said = self.refused.lock().unwrap().join("\n");
            if said.contains("the.last.one") {
                break said.to_lowercase();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let is_refused = |what: &&&str| {
            let (kind, subject) = what.split_once(' ').unwrap();
            let kind = if kind == "publish" { "publish" } else { "subscription" };
            said.contains(&format!("for {kind} to \"{}\"", subject.to_lowercase()))
        };
        tried.iter().filter(is_refused).copied().collect()
    }
}

fn token(issuer: &KeyPair, subject: &str, name: &str, nats: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let claims = part(&json!({
        "jti": name, "iat": 1_700_000_000, "iss": issuer.public_key(), "name": name, "sub": subject, "nats": nats,
    }));
    let signature = issuer.sign(format!("{head}.{claims}").as_bytes()).unwrap();
    format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// An operator of a server with one account, as `nsc` makes them.
pub struct Signed {
    account: KeyPair,
    /// What the configuration of the server says of them.
    pub config: String,
}

impl Signed {
    pub fn new() -> Self {
        let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
        let of_operator =
            token(&operator, &operator.public_key(), "people", &json!({ "type": "operator", "version": 2 }));
        let limits = |storage: i32| {
            json!({
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
                "mem_storage": storage, "disk_storage": storage, "streams": storage, "consumer": storage,
            })
        };
        let of_account = |account: &KeyPair, name: &str, storage: i32| {
            let nats = json!({
                "limits": limits(storage), "default_permissions": { "pub": {}, "sub": {} }, "type": "account", "version": 2,
            });
            token(&operator, &account.public_key(), name, &nats)
        };
        // JetStream does not start without an account of the system, which must not have any of it.
        let system = KeyPair::new_account();
        let (fleet, own) = (of_account(&account, "fleet", -1), of_account(&system, "system", 0));
        let config = format!(
            "operator: \"{of_operator}\"\nsystem_account: {own_key}\nresolver: MEMORY\nresolver_preload: {{\n  {key}: \"{fleet}\"\n  {own_key}: \"{own}\"\n}}\n",
            key = account.public_key(),
            own_key = system.public_key(),
        );
        Self { account, config }
    }

    /// The file of credentials of a user.
    pub fn user(&self, name: &str) -> String {
        let user = KeyPair::new_user();
        let nats = json!({
            "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
        });
        let jwt = token(&self.account, &user.public_key(), name, &nats);
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            user.seed().unwrap()
        )
    }
}
