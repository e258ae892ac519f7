//! What the server refuses, in words that help.

use std::{error::Error, io, sync::Arc};

use async_nats::{ConnectError, ConnectErrorKind, Event, ServerError};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What the server has refused to this user. It says so beside the answers, and to what is refused there is none.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Said>);

#[derive(Default)]
struct Said {
    last: Mutex<Option<String>>,
    is_new: Notify,
}

impl Refusals {
    /// Takes note of what the client tells.
    pub fn hear(&self, event: &Event) {
        if let Event::ServerError(ServerError::Other(said)) = event
            && said.to_ascii_lowercase().contains("permissions violation")
        {
            *self.0.last.lock() = Some(said.clone());
            self.0.is_new.notify_waiters();
        }
    }

    /// What was refused last, since this was asked before.
    #[must_use]
    pub fn take(&self) -> Option<String> {
        self.0.last.lock().take().as_deref().map(words)
    }

    /// Waits until something at `subject` is refused, and says it.
    pub async fn of(&self, subject: &str) -> String {
        let subject = format!("\"{subject}\"");
        loop {
            let mut is_new = std::pin::pin!(self.0.is_new.notified());
            // Before looking, so that nothing is missed between the two.
            is_new.as_mut().enable();
            if let Some(said) = self.0.last.lock().take_if(|said| said.contains(&subject)) {
                return words(&said);
            }
            is_new.await;
        }
    }
}

fn words(said: &str) -> String {
    format!("the server does not let this user do it ({said}); use the credentials of one who may")
}

/// Why the server, or this program, refuses every connection like this one; `None` where trying again may help.
#[must_use]
pub fn lasting(error: &ConnectError) -> Option<String> {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation => {
            Some("it does not know this user; name the file of the right one with 'credentials'".into())
        }
        ConnectErrorKind::Authentication => Some(
            "its question cannot be answered with these credentials; name others with 'credentials'".into(),
        ),
        _ => encryption(error).map(said_of_encryption),
    }
}

/// What the encryption of the connection fails for.
fn encryption(error: &ConnectError) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn said_of_encryption(error: &rustls::Error) -> String {
    use rustls::CertificateError::{
        BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
    };
    match error {
        // Somebody else of the same name has signed it.
        rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature) => {
            "nobody who is trusted here has signed its certificate; name the certificate of who did with 'ca'"
                .into()
        }
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            "its certificate is for another name; connect to the name that the certificate has".into()
        }
        rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
            "its certificate has expired; give it a new one".into()
        }
        rustls::Error::InvalidCertificate(other) => format!("its certificate is refused: {other}"),
        rustls::Error::InvalidMessage(_) => {
            "it does not encrypt; switch 'tls' on in its configuration, or connect with nats://".into()
        }
        other => format!("the encrypted connection fails: {other}"),
    }
}
