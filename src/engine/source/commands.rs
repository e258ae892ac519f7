//! What can be asked of a source: a file for each, and a line in the list below.

use serde::{Deserialize, Serialize};

use super::{actor::Actor, command::Ask};

mod labels;
mod schedule;

pub(in crate::engine) use labels::SetLabels;
pub(in crate::engine) use lines::SetDrawn;
pub(in crate::engine) use pause::PauseWithAll;
pub(in crate::engine) use schedule::SetSchedule;

/// Declares the commands: the file of each, and its name, which is that of a type in the file that implements [`Ask`].
macro_rules! commands {
    ($($(#[$doc:meta])* $file:ident: $name:ident),* $(,)?) => {
        $(mod $file;)*
        $(pub use self::$file::$name;)*

        /// Something that is asked of one source.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum SourceCommand {
            $($(#[$doc])* $name($name),)*
        }

        impl SourceCommand {
            /// As the actor takes it.
            pub(crate) fn ask(self) -> Box<dyn Ask<Actor>> {
                match self {
                    $(Self::$name(command) => Box::new(command),)*
                }
            }
        }

        $(impl From<$name> for SourceCommand {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })*
    };
}

commands! {
    /// Stop reading, or go on; counts stay.
    pause: Pause,
    /// Reconnect now: ends a countdown, re-reads a file from its start with its counts at zero.
    restart: Restart,
    /// Reset the counts.
    reset: ResetCounts,
    /// Replace the counting lines, zones and ignored regions; counts of lines that keep their name are kept.
    lines: SetLines,
    /// Ask for previews, or stop it.
    preview: Preview,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LineConfig;

    #[test]
    fn commands_are_data_that_comes_back_equal() {
        let (lines, zones) = (vec![LineConfig::default()], Vec::new());
        let ignore = Some(vec![vec![[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]]);
        for command in [
            Pause(true).into(),
            Pause(false).into(),
            Restart.into(),
            ResetCounts.into(),
            SetLines { lines: lines.clone(), zones, ignore }.into(),
            SetLines { lines, zones: Vec::new(), ignore: None }.into(),
            SourceCommand::from(Preview(true)),
        ] {
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<SourceCommand>(&text).unwrap(), command, "{text}");
        }
    }
}
