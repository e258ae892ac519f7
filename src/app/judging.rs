//! What the screens ask about single crossings: their strips out of the evidence, and what was said of them out of the
//! ledger.

use jiff::Timestamp;

use super::history::Past;
use crate::{
    audit::sample::{Sample, crossed},
    clock::SystemClock,
    evidence::{Facts, Query, Reader},
    host::crossings::{CrossingDetails, CrossingsAnswer, CrossingsQuery, MOST, NewJudgment, Strip},
    ledger::{self, FILE_NAME, LedgerError, note_judgment},
    model::Judgment,
    native::process,
};

impl Past {
    /// The crossings asked for that have strips, with what was said of those that were drawn at random.
    ///
    /// # Errors
    /// When evidence or ledger cannot be read.
    pub fn crossings(&self, asked: &CrossingsQuery) -> Result<CrossingsAnswer, String> {
        let query = Query {
            source: asked.source.clone(),
            line: asked.line.clone(),
            since: asked.since,
            until: asked.until,
            limit: if asked.at_random { usize::MAX } else { MOST },
            ..Query::default()
        };
        let found = Reader::new(&self.folder).list(&query).map_err(|error| error.to_string())?;
        let found: Vec<Facts> = found.into_iter().map(|entry| entry.facts).collect();
        if !asked.at_random {
            return Ok(CrossingsAnswer::InTime(found));
        }
        Ok(CrossingsAnswer::AtRandom(Sample::draw(found, &self.judgments(asked.since, asked.until)?)))
    }

    /// What is known of a crossing.
    ///
    /// # Errors
    /// When evidence or ledger cannot be read, or the strip is damaged.
    pub fn crossing(&self, facts: &Facts) -> Result<CrossingDetails, String> {
        let reader = Reader::new(&self.folder);
        let say = |error: crate::evidence::EvidenceError| error.to_string();
        let entry = reader.find(&facts.source, &facts.line, facts.track, facts.wall).map_err(say)?;
        let wanted = crossed(facts);
        let judgment = self.judgments(facts.wall, facts.wall.saturating_add(1))?;
        let judgment = judgment.into_iter().rfind(|judgment| judgment.crossed == wanted);
        let Some(entry) = entry else {
            return Ok(CrossingDetails { facts: facts.clone(), strip: None, judgment });
        };
        let picture = reader.picture(entry.key).map_err(say)?;
        let strip = picture.map(|picture| {
            let pictures = picture.pixels().map_err(|_| format!("strip '{}' is damaged", entry.key))?;
            Ok::<_, String>(Strip { key: entry.key, blurred: entry.blurred, pictures, marks: picture.marks })
        });
        Ok(CrossingDetails { facts: entry.facts, strip: strip.transpose()?, judgment })
    }

    /// Writes what the user says of a crossing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn judge(
        &self,
        NewJudgment { facts, verdict, weight, who }: &NewJudgment,
    ) -> Result<Judgment, String> {
        let judgment = Judgment {
            wall: Timestamp::now().as_millisecond(),
            crossed: crossed(facts),
            direction: facts.direction,
            reason: facts.reason,
            verdict: *verdict,
            weight: *weight,
            who: who.clone().unwrap_or_else(process::user),
        };
        let noted = note_judgment(&self.folder.join(FILE_NAME), &judgment, &SystemClock);
        noted.map(|()| judgment).map_err(|error| format!("the judgment is not saved: {error}"))
    }

    /// What was said of the crossings of a time.
    fn judgments(&self, since: i64, until: i64) -> Result<Vec<Judgment>, String> {
        let reader = ledger::Reader::open(&self.folder.join(FILE_NAME));
        match reader.and_then(|reader| reader.judgments(since, until)) {
            // Before the first crossing there is no ledger, and nothing was said.
            Err(LedgerError::Missing { .. }) => Ok(Vec::new()),
            judgments => judgments.map_err(|error| error.to_string()),
        }
    }
}
