//! `ctl webhooks`: how they do, and tests of them.

use jiff::tz::TimeZone;

use super::{
    events,
    shared::{PATIENCE, json},
};
use crate::{
    app::{
        failure::{DONE, FAILED, Failure},
        say::print,
    },
    protocol::{WebhookStatus, WebhookTest, escaped},
    remote::Client,
};

/// Prints a line for each webhook.
pub fn list(client: &Client, is_json: bool, timezone: &TimeZone) -> Result<u8, Failure> {
    let webhooks: Vec<WebhookStatus> = client.get("/webhooks", PATIENCE)?;
    if is_json {
        return json(&webhooks);
    }
    print(|out| {
        if webhooks.is_empty() {
            writeln!(out, "there are no webhooks; name some under 'webhooks' in the configuration file")?;
        }
        for webhook in &webhooks {
            let last = webhook
                .last_success
                .map_or_else(|| "none yet".to_owned(), |wall| events::time(wall, timezone));
            let how = match (&webhook.problem, webhook.next_attempt) {
                _ if webhook.stopped => "; stopped: its server is gone for ever".to_owned(),
                (Some(problem), Some(seconds)) => format!("; {problem}; next attempt in {seconds} s"),
                _ => String::new(),
            };
            let WebhookStatus { name, server, pending, .. } = webhook;
            writeln!(out, "{name}: {server}, {pending} pending, last accepted: {last}{how}")?;
        }
        Ok(())
    })
}

/// Sends a test to the webhook `name`, or to all; exit code 1 where one does not accept it.
pub fn test(client: &Client, is_json: bool, name: Option<&str>) -> Result<u8, Failure> {
    let query = name.map(|name| format!("?name={}", escaped(name))).unwrap_or_default();
    let tested: Vec<WebhookTest> = client.post(&format!("/webhooks/test{query}"), None::<&()>, PATIENCE)?;
    let code = if tested.iter().all(|test| test.accepted) { DONE } else { FAILED };
    if is_json {
        return json(&tested).map(|_| code);
    }
    print(|out| tested.iter().try_for_each(|test| writeln!(out, "{}: {}", test.name, test.answer)))?;
    Ok(code)
}
