//! One table of commands drives the keys, the help screen, the hints in the footer and the palette.
//!
//! A key means the same on every screen; where a command is of one screen alone, its key means that there. Not used by default: `Ctrl-b` and `Ctrl-a` (tmux and screen),
//! `Ctrl-s` and `Ctrl-q` (flow control), Alt chords and function keys (unreliable over SSH).

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{action::Action, screen_id::ScreenId};
use crate::config;

mod commands;
mod renamed;

pub use commands::{COMMANDS, Command, Section};
pub use renamed::RENAMED;

/// One key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct Key {
    /// Which key; a letter with Shift is the capital letter.
    pub code: KeyCode,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt or Meta, which terminals do not tell apart.
    pub alt: bool,
    /// With Shift; only for keys that are not characters.
    pub shift: bool,
}

impl From<KeyCode> for Key {
    fn from(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }
}

/// Keys with a name, as they are written in the configuration and shown in the help.
const NAMES: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

impl Key {
    /// The key of an event; `None` with a modifier that no command can have (Super, Hyper).
    #[must_use]
    pub fn of(event: KeyEvent) -> Option<Self> {
        let has = |modifiers| event.modifiers.intersects(modifiers);
        if has(KeyModifiers::SUPER | KeyModifiers::HYPER) {
            return None;
        }
        let is_character = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab);
        Some(Self {
            code: event.code,
            ctrl: has(KeyModifiers::CONTROL),
            alt: has(KeyModifiers::ALT | KeyModifiers::META),
            shift: !is_character && has(KeyModifiers::SHIFT),
        })
    }

    /// Which key, when it is pressed without Ctrl, Alt and Shift (which letters have in themselves).
    #[must_use]
    pub fn plain(self) -> Option<KeyCode> {
        (!self.ctrl && !self.alt && !self.shift).then_some(self.code)
    }

    /// The key that `text` names, such as `p`, `P`, `space`, `ctrl-l`, `shift-left`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((_, code)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Some(Self::from(*code));
        }
        if let Some(rest) = text.strip_prefix("ctrl-") {
            return Self::parse(rest).map(|key| Self { ctrl: true, ..key });
        }
        if let Some(rest) = text.strip_prefix("alt-") {
            return Self::parse(rest).map(|key| Self { alt: true, ..key });
        }
        if let Some(rest) = text.strip_prefix("shift-") {
            let key = Self::parse(rest).filter(|key| !matches!(key.code, KeyCode::Char(_)))?;
            return Some(Self { shift: true, ..key });
        }
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' => Some(Self::from(KeyCode::Char(c))),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if self.shift {
            f.write_str("shift-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(number)) => write!(f, "f{number}"),
            (None, KeyCode::Insert) => f.write_str("insert"),
            (None, _) => f.write_str("?"),
        }
    }
}

/// Which key does what, defaults and the user's changes together.
#[derive(Debug, Clone)]
pub struct Keymap {
    commands: HashMap<Key, Vec<&'static Command>>,
    keys: BTreeMap<Action, Vec<Key>>,
    /// Whether the engine is another program's and goes on when the screens are left.
    pub is_attached: bool,
}

