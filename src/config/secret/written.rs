//! The ways in which a character is written: as it is, percent-encoded, escaped as in JSON, Rust, a shell or HTML.

/// Shortest secret that is hidden wherever it stands. The removal of a shorter one would garble every text and hide
/// little: it is hidden between `:` and `@`, and together with the name of its user.
pub(super) const SHORTEST: usize = 4;

/// Most steps of comparing one secret at one place, so that no text can be built that takes for ever.
const MOST_STEPS: usize = 20_000;

/// FFmpeg cuts its lines off at 1,024 bytes; what is nearly as long may have lost its end.
const CUT: usize = 1000;

/// Longest character reference of HTML, such as `&#x0027;`.
const LONGEST_ENTITY: usize = 10;

/// What the text at `at` may stand for: a character, and how many bytes it takes. Empty at the end of the text.
pub(super) fn readings(text: &str, at: usize) -> Vec<(char, usize)> {
    let rest = &text[at..];
    let Some(literal) = rest.chars().next() else { return Vec::new() };
    let mut found = vec![(literal, literal.len_utf8())];
    match literal {
        '+' => found.push((' ', 1)),
        '%' => found.extend((0..3).filter_map(|times| percent(rest, times))),
        '\\' => escape(rest, &mut found),
        '&' => found.extend(entity(rest)),
        '\'' => {
            let quoted = ["'\\''", "'\"'\"'"].into_iter().filter(|quoted| rest.starts_with(quoted));
            found.extend(quoted.map(|quoted| ('\'', quoted.len())));
        }
        _ => {}
    }
    found
}

/// `%40`, `%c3%a9`, and what was encoded again (`times`): `%2540`.
fn percent(rest: &str, times: usize) -> Option<(char, usize)> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while bytes.len() < 4 {
        let mut next = rest.get(at..)?.strip_prefix('%')?;
        for _ in 0..times {
            next = next.strip_prefix("25")?;
        }
        let digits = next.get(..2).filter(|digits| is_hex(Some(digits)))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        at += 1 + 2 * times + 2;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            return text.chars().next().map(|c| (c, at));
        }
    }
    None
}

fn is_hex(digits: Option<&str>) -> bool {
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What a backslash begins, or several where a text was escaped more than once.
fn escape(rest: &str, found: &mut Vec<(char, usize)>) {
    let slashes = rest.len() - rest.trim_start_matches('\\').len();
    for before in 1..=slashes.min(4) {
        let after = &rest[before..];
        let Some(letter) = after.chars().next() else { continue };
        found.push((letter, before + letter.len_utf8()));
        let hex = |from: usize, length: usize| {
            let digits = after.get(from..from + length).filter(|digits| is_hex(Some(digits)))?;
            u32::from_str_radix(digits, 16).ok()
        };
        let meant = match letter {
            'n' => Some(('\n', 1)),
            'r' => Some(('\r', 1)),
            't' => Some(('\t', 1)),
            'b' => Some(('\u{8}', 1)),
            'f' => Some(('\u{c}', 1)),
            'e' => Some(('\u{1b}', 1)),
            '0' => Some(('\0', 1)),
            'x' => hex(1, 2).and_then(char::from_u32).map(|c| (c, 3)),
            'u' if after[1..].starts_with('{') => after.find('}').and_then(|end| {
                let code = u32::from_str_radix(after.get(2..end)?, 16).ok()?;
                Some((char::from_u32(code)?, end + 1))
            }),
            'u' => hex(1, 4).and_then(|code| match code {
                0xd800..0xdc00 => {
                    let low = after[5..].strip_prefix(&rest[..before]).filter(|low| low.starts_with('u'))?;
                    let low = u32::from_str_radix(low.get(1..5)?, 16).ok()?.checked_sub(0xdc00)?;
                    let code = 0x10000 + ((code - 0xd800) << 10) + low;
                    Some((char::from_u32(code)?, 5 + before + 5))
                }
                _ => Some((char::from_u32(code)?, 5)),
            }),
            _ => None,
        };
        found.extend(meant.map(|(c, length)| (c, before + length)));
    }
}

/// `&amp;`, `&#39;`, `&#x27;`.
fn entity(rest: &str) -> Option<(char, usize)> {
    let end = rest.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let c = match rest.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

/// Whether a character may be the first of one that is written in another way.
pub(super) fn is_escape(c: char) -> bool {
    matches!(c, '+' | '%' | '\\' | '&' | '\'')
}

/// Where `secret`, which begins at `at` of `text`, ends; each character in whatever form. The longest of several
/// ways to read it. A text of [`CUT`] bytes or more may have been cut off inside the secret.
pub(super) fn end_of(secret: &[char], text: &str, at: usize) -> Option<usize> {
    let mut best = None;
    let mut open = vec![(0, at)];
    for _ in 0..MOST_STEPS {
        let Some((matched, at)) = open.pop() else { break };
        if matched == secret.len() || (matched >= SHORTEST && at == text.len() && at >= CUT) {
            best = best.max(Some(at));
            continue;
        }
        let next = readings(text, at).into_iter().filter(|(c, _)| *c == secret[matched]);
        open.extend(next.map(|(_, length)| (matched + 1, at + length)));
    }
    best
}
