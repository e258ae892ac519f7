//! The secrets in the tree of a configuration, found before anything is said about it.

use super::{
    Credentials, LearnedSecrets, Secret,
    json::{Member, Node, Value},
    secret::{Address, names_a_secret, redact_unknown},
};

/// From now on `known` hides what stands at the keys of secrets, and the secrets of every address.
pub(super) fn teach(node: &Node, known: &LearnedSecrets) {
    match &node.value {
        // A variable is no secret, what it stands for is one.
        Value::String(text) if !text.contains("${") => Address(text).teach(known),
        Value::Array(nodes) => nodes.iter().for_each(|node| teach(node, known)),
        Value::Object(members) => members.iter().for_each(|member| {
            Address(&member.key).teach(known);
            if member.key == "credentials" {
                credentials(&member.node, known);
            } else if names_a_secret(&member.key) {
                all(&member.node, known);
            }
            teach(&member.node, known);
        }),
        _ => {}
    }
}

fn credentials(node: &Node, known: &LearnedSecrets) {
    let Value::Object(members) = &node.value else { return all(node, known) };
    let text = |member: &Member| match &member.node.value {
        Value::String(text) | Value::Number(text) if !text.contains("${") => Some(text.clone()),
        _ => None,
    };
    let user = members.iter().find(|member| member.key == "user").and_then(text).unwrap_or_default();
    for member in members.iter().filter(|member| !matches!(member.key.as_str(), "user" | "env" | "file")) {
        match text(member) {
            Some(password) => {
                known.learn_login(&Credentials { user: user.clone(), password: Secret(password) });
            }
            None => all(&member.node, known),
        }
    }
}

/// Every text and number below `node` is a secret.
fn all(node: &Node, known: &LearnedSecrets) {
    match &node.value {
        Value::String(text) | Value::Number(text) if !text.contains("${") => {
            known.learn(text);
            known.learn_login(&Credentials::from_pair(text));
        }
        Value::Array(nodes) => nodes.iter().for_each(|node| all(node, known)),
        Value::Object(members) => members.iter().for_each(|member| all(&member.node, known)),
        _ => {}
    }
}

/// Whether a comment holds a password: that of a camera that was taken out of use, for example.
pub(super) fn is_in_comment(comment: &str) -> bool {
    comment.lines().any(|line| !line.contains("${") && redact_unknown(line) != line)
}

/// Whether what stands at `path` may be a password, whatever it looks like.
pub(super) fn is_secret(path: &str) -> bool {
    const KEYS: [&str; 4] = ["credentials", "tls", "source", "path"];
    path.split(['.', '[']).any(|key| KEYS.contains(&key) || names_a_secret(key))
}

/// Whether `text` looks like the key of a configuration and not like a password.
pub(super) fn is_key(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-' | '$'))
}
