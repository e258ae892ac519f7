//! Names that commands had in earlier versions.

use crate::config::edit::Renamed;

/// Each with the names that it has now: one for each screen where it means something of its own. docs/upgrading.md lists them.
pub const RENAMED: &[Renamed] = &[
    ("alert", &["alerts"]),
    ("fewer", &["fewer-workers", "narrower", "shorter", "fewer-levels", "farther", "remove-corner"]),
    ("more", &["more-workers", "wider", "longer", "more-levels", "nearer", "add-corner"]),
    ("report", &["history"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::COMMANDS;

    #[test]
    fn a_name_of_before_is_none_of_today_and_leads_to_names_of_today() {
        let is_a_command = |name: &str| COMMANDS.iter().any(|command| command.name == name);
        for (old, new) in RENAMED {
            assert!(!is_a_command(old), "{old}");
            assert!(!new.is_empty() && new.iter().all(|name| is_a_command(name)), "{old}");
        }
    }
}
