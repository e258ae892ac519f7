//! Results as a table or as JSON lines.

use std::{collections::BTreeMap, io::Write};

use serde_json::json;

use super::{costs::Costs, metrics::Figures};
use crate::{
    audit::{self, findings::Findings},
    model::Reason,
};

/// Counts of one line.
#[derive(Debug, Clone, Default)]
pub struct LineResult {
    pub scene: String,
    pub line: String,
    pub true_in: u64,
    pub true_out: u64,
    pub counted_in: u64,
    pub counted_out: u64,
    pub suppressed: BTreeMap<Reason, u64>,
}

impl LineResult {
    fn error(&self) -> u64 {
        self.counted_in.abs_diff(self.true_in) + self.counted_out.abs_diff(self.true_out)
    }
}

/// Agreement of the tracks of one clip with the true ones.
#[derive(Debug, Clone)]
pub struct TrackingResult {
    pub name: String,
    pub figures: Figures,
}

/// How far an evaluation came that was ended early.
#[derive(Debug, Clone)]
pub struct Cut {
    /// Scenes or sequences.
    pub what: &'static str,
    /// How many of them were finished.
    pub done: usize,
    /// And how many there are.
    pub of: usize,
    /// Frames played.
    pub frames: u64,
    /// And how many there are.
    pub frames_total: u64,
}

/// Writes results as they come.
pub struct ResultWriter<'a> {
    json: bool,
    out: &'a mut dyn Write,
    lines: u64,
    true_total: u64,
    error_total: u64,
    /// Kept back, so that one table is not cut by another.
    tracking: Vec<TrackingResult>,
    costs: Vec<Costs>,
    /// The same, by scene.
    audits: Vec<(String, Findings)>,
}

impl<'a> ResultWriter<'a> {
    pub fn new(json: bool, out: &'a mut dyn Write) -> Self {
        let (tracking, costs, audits) = (Vec::new(), Vec::new(), Vec::new());
        Self { json, out, lines: 0, true_total: 0, error_total: 0, tracking, costs, audits }
    }

    pub fn line(&mut self, line: &LineResult) -> std::io::Result<()> {
        let error = line.error();
        self.true_total += line.true_in + line.true_out;
        self.error_total += error;
        if self.json {
            let record = json!({
                "type": "line", "scene": line.scene, "line": line.line,
                "true_in": line.true_in, "true_out": line.true_out,
                "in": line.counted_in, "out": line.counted_out, "suppressed": line.suppressed,
            });
            writeln!(self.out, "{record}")?;
        } else {
            if self.lines == 0 {
                writeln!(
                    self.out,
                    "{:<26} {:<14} {:>9} {:>9} {:>6}  suppressed",
                    "scene", "line", "true", "counted", "error"
                )?;
            }
            let reasons: Vec<String> =
                line.suppressed.iter().map(|(reason, n)| format!("{n} {}", word(*reason))).collect();
            writeln!(
                self.out,
                "{:<26} {:<14} {:>9} {:>9} {error:>6}  {}",
                line.scene,
                line.line,
                format!("{}/{}", line.true_in, line.true_out),
                format!("{}/{}", line.counted_in, line.counted_out),
                reasons.join(", ")
            )?;
        }
        self.lines += 1;
        self.out.flush()
    }

    /// The lines of a scene that a person has watched, and what was right there.
    pub fn audit(&mut self, scene: &str, lines: &[LineResult], found: &Findings) -> std::io::Result<()> {
        for line in lines {
            self.line(line)?;
        }
        if self.json {
            for record in audit::render::records(scene, found) {
                writeln!(self.out, "{record}")?;
            }
            return self.out.flush();
        }
        self.audits.push((scene.to_owned(), found.clone()));
        Ok(())
    }

    pub fn tracking(&mut self, result: TrackingResult) {
        self.tracking.push(result);
    }

    /// What adaptive detection cost in one scene; a table gives the mean of all at its end.
    pub fn costs(&mut self, costs: Costs) -> std::io::Result<()> {
        if self.json {
            let Costs { scene, runs, pictures, seconds } = &costs;
            let record = json!({
                "type": "costs", "scene": scene, "runs": runs, "pictures": pictures, "seconds": seconds,
            });
            writeln!(self.out, "{record}")?;
        }
        self.costs.push(costs);
        Ok(())
    }

    /// Time that tracking took, in milliseconds a frame.
    pub fn speed(&mut self, milliseconds: f64) -> std::io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", json!({ "type": "speed", "ms_per_frame": milliseconds }))
        } else {
            writeln!(self.out, "{milliseconds:.4} ms a frame")
        }
    }

    /// Writes what was kept back, the sum, and where the evaluation was cut short, if it was.
    pub fn finish(&mut self, cut: Option<&Cut>) -> std::io::Result<()> {
        if !self.json && !self.tracking.is_empty() {
            writeln!(
                self.out,
                "{:<26} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6}",
                "tracks", "HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "FP", "FN"
            )?;
        }
        for TrackingResult { name, figures: f } in &self.tracking {
            if self.json {
                let record = json!({
                    "type": "tracking", "scene": name, "hota": f.hota, "deta": f.deta, "assa": f.assa,
                    "idf1": f.idf1, "mota": f.mota, "switches": f.switches,
                    "false_positives": f.false_positives, "false_negatives": f.false_negatives,
                });
                writeln!(self.out, "{record}")?;
            } else {
                let [hota, deta, assa, idf1, mota] =
                    [f.hota, f.deta, f.assa, f.idf1, f.mota].map(|share| 100.0 * share);
                writeln!(
                    self.out,
                    "{name:<26} {hota:>6.1} {deta:>6.1} {assa:>6.1} {idf1:>6.1} {mota:>6.1} {:>6} {:>6} {:>6}",
                    f.switches, f.false_positives, f.false_negatives
                )?;
            }
        }
        for (scene, found) in &self.audits {
            writeln!(self.out, "{scene}: what a person saw and what is counted")?;
            audit::render::text(found, self.out)?;
        }
        if self.lines > 0 {
            let relative = self.error_total as f64 / self.true_total.max(1) as f64;
            if self.json {
                let record = json!({
                    "type": "total", "true": self.true_total, "error": self.error_total, "relative": relative,
                });
                writeln!(self.out, "{record}")?;
            } else {
                writeln!(
                    self.out,
                    "total: {} errors of {} crossings ({:.1} %)",
                    self.error_total,
                    self.true_total,
                    100.0 * relative
                )?;
            }
        }
        if !self.json && !self.costs.is_empty() {
            let mean = |rate: fn(&Costs) -> f64| {
                self.costs.iter().map(|costs| rate(costs) / costs.seconds.max(0.1)).sum::<f64>()
                    / self.costs.len() as f64
            };
            writeln!(
                self.out,
                "detection runs: {:.1} a second, which cost as much as {:.1} on full frames at the default \
                 input size",
                mean(|costs| costs.runs as f64),
                mean(|costs| costs.pictures)
            )?;
        }
        if let Some(Cut { what, done, of, frames, frames_total }) = cut {
            if self.json {
                let record = json!({
                    "type": "cut_short", *what: done, "of": of, "frames": frames, "frames_total": frames_total,
                });
                writeln!(self.out, "{record}")?;
            } else {
                let rows = if *done == 0 { "" } else { "; the rows above are whole" };
                writeln!(
                    self.out,
                    "cut short: {done} of {of} {what}, {frames} of {frames_total} frames{rows}"
                )?;
            }
        }
        self.out.flush()
    }
}

/// The reason as it is serialised.
fn word(reason: Reason) -> String {
    json!(reason).as_str().unwrap_or_default().to_owned()
}
