//! Names of streams, subjects and keys on the server. They are a contract between versions of the program.

use std::fmt::Write as _;

/// Stream of the sources: a work queue with one message for each.
pub const SOURCES: &str = "PCOUNT_SOURCES";

/// Everything that the stream of the sources takes.
pub const ALL_SOURCES: &str = "pcount.sources.>";

/// Bucket of the nodes: one entry for each name.
pub const NODES: &str = "PCOUNT_NODES";

/// Every node answers here with what it counts.
pub const EVERY_NODE: &str = "pcount.nodes.status";

/// Every node answers here what is read of its API.
pub const EVERY_NODE_READS: &str = "pcount.nodes.read";

/// A question to one node that only reads its API.
pub const READ: &str = "read";

/// A question to one node that may change what it does.
pub const ORDER: &str = "order";

/// A question to one node for what stands in the fleet of a source that it has, with a change.
pub const EDIT: &str = "edit";

/// A node that begins to count a source says so here, so that one that still counts it by an earlier lease gives it up at once.
pub const TAKEN: &str = "pcount.taken";

/// Stream of what nodes have counted.
pub const EVENTS: &str = "PCOUNT_EVENTS";

/// Everything that the stream of what was counted takes.
pub const ALL_EVENTS: &str = "pcount.events.>";

/// In the place of a site, for sources that every node can reach. No site is written like this, see [`token`].
const ANYWHERE: &str = "=any";

/// `text` as one part of a subject or a key: letters, digits, `_` and `-` stay as they are, each other byte is `=` and two digits.
#[must_use]
pub fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            token.push(char::from(byte));
        } else {
            let _ = write!(token, "={byte:02X}");
        }
    }
    token
}

fn site_token(site: Option<&str>) -> String {
    site.map_or_else(|| ANYWHERE.to_owned(), token)
}

/// Where the message of a source stands. There is one at most.
#[must_use]
pub fn source(site: Option<&str>, id: &str) -> String {
    format!("pcount.sources.{}.{}", site_token(site), token(id))
}

/// The id of the source whose message stands at `subject`.
#[must_use]
pub fn id_of(subject: &str) -> String {
    text_of(subject.rsplit('.').next().unwrap_or_default())
}

/// The site of the source whose message stands at `subject`.
#[must_use]
pub fn site_of(subject: &str) -> Option<String> {
    subject.split('.').nth(2).filter(|token| *token != ANYWHERE).map(text_of)
}

/// What [`token`] was made of.
fn text_of(token: &str) -> String {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        let written = (byte == b'=').then(|| rest.clone().take(2).map(char::from).collect::<String>());
        match written.and_then(|digits| u8::from_str_radix(&digits, 16).ok()) {
            Some(meant) => {
                bytes.push(meant);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where `node` says what it has counted of `source`.
#[must_use]
pub fn events(node: &str, source: &str) -> String {
    format!("pcount.events.{}.{}", token(node), token(source))
}

/// The messages of all sources of a site.
#[must_use]
pub fn site(site: Option<&str>) -> String {
    format!("pcount.sources.{}.*", site_token(site))
}

/// Name of the consumer by which the nodes of a site share its sources.
#[must_use]
pub fn consumer(site: Option<&str>) -> String {
    format!("site-{}", site_token(site))
}

/// Where the answers to a client come that calls itself `client`, such as `pcount-tui node hall-1`: a place of its own, so that
/// the server can keep others from listening there.
#[must_use]
pub fn inbox(client: &str) -> String {
    let words = client.strip_prefix("pcount-tui ").unwrap_or(client).splitn(2, ' ');
    words.fold("_INBOX".to_owned(), |inbox, word| format!("{inbox}.{}", token(word)))
}

/// A question to one node: `status`, `drain`, `release`, [`READ`] or [`ORDER`].
#[must_use]
pub fn question(node: &str, what: &str) -> String {
    format!("pcount.node.{}.{what}", token(node))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_that_differ_have_subjects_that_differ_and_none_is_a_pattern() {
        let odd = [
            "a", "a.b", "a b", "a*", "a>", "*", ">", "a=2E", "a=", "=any", "any", "Straße", "a-b", "a_b", "",
        ];
        let subjects: BTreeSet<String> = odd.iter().map(|name| source(Some(name), "x")).collect();
        assert_eq!(subjects.len(), odd.len());
        assert!(!subjects.contains(&source(None, "x")));
        for subject in subjects {
            assert_eq!(subject.split('.').count(), 4, "{subject}");
            assert!(subject.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-=".contains(&b)), "{subject}");
        }
        assert_eq!(source(Some("north"), "cam.1"), "pcount.sources.north.cam=2E1");
        assert_eq!(site(None), "pcount.sources.=any.*");
        for id in odd {
            assert_eq!(id_of(&source(None, id)), id);
            assert_eq!(site_of(&source(Some(id), "x")).as_deref(), Some(id));
            assert_eq!(site_of(&source(None, id)), None);
        }
    }

    #[test]
    fn answers_to_each_kind_of_client_and_to_each_node_come_to_a_place_of_their_own() {
        assert_eq!(inbox("pcount-tui node hall.1 b"), "_INBOX.node.hall=2E1=20b");
        assert_eq!(inbox("pcount-tui fleet"), "_INBOX.fleet");
    }
}
