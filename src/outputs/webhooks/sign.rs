//! Secrets and signatures of Standard Webhooks.

use std::{fs, io::Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::config::{WebhookConfig, readable_by_all};

/// Most bytes of a file with a secret; a device may have no end.
const MOST_BYTES: u64 = 4096;

/// Least and most bytes of a secret, as the standard says.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that signs messages. Never printed.
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// Reads the secret of `webhook`, and warns in the log where others can. Blocks for the disk.
    ///
    /// # Errors
    /// Why there is none, in a sentence without it.
    pub fn read(webhook: &WebhookConfig) -> Result<Self, String> {
        let path = &webhook.secret_file;
        let place = path.display();
        let mut text = String::new();
        fs::File::open(path)
            .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
            .map_err(|error| format!("the secret in '{place}' cannot be read: {error}"))?;
        let key = Self::parse(&text).map_err(|problem| format!("'{place}' {problem}"))?;
        if readable_by_all(path) {
            tracing::warn!("'{place}' can be read by every user of this machine; run chmod 600 {place}");
        }
        Ok(key)
    }

    /// Reads the text of a secret: `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// What is wrong with it, without the secret.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wanted = "should hold 'whsec_' and base64 of 24 to 64 bytes; make one with: echo whsec_$(head -c 32 /dev/urandom | base64)";
        let encoded = text.trim().strip_prefix("whsec_").ok_or(wanted)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| wanted)?;
        if LENGTHS.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(wanted) }
    }

    /// The signature of a message, `v1,` and base64. `timestamp`: seconds since the Unix epoch.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_the_published_example_of_the_standard() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_quoted() {
        for text in ["", "hunter2", "whsec_hunter2", "whsec_aHVudGVyMg==", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            let Err(problem) = SigningKey::parse(text) else { panic!("{text}") };
            assert!(!problem.contains("hunter2"));
        }
    }
}
