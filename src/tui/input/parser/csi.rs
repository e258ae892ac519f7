//! What a control sequence means: a key, the mouse, or nothing that concerns us.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// The event of `CSI parameters final`; `None` for reports and replies.
pub(super) fn event(parameters: &[u8], last: u8) -> Option<Event> {
    if let Some(rest) = parameters.strip_prefix(b"<") {
        return match last {
            b'M' | b'm' => sgr_mouse(rest, last == b'm'),
            _ => None,
        };
    }
    let numbers = Numbers::parse(parameters)?;
    match last {
        b'A'..=b'F' | b'H' | b'P' | b'Q' | b'S' => {
            let modifiers = match numbers.0.as_slice() {
                [] => KeyModifiers::NONE,
                [first] if first[0] <= 1 => KeyModifiers::NONE,
                [first, second] if first[0] <= 1 => modifiers(second[0])?,
                _ => return None,
            };
            let kind = numbers.kind(1)?;
            Some(Event::Key(KeyEvent::new_with_kind(letter(last)?, modifiers, kind)))
        }
        b'Z' if parameters.is_empty() => Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        b'~' => tilde(&numbers),
        b'u' => unicode(numbers.first(0)?, &numbers, 1),
        b'M' => match numbers.0.as_slice() {
            // urxvt's mouse reports.
            [button, x, y] => mouse(button[0].checked_sub(32)?, x[0], y[0], false),
            _ => None,
        },
        _ => None,
    }
}

/// The key of `SS3 parameters final`.
pub(super) fn ss3(parameters: &[u8], last: u8) -> Option<Event> {
    let numbers = Numbers::parse(parameters)?;
    let modifiers = match numbers.0.last() {
        Some(last) => modifiers(last[0])?,
        None => KeyModifiers::NONE,
    };
    let code = match last {
        // The keypad in application mode.
        b'M' => KeyCode::Enter,
        b'I' => KeyCode::Tab,
        b'X' => KeyCode::Char('='),
        b'j'..=b'y' => KeyCode::Char(char::from(last - 0x40)),
        _ => letter(last)?,
    };
    Some(key(code, modifiers))
}

/// The mouse event of the three bytes behind `CSI M`.
pub(super) fn x10(bytes: &[u8]) -> Option<Event> {
    let &[button, x, y] = bytes else { return None };
    let number = |byte: u8| byte.checked_sub(32).map(u32::from);
    mouse(number(button)?, number(x)?, number(y)?, false)
}

/// Parameters, each with its sub-parameters; an empty one is 0.
struct Numbers(Vec<Vec<u32>>);

impl Numbers {
    /// `None` where there is anything but numbers, `;` and `:`: private reports and intermediate bytes.
    fn parse(parameters: &[u8]) -> Option<Self> {
        if parameters.is_empty() {
            return Some(Self(Vec::new()));
        }
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0u32, |sum, digit| {
                digit.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
            })
        };
        let parts = parameters.split(|byte| *byte == b';');
        let parts = parts.map(|part| part.split(|byte| *byte == b':').map(number).collect());
        parts.collect::<Option<Vec<Vec<u32>>>>().map(Self)
    }

    fn first(&self, index: usize) -> Option<u32> {
        self.0.get(index).map(|numbers| numbers[0])
    }

    /// What happened to the key, as Kitty's protocol tells it behind the modifiers. `None` for unknown ones.
    fn kind(&self, index: usize) -> Option<KeyEventKind> {
        match self.0.get(index).and_then(|numbers| numbers.get(1)).copied() {
            None | Some(0 | 1) => Some(KeyEventKind::Press),
            Some(2) => Some(KeyEventKind::Repeat),
            Some(3) => Some(KeyEventKind::Release),
            Some(_) => None,
        }
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// xterm's modifier parameter: 1 and a bit for each.
fn modifiers(parameter: u32) -> Option<KeyModifiers> {
    let bits = parameter.max(1) - 1;
    let table = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    // Caps Lock (64) and Num Lock (128) change nothing.
    (bits < 256).then(|| {
        table.iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |all, (_, one)| all | *one)
    })
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

fn tilde(numbers: &Numbers) -> Option<Event> {
    let first = numbers.first(0)?;
    if first == 27 {
        // xterm's modifyOtherKeys: 27 ; modifiers ; character.
        return unicode(numbers.first(2)?, numbers, 1);
    }
    let code = match first {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(first - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(first - 11).ok()?),
        23..=26 => KeyCode::F(u8::try_from(first - 12).ok()?),
        28 | 29 => KeyCode::F(u8::try_from(first - 13).ok()?),
        31..=34 => KeyCode::F(u8::try_from(first - 14).ok()?),
        _ => return None,
    };
    let modifiers = modifiers(numbers.first(1).unwrap_or(1))?;
    Some(Event::Key(KeyEvent::new_with_kind(code, modifiers, numbers.kind(1)?)))
}

/// The key of a code point, with its modifiers in the parameter `at`.
fn unicode(code: u32, numbers: &Numbers, at: usize) -> Option<Event> {
    let mut modifiers = modifiers(numbers.first(at).unwrap_or(1))?;
    let code = match code {
        9 if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        code => {
            let mut character = char::from_u32(code).filter(|c| !c.is_control())?;
            // Kitty numbers keys without a character here.
            if ('\u{e000}'..='\u{f8ff}').contains(&character) {
                return None;
            }
            if modifiers.contains(KeyModifiers::SHIFT) {
                // The capital letter says it.
                modifiers -= KeyModifiers::SHIFT;
                character = character.to_uppercase().next().unwrap_or(character);
            }
            KeyCode::Char(character)
        }
    };
    Some(Event::Key(KeyEvent::new_with_kind(code, modifiers, numbers.kind(at)?)))
}

fn sgr_mouse(parameters: &[u8], released: bool) -> Option<Event> {
    match Numbers::parse(parameters)?.0.as_slice() {
        [button, x, y] => mouse(button[0], x[0], y[0], released),
        _ => None,
    }
}

/// `x` and `y` count from 1.
fn mouse(button: u32, x: u32, y: u32, released: bool) -> Option<Event> {
    let cell = |number: u32| u16::try_from(number.checked_sub(1)?).ok();
    let named = match button & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button & 0b1100_0000, button & 32 != 0, named) {
        (64, false, _) => match button & 3 {
            0 => MouseEventKind::ScrollUp,
            1 => MouseEventKind::ScrollDown,
            2 => MouseEventKind::ScrollLeft,
            _ => MouseEventKind::ScrollRight,
        },
        (0, true, Some(button)) => MouseEventKind::Drag(button),
        (0, true, None) => MouseEventKind::Moved,
        (0, false, Some(button)) if released => MouseEventKind::Up(button),
        (0, false, Some(button)) => MouseEventKind::Down(button),
        // X10 reports do not say which button was released.
        (0, false, None) => MouseEventKind::Up(MouseButton::Left),
        _ => return None,
    };
    let mut modifiers = KeyModifiers::NONE;
    for (bit, one) in [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)] {
        if button & bit != 0 {
            modifiers |= one;
        }
    }
    Some(Event::Mouse(MouseEvent { kind, column: cell(x)?, row: cell(y)?, modifiers }))
}
