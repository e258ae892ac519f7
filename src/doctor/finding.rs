//! What a check has found.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and something is worth knowing or may break.
    Warn,
    /// Something does not work.
    Fail,
}

impl Status {
    /// The word that is shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was found, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that has found it.
    pub check: &'static str,
    /// What it is about, where there are several: the id of a source, the name of a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How bad it is.
    pub status: Status,
    /// What was found.
    pub sentence: String,
    /// What helps, where the sentence does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    fn new(status: Status, sentence: impl Into<String>, fix: Option<String>) -> Self {
        Self { check: "", subject: None, status, sentence: sentence.into(), fix }
    }

    /// As it should be.
    pub fn ok(sentence: impl Into<String>) -> Self {
        Self::new(Status::Ok, sentence, None)
    }

    /// Worth knowing, and what helps.
    pub fn warn(sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Status::Warn, sentence, Some(fix.into()))
    }

    /// Does not work, and what helps.
    pub fn fail(sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Status::Fail, sentence, Some(fix.into()))
    }

    /// Worth knowing; the sentence itself says what helps.
    pub fn advice(sentence: impl Into<String>) -> Self {
        Self::new(Status::Warn, sentence, None)
    }

    /// Does not work; the sentence itself says what helps.
    pub fn problem(sentence: impl Into<String>) -> Self {
        Self::new(Status::Fail, sentence, None)
    }

    /// The same, about `subject`.
    #[must_use]
    pub fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}
