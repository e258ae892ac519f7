//! Secrets that are known, found in any text in every form in which programs write them.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use base64::{Engine as _, engine::general_purpose};
use parking_lot::RwLock;

use super::{
    credentials::{Credentials, HIDDEN},
    names::looks_random,
    written::{self, SHORTEST},
};

/// Known secrets of which a copy is hidden in texts.
#[derive(Debug, Default)]
pub struct LearnedSecrets(RwLock<Entries>);

#[derive(Default)]
struct Entries {
    all: Vec<LearnedSecret>,
    /// Entries by their first character, the longest first.
    by_first: HashMap<char, Vec<usize>>,
    texts: HashSet<Vec<char>>,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.all.len())
    }
}

struct LearnedSecret {
    secret: Vec<char>,
    shown: &'static str,
    /// A number inside a longer number is another one.
    is_number: bool,
}

impl LearnedSecrets {
    /// From now on hides `secret`, unless it is shorter than four characters.
    pub fn learn(&self, secret: &str) {
        if secret.chars().count() >= SHORTEST {
            self.add(secret, HIDDEN);
        }
    }

    /// From now on hides the password, and what the header of a request makes of it.
    pub fn learn_login(&self, login: &Credentials) {
        let password = login.password.reveal();
        if password.is_empty() {
            // Some cameras take a key in place of the name.
            if looks_random(&login.user) {
                self.learn(&login.user);
            }
            return;
        }
        self.learn(password);
        let pair = format!("{}:{password}", login.user);
        if password.chars().count() < SHORTEST {
            self.add(&format!(":{password}@"), ":***@");
            if !login.user.is_empty() {
                self.learn(&pair);
            }
        }
        for text in [pair.as_str(), password] {
            // Of a short text the encoded form may be an ordinary word.
            let encoded = general_purpose::STANDARD.encode(text);
            if encoded.len() >= 2 * SHORTEST {
                self.learn(encoded.trim_end_matches('='));
                self.learn(general_purpose::URL_SAFE_NO_PAD.encode(text).as_str());
            }
        }
    }

    fn add(&self, secret: &str, shown: &'static str) {
        let secret: Vec<char> = secret.chars().collect();
        let mut entries = self.0.write();
        let Entries { all, by_first, texts } = &mut *entries;
        let Some(first) = secret.first().copied().filter(|_| texts.insert(secret.clone())) else { return };
        let is_number = secret.iter().all(char::is_ascii_digit);
        let length = secret.len();
        let bucket = by_first.entry(first).or_default();
        // The longest first, or a secret that begins with another would leave its rest.
        let at = bucket.partition_point(|index| all[*index].secret.len() >= length);
        bucket.insert(at, all.len());
        all.push(LearnedSecret { secret, shown, is_number });
    }

    /// `text` with `***` for each known secret: as it is, and with any of its characters percent-encoded, escaped as in
    /// JSON, in a shell or in HTML. A secret that the end of the text cuts off is hidden as well.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let entries = self.0.read();
        if entries.all.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::new();
        let (mut done, mut at) = (0, 0);
        while let Some(next) = text[at..].chars().next() {
            let may_begin = written::is_escape(next) || entries.by_first.contains_key(&next);
            match may_begin.then(|| entries.find(text, at)).flatten() {
                Some((end, shown)) => {
                    out.push_str(&text[done..at]);
                    out.push_str(shown);
                    (done, at) = (end, end);
                }
                None => at += next.len_utf8(),
            }
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }
}

impl Entries {
    /// Where the longest secret that begins at `at` ends, and what is shown instead.
    fn find(&self, text: &str, at: usize) -> Option<(usize, &'static str)> {
        let mut best = None;
        for (first, _) in written::readings(text, at) {
            for index in self.by_first.get(&first).into_iter().flatten() {
                let entry = &self.all[*index];
                let Some(end) = written::end_of(&entry.secret, text, at) else { continue };
                let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
                let inside_number = entry.is_number
                    && (digit(text[..at].chars().next_back()) || digit(text[end..].chars().next()));
                if !inside_number && best.is_none_or(|(longest, _)| end > longest) {
                    best = Some((end, entry.shown));
                }
            }
        }
        best
    }
}