impl Keymap {
    /// The default keys with `changes` (keys by the name of the command) laid over them, and a sentence for
    /// everything in `changes` that cannot be followed; such an entry leaves its command's default keys.
    #[must_use]
    pub fn new(changes: &BTreeMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut chosen: BTreeMap<Action, Vec<Key>> = BTreeMap::new();
        for (name, keys) in changes {
            let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
                problems.push(unknown_command(name));
                continue;
            };
            let parsed: Result<Vec<Key>, &String> =
                keys.iter().map(|key| Key::parse(key).ok_or(key)).collect();
            match parsed {
                Ok(parsed) => {
                    chosen.insert(command.action, parsed);
                }
                Err(key) => problems.push(format!(
                    "keys: '{key}' for '{name}' is not a key; write 'p', 'P', 'space', 'ctrl-l' or 'shift-left'"
                )),
            }
        }
        let mut map = Self { commands: HashMap::new(), keys: BTreeMap::new(), is_attached: false };
        // What the user chose takes a key away from a default; two choices for one key are a conflict.
        for command in COMMANDS {
            for key in chosen.get(&command.action).into_iter().flatten() {
                let held = map.commands.entry(*key).or_default();
                if let Some(other) = held.iter().position(|other| meet(other, command)) {
                    let other = held.remove(other);
                    problems.push(format!(
                        "keys: '{key}' is given to both '{}' and '{}'; '{}' has it",
                        other.name, command.name, command.name
                    ));
                }
                held.push(command);
            }
        }
        let taken = map.commands.clone();
        for command in COMMANDS.iter().filter(|command| !chosen.contains_key(&command.action)) {
            for key in command.keys.iter().filter_map(|key| Key::parse(key)) {
                let takes = |other: &&Command| other.on.is_empty() || meet(other, command);
                let is_taken = taken.get(&key).is_some_and(|held| held.iter().any(takes));
                if !is_taken {
                    map.commands.entry(key).or_default().push(command);
                }
            }
        }
        // Without a way out the program could only be killed.
        let interrupt = COMMANDS.iter().filter(|command| command.action == Action::Interrupt).collect();
        map.commands.insert(Key { ctrl: true, ..KeyCode::Char('c').into() }, interrupt);
        for command in COMMANDS {
            let listed: Vec<Key> = chosen
                .get(&command.action)
                .cloned()
                .unwrap_or_else(|| command.keys.iter().filter_map(|key| Key::parse(key)).collect());
            let has = |key: &Key| {
                map.commands
                    .get(key)
                    .is_some_and(|held| held.iter().any(|other| other.action == command.action))
            };
            let held = listed.into_iter().filter(has).collect();
            map.keys.insert(command.action, held);
        }
        (map, problems)
    }

    /// What a key does on a screen. What is of that screen alone goes before what is of all.
    #[must_use]
    pub fn action(&self, key: Key, screen: ScreenId) -> Option<Action> {
        let held = self.commands.get(&key)?;
        let here = held.iter().find(|command| command.on.contains(&screen));
        here.or_else(|| held.iter().find(|command| command.on.is_empty())).map(|command| command.action)
    }

    /// A command that a key runs on some other screen.
    #[must_use]
    pub fn elsewhere(&self, key: Key) -> Option<&'static Command> {
        self.commands.get(&key)?.first().copied()
    }

    /// The keys of an action, first the one to show in hints.
    #[must_use]
    pub fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The keys of an action as text, `+` and `-` for example; empty when it has none.
    #[must_use]
    pub fn keys_text(&self, action: Action) -> String {
        self.keys(action).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The word for a command in the footer.
    #[must_use]
    pub fn label(&self, command: &Command) -> &'static str {
        match command.action {
            Action::Quit | Action::Interrupt if self.is_attached => "detach",
            Action::QuitKeepTable if self.is_attached => "detach, keep",
            _ => command.label,
        }
    }

    /// The sentence for a command in the help.
    #[must_use]
    pub fn help(&self, command: &Command) -> &'static str {
        match command.action {
            Action::Quit if self.is_attached => "back, or detach from the overview; the engine goes on",
            Action::QuitKeepTable if self.is_attached => "detach and leave the table; the engine goes on",
            Action::Interrupt if self.is_attached => "detach at once; the engine goes on",
            _ => command.help,
        }
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new(&BTreeMap::new()).0
    }
}

/// Whether one key cannot run both: both on all screens, or both on the same one. On its screen, a command of that screen alone
/// goes before one of all.
fn meet(a: &Command, b: &Command) -> bool {
    a.on.is_empty() && b.on.is_empty() || a.on.iter().any(|screen| b.on.contains(screen))
}

