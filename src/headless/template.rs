//! One line of the user's own, for status bars: `{in} in {out} out`.

use std::{fmt::Write, str::FromStr};

use crate::{
    config,
    model::{StateKind, Total},
    outputs::status::{SourceStatus, Status},
};

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
enum TemplatePart {
    Text(String),
    Placeholder(Placeholder),
}

/// What can stand between braces. Totals over all sources, unless a source is named: `{in:camera_01}`.
#[derive(Debug, Clone, PartialEq)]
struct Placeholder {
    name: &'static str,
    source: Option<String>,
}

/// Names of the fields with what they give. The order is that of the error message.
pub const FIELDS: [(&str, &str); 10] = [
    ("in", "crossings in"),
    ("out", "crossings out"),
    ("current", "in minus out"),
    ("net", "in minus out with its sign"),
    ("fps", "frames per second"),
    ("alias", "names of the sources"),
    ("status", "states of the sources"),
    ("sources", "number of sources"),
    ("running", "number of running sources"),
    ("alerts", "number of sources at or over their limit, or failing"),
];

/// A template that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not one of [`FIELDS`].
    #[error("unknown field '{{{found}}}' in --format{hint}; known are {known}")]
    UnknownField {
        /// As written.
        found: String,
        /// The nearest known name, as part of the sentence.
        hint: String,
        /// All names.
        known: String,
    },
    /// A brace without its partner.
    #[error("'{text}' in --format has a single brace; write '{{{{' or '}}}}' for the character itself")]
    Brace {
        /// The template.
        text: String,
    },
}

/// A line with fields in braces; `{{` and `}}` are the braces themselves, `\n` and `\t` what they are in C.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    pieces: Vec<TemplatePart>,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let brace = || TemplateError::Brace { text: text.to_owned() };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '{' | '}' if rest.peek() == Some(&character) => {
                    rest.next();
                    plain.push(character);
                }
                '{' => {
                    let mut inner = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(brace()),
                            Some(other) => inner.push(other),
                        }
                    }
                    pieces.push(TemplatePart::Text(std::mem::take(&mut plain)));
                    pieces.push(TemplatePart::Placeholder(field(&inner)?));
                }
                '}' => return Err(brace()),
                '\\' if matches!(rest.peek(), Some('n' | 't')) => {
                    plain.push(if rest.next() == Some('n') { '\n' } else { '\t' });
                }
                other => plain.push(other),
            }
        }
        pieces.push(TemplatePart::Text(plain));
        Ok(Self { pieces })
    }
}

fn field(inner: &str) -> Result<Placeholder, TemplateError> {
    let (name, source) = match inner.split_once(':') {
        Some((name, source)) => (name.trim(), Some(source.trim().to_owned())),
        None => (inner.trim(), None),
    };
    if let Some((name, _)) = FIELDS.iter().find(|(known, _)| *known == name) {
        Ok(Placeholder { name, source })
    } else {
        let nearest = config::nearest(name, &FIELDS.map(|(known, _)| known));
        Err(TemplateError::UnknownField {
            found: inner.to_owned(),
            hint: nearest.map(|known| format!(", did you mean '{{{known}}}'?")).unwrap_or_default(),
            known: FIELDS.map(|(known, _)| format!("{{{known}}}")).join(" "),
        })
    }
}

impl Template {
    /// The line for `status`, without a line feed at its end. A source that is not there counts nothing.
    #[must_use]
    pub fn render(&self, status: &Status) -> String {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                TemplatePart::Text(text) => line.push_str(text),
                TemplatePart::Placeholder(field) => field.render(status, &mut line),
            }
        }
        line
    }
}

impl Placeholder {
    fn render(&self, status: &Status, line: &mut String) {
        let mut chosen = status.clone();
        if let Some(id) = &self.source {
            chosen.sources.retain(|source| source.camera_id == *id);
        }
        let Total { total_in, total_out, net } = chosen.total();
        let sources = &chosen.sources;
        let words = |word: &dyn Fn(&SourceStatus) -> String| {
            let words: Vec<_> = sources.iter().map(word).collect();
            crate::logging::line::clean(&words.join(", "))
        };
        // Writing to a String cannot fail.
        let _ = match self.name {
            "in" => write!(line, "{total_in}"),
            "out" => write!(line, "{total_out}"),
            "current" => write!(line, "{net}"),
            "net" => write!(line, "{net:+}"),
            "fps" => {
                let fps: f32 = sources.iter().map(|source| source.fps).sum();
                write!(line, "{fps:.1}")
            }
            "alias" => write!(line, "{}", words(&|source| source.alias.clone())),
            "status" => write!(line, "{}", words(&|source| source.status.word().to_owned())),
            "sources" => write!(line, "{}", sources.len()),
            "running" => {
                let running = sources.iter().filter(|source| source.status == StateKind::Running);
                write!(line, "{}", running.count())
            }
            _ => {
                let alert = |source: &SourceStatus| source.over_threshold() || source.last_error.is_some();
                write!(line, "{}", sources.iter().filter(|source| alert(source)).count())
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headless::text::tests::snapshot;

    fn render(template: &str) -> String {
        template.parse::<Template>().expect("a template").render(&Status::from(&snapshot()))
    }

    #[test]
    fn fields_give_totals_or_one_source() {
        assert_eq!(render("{in} in {out} out {current}"), "20 in 18 out 2");
        assert_eq!(render("{net} {sources} {running} {alerts}"), "+2 3 2 0");
        assert_eq!(render("{alias:camera_02}: {in:camera_02} {status:camera_02}"), "Side Exit: 5 Running");
        assert_eq!(render("{fps:camera_01}"), "25.3");
        assert_eq!(render("{alias}"), "Main Entrance, Side Exit, Video Test");
        assert_eq!(render("{in:nobody}"), "0");
        assert_eq!(render("{{{in}}} 100%\\n"), "{20} 100%\n");
        assert_eq!(render(""), "");
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        let told = |text: &str| text.parse::<Template>().expect_err("refused").to_string();
        assert_eq!(
            told("{ins} in"),
            "unknown field '{ins}' in --format, did you mean '{in}'?; known are {in} {out} {current} {net} \
             {fps} {alias} {status} {sources} {running} {alerts}"
        );
        assert!(told("{zzz}").starts_with("unknown field '{zzz}' in --format; known are"));
        for text in ["{in", "in}", "{in{out}", "{"] {
            assert!(told(text).contains("single brace"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_template_or_an_error(text in "\\PC{0,40}") {
            if let Ok(template) = text.parse::<Template>() {
                let _ = template.render(&Status::from(&snapshot()));
            }
        }
    }
}
