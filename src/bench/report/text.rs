//! A report of a machine as text for people.

use std::fmt::Write as _;

use super::{Figure, MachineReport};

impl MachineReport {
    /// As text for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // A text takes everything.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let Self { program, machine, libraries, detector, source, costs, capacity, .. } = self;
        writeln!(out, "pcount-tui {}, {} build, {} report", program.version, program.build, self.plan)?;
        let is_virtual = if machine.is_virtual { "virtual " } else { "" };
        writeln!(
            out,
            "  machine              {}, {} {is_virtual}cores, {:.1} GiB",
            machine.cpu, machine.cores, machine.memory_gib
        )?;
        writeln!(out, "  instruction sets     {}", machine.instruction_sets.join(" "))?;
        writeln!(
            out,
            "  system               {}, Linux {}, {}",
            machine.os, machine.kernel, machine.architecture
        )?;
        writeln!(out, "  libraries            OpenCV {}, FFmpeg {}", libraries.opencv, libraries.ffmpeg)?;
        writeln!(out, "  detector             {} ({})", detector.name, detector.engine)?;
        let what = match (source.scene, &source.codec) {
            (Some(scene), _) => format!("demo scene '{scene}', drawn instead of decoded"),
            (None, Some(codec)) => format!("a file, {codec}"),
            (None, None) => "a file".to_owned(),
        };
        writeln!(
            out,
            "  source               {what}, {}x{} at {:.0}",
            source.width, source.height, source.fps
        )?;
        writeln!(out, "  {}", self.load_in_words())?;
        if program.build == "debug" {
            writeln!(out, "  a debug build is slower: measure with a release build")?;
        }
        writeln!(out, "as fast as possible, {} rounds of {} streams", costs.rounds, costs.streams)?;
        let mut row = |name: &str, figure: Option<Figure>, unit: &str| match figure {
            Some(figure) => writeln!(
                out,
                "  {name:<20} {:.2} {unit} ({:.2} to {:.2})",
                figure.median, figure.min, figure.max
            ),
            None => writeln!(out, "  {name:<20} not measured"),
        };
        row("CPU a frame", Some(costs.cpu_ms_per_frame), "ms")?;
        row("decoding alone", costs.decode_cpu_ms_per_frame, "ms a frame")?;
        row("CPU a detection run", costs.cpu_ms_per_detection, "ms")?;
        row("detection runs", Some(costs.detections_per_frame), "a frame")?;
        row("all streams", Some(costs.frames_per_second), "frames per second")?;
        writeln!(out, "live cameras   fps slowest   detections/s   99 of 100 within   cores   memory")?;
        for made in &capacity.tries {
            writeln!(
                out,
                "  {:>10}   {:>11.1}   {:>12.1}   {:>13.0} ms   {:>5.2}   {:>3.0} MiB{}",
                made.streams,
                made.fps_min,
                made.detect_fps_median,
                made.frame_age_p99_ms,
                made.cpu_cores,
                made.memory_mib,
                if made.carried { "" } else { "   too many" }
            )?;
        }
        let fewest = capacity.tries.iter().map(|made| made.streams).min().unwrap_or(0);
        let streams = if capacity.tries.iter().all(|made| made.carried) {
            format!("at least {}", capacity.streams)
        } else if capacity.streams == 0 && fewest > 1 {
            format!("fewer than {fewest}")
        } else {
            capacity.streams.to_string()
        };
        writeln!(
            out,
            "  this machine carries {streams} of them at {:.0} % or more of their frame rate",
            capacity.required_percent
        )
    }

    fn load_in_words(&self) -> String {
        let load = &self.load;
        let shares = (load.programs_before, load.programs_during, load.stolen_before, load.stolen_during);
        let (Some(before), Some(during), Some(stolen_before), Some(stolen_during)) = shares else {
            return "NOT KNOWN TO BE QUIET: the system does not tell what other programs do".into();
        };
        let facts = format!(
            "other programs took {before:.1} % of the cores before and {during:.1} % meanwhile, other virtual machines \
             {stolen_before:.1} and {stolen_during:.1} %"
        );
        if self.quiet {
            format!("quiet: {facts}")
        } else {
            format!("NOT QUIET, not to be compared: {facts}; stop what else runs and measure again")
        }
    }
}