fn unknown_command(name: &str) -> String {
    if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == name) {
        let new: Vec<String> = new.iter().map(|new| format!("'{new}'")).collect();
        return format!(
            "keys: no command is called '{name}' any more but {}; 'pcount-tui config migrate FILE' writes that into the file",
            new.join(", ")
        );
    }
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    match config::nearest(name, &names) {
        Some(near) => format!("keys: no command is called '{name}'; did you mean '{near}'?"),
        None => format!("keys: no command is called '{name}'; the help screen lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_can_be_parsed_and_belongs_to_one_command() {
        let mut seen: HashMap<Key, Vec<&Command>> = HashMap::new();
        for command in COMMANDS {
            for text in command.keys {
                let key = Key::parse(text).unwrap_or_else(|| panic!("{text}"));
                assert_eq!(key.to_string(), *text);
                let others: &mut Vec<&Command> = seen.entry(key).or_default();
                if let Some(other) = others.iter().find(|other| meet(other, command)) {
                    panic!("'{text}' is in both {} and {}", other.name, command.name);
                }
                others.push(command);
            }
        }
    }

    #[test]
    fn keys_that_tmux_screen_and_flow_control_need_are_free() {
        for text in ["ctrl-a", "ctrl-b", "ctrl-s", "ctrl-q"] {
            assert_eq!(
                Keymap::default().action(Key::parse(text).unwrap(), ScreenId::Overview),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn names_and_actions_are_unique_and_every_command_is_described() {
        let names: std::collections::BTreeSet<_> = COMMANDS.iter().map(|c| c.name).collect();
        let actions: std::collections::BTreeSet<_> = COMMANDS.iter().map(|c| c.action).collect();
        assert_eq!((names.len(), actions.len()), (COMMANDS.len(), COMMANDS.len()));
        assert!(COMMANDS.iter().all(|c| !c.help.is_empty() && !c.label.is_empty()));
    }

    fn with(changes: &[(&str, &[&str])]) -> (Keymap, Vec<String>) {
        let changes = changes
            .iter()
            .map(|(name, keys)| ((*name).to_string(), keys.iter().map(|key| (*key).to_string()).collect()))
            .collect();
        Keymap::new(&changes)
    }

    #[test]
    fn a_users_key_takes_it_from_the_default() {
        let (map, problems) = with(&[("pause", &["x", "ctrl-p"]), ("freeze", &["p"])]);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(map.action(Key::parse("x").unwrap(), ScreenId::Overview), Some(Action::Pause));
        assert_eq!(map.action(Key::parse("p").unwrap(), ScreenId::Overview), Some(Action::Freeze));
        assert_eq!(map.action(Key::parse("f").unwrap(), ScreenId::Overview), None);
        assert_eq!(map.keys_text(Action::Pause), "x ctrl-p");
    }

    #[test]
    fn mistakes_in_the_users_keys_are_told_and_change_nothing_else() {
        let (map, problems) =
            with(&[("pase", &["x"]), ("freeze", &["hyper-q"]), ("help", &["z"]), ("copy", &["z"])]);
        assert_eq!(
            problems,
            [
                "keys: 'hyper-q' for 'freeze' is not a key; write 'p', 'P', 'space', 'ctrl-l' or 'shift-left'",
                "keys: no command is called 'pase'; did you mean 'pause'?",
                "keys: 'z' is given to both 'copy' and 'help'; 'help' has it",
            ]
        );
        assert_eq!(map.action(Key::parse("f").unwrap(), ScreenId::Overview), Some(Action::Freeze));
    }

    #[test]
    fn ctrl_c_always_leaves() {
        let (map, _) = with(&[("interrupt", &["x"]), ("copy", &["ctrl-c"])]);
        assert_eq!(map.action(Key::parse("ctrl-c").unwrap(), ScreenId::Overview), Some(Action::Interrupt));
    }
}
