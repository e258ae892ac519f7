use crossterm::event::{MouseButton, MouseEventKind};

use super::*;
use crate::tui::keymap::Key;

/// Keys by their names, everything else by a word, after all of `bytes` has come at once and then nothing.
fn read(bytes: &[u8]) -> Vec<String> {
    read_in_pieces(&[bytes])
}

/// The pieces come one by one, close together.
fn read_in_pieces(pieces: &[&[u8]]) -> Vec<String> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for piece in pieces {
        parser.feed(piece, &mut |event| events.push(event));
    }
    parser.give_up(&mut |event| events.push(event));
    assert!(!parser.is_pending());
    events.into_iter().map(name).collect()
}

fn name(event: Event) -> String {
    match event {
        Event::Key(key) => {
            let other = KeyModifiers::SUPER | KeyModifiers::HYPER;
            if key.modifiers.intersects(other) { "other".into() } else { Key::of(key).unwrap().to_string() }
        }
        Event::Paste(text) => format!("paste {text:?}"),
        Event::Mouse(mouse) => format!("{:?} {},{}", mouse.kind, mouse.column, mouse.row),
        other => format!("{other:?}"),
    }
}

#[test]
fn keys_are_read_as_terminals_send_them() {
    for (bytes, expected) in [
        (&b"q"[..], "q"),
        (b"Q", "Q"),
        ("é".as_bytes(), "é"),
        ("日".as_bytes(), "日"),
        (b"\r", "enter"),
        (b"\t", "tab"),
        (b"\x7f", "backspace"),
        (b"\x08", "backspace"),
        (b"\x03", "ctrl-c"),
        (b"\x1a", "ctrl-z"),
        (b"\x1b", "esc"),
        (b"\x1b[A", "up"),
        (b"\x1bOA", "up"),
        (b"\x9bA", "up"),
        (b"\x8fA", "up"),
        (b"\x1b[1;2D", "shift-left"),
        (b"\x1b[1;5C", "ctrl-right"),
        (b"\x1bO5C", "ctrl-right"),
        (b"\x1b[H", "home"),
        (b"\x1b[1~", "home"),
        (b"\x1b[7~", "home"),
        (b"\x1bOF", "end"),
        (b"\x1b[8~", "end"),
        (b"\x1b[3~", "delete"),
        (b"\x1b[5~", "pgup"),
        (b"\x1b[6~", "pgdn"),
        (b"\x1b[Z", "shift-tab"),
        (b"\x1bOM", "enter"),
        (b"\x1bOq", "1"),
        (b"\x1b[113u", "q"),
        (b"\x1b[113;2u", "Q"),
        (b"\x1b[99;5u", "ctrl-c"),
        (b"\x1b[27;5;99~", "ctrl-c"),
        (b"\x1b[27u", "esc"),
    ] {
        assert_eq!(read(bytes), [expected], "{:?}", String::from_utf8_lossy(bytes));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read_in_pieces(&single), [expected], "in pieces: {:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_modifier_is_not_lost() {
    for (bytes, expected) in [
        (&b"\x1bq"[..], "alt-q"),
        (b"\x1bP\x1b\\", ""),
        (b"\x1bb", "alt-b"),
        ("\x1bé".as_bytes(), "alt-é"),
        (b"\x1b\x7f", "alt-backspace"),
        (b"\x1b\r", "alt-enter"),
        (b"\x1b\x1b[A", "alt-up"),
        (b"\x1b[1;3A", "alt-up"),
        (b"\x1b[113;3u", "alt-q"),
        (b"\x1b[113;33u", "alt-q"),
        (b"\x1b[113;9u", "other"),
        (b"\x1b[27;3;113~", "alt-q"),
    ] {
        assert_eq!(read(bytes).join(" "), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

/// Replies and reports that terminals are known to send.
const REPORTS: &[&[u8]] = &[
    b"\x1b[?997;1n",
    b"\x1b[?2026;2$y",
    b"\x1b[?1u",
    b"\x1b[?62;22c",
    b"\x1b[>0;276;0c",
    b"\x1b[=1;2c",
    b"\x1b[0n",
    b"\x1b[12;40R",
    b"\x1b[?12;40R",
    b"\x1b[8;24;80t",
    b"\x1b[48;24;80;480;800t",
    b"\x1b[2;1;1;112;112;1;0x",
    b"\x1b[I",
    b"\x1b[O",
    b"\x1b[?1;2;3S",
    b"\x1b[24;80;1;1;1&w",
    b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
    b"\x1b]4;1;rgb:cccc/0000/0000\x9c",
    b"\x1b]52;c;cXVpdA==\x07",
    "\x1b]lÜbersicht, qqq\x1b\\".as_bytes(),
    b"\x1bP>|XTerm(379)\x1b\\",
    b"\x1bP1+r524742=38\x1b\\",
    b"\x1bP1$r0m\x1b\\",
    b"\x1bP!|00000000\x1b\\",
    b"\x1bPq bell \x07 is no end\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b^privacy\x1b\\",
    b"\x1bXstring q\x1b\\",
    b"\x90>|vt\x9c",
    b"\x9d11;rgb:1/1/1\x9c",
    b"\x9b?997;1n",
    b"\x1b[[A",
    b"\x1bNq",
    b"\x1b(B",
    b"\x1b#8",
    b"\x1b%G",
    b"\xc2\x9b",
    b"\xff\xfe",
    b"\xc3",
    b"\x1b[57441u",
    b"\x1b[1;999A",
];

#[test]
fn reports_are_no_keys_and_the_next_key_is_one() {
    for bytes in REPORTS {
        let shown = String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(read(bytes), Vec::<String>::new(), "{shown:?}");
        assert_eq!(read(&[bytes, &b"q"[..]].concat()), ["q"], "{shown:?}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read_in_pieces(&single), Vec::<String>::new(), "{shown:?}");
    }
}

#[test]
fn an_unfinished_sequence_is_dropped() {
    for bytes in
        [&b"\x1b["[..], b"\x1b[?997;1", b"\x1b]11;rgb:", b"\x1bP>|XTerm", b"\x1bO", b"\x1b[M !", b"\xe6"]
    {
        assert_eq!(read(bytes), Vec::<String>::new(), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_sequence_that_another_one_cuts_off_takes_nothing_with_it() {
    assert_eq!(read(b"\x1b[12\x1b[A"), ["up"]);
    assert_eq!(read(b"\x1b]11;rgb\x1b[A"), ["up"]);
    assert_eq!(read(b"\x1b[1;\x18q"), ["q"]);
    assert_eq!(read(b"\x1b]11;\x1aq"), ["q"]);
}

#[test]
fn the_escape_key_counts_as_often_as_it_was_pressed() {
    assert_eq!(read(b"\x1b\x1b"), ["esc", "esc"]);
    assert_eq!(read(b"\x1b\x1b\x1b\x1b"), ["esc"; 4]);
}

#[test]
fn a_paste_is_text_whatever_stands_in_it() {
    assert_eq!(read(b"\x1b[200~one\rtwo\x1b[A\x03\x1b[201~q"), ["paste \"one\\rtwo\\u{1b}[A\\u{3}\"", "q"]);
    assert_eq!(read(b"\x1b[201~q"), ["q"], "an end without a beginning");
    let large = [b"\x1b[200~".to_vec(), vec![b'x'; 3 << 20], b"\x1b[201~q".to_vec()].concat();
    let events = read(&large);
    assert_eq!((events[0].len(), events[1].as_str()), (MOST_PASTED + "paste \"\"".len(), "q"));
}

#[test]
fn a_paste_that_breaks_off_ends_and_its_rest_is_no_key() {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    let mut feed = |bytes: &[u8]| {
        parser.feed(bytes, &mut |event| events.push(name(event)));
        parser.give_up(&mut |event| events.push(name(event)));
    };
    feed(b"\x1b[200~rtsp://");
    feed(b"camera/q/quit");
    feed(b"Q\x1b[201~");
    feed(b"j");
    feed(b"\x1b[200~");
    feed(b"q");
    assert_eq!(events, ["paste \"rtsp://\"", "paste \"camera/q/quit\"", "paste \"Q\"", "j", "q"]);
}

#[test]
fn the_mouse_is_read_in_all_its_forms() {
    let down = format!("{:?} 9,4", MouseEventKind::Down(MouseButton::Left));
    for bytes in [&b"\x1b[<0;10;5M"[..], b"\x1b[M *%", b"\x1b[32;10;5M"] {
        assert_eq!(read(bytes), [&*down], "{:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(read(b"\x1b[<64;1;1M"), ["ScrollUp 0,0"]);
    assert_eq!(read(b"\x1b[<0;10;5m"), [format!("{:?} 9,4", MouseEventKind::Up(MouseButton::Left))]);
    // A cell that is not there.
    assert_eq!(read(b"\x1b[<0;0;5Mq"), ["q"]);
    assert_eq!(read(b"\x1b[<0;99999999999;5Mq"), ["q"]);
    // Bytes of a report that look like keys, or like no text at all.
    assert_eq!(read(b"\x1b[M#qqj").last().unwrap(), "j");
    assert_eq!(read(b"\x1b[M \xff\xfej").last().unwrap(), "j");
}

/// A generator that needs no crate: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

#[test]
fn after_a_million_random_sequences_q_is_still_q() {
    let mut random = Random(0x5eed_cafe);
    let mut parser = Parser::default();
    for round in 0..1_000_000 {
        let mut bytes = match random.below(3) {
            0 => (0..random.below(24)).map(|_| random.below(256) as u8).collect(),
            1 => {
                const ALPHABET: &[u8] = b"\x1b\x1b[]OPX^_\\?;:0129~$<>MmuAnyR\x07\x18\x9b\x9c\x9d \xc3q";
                (0..random.below(24)).map(|_| ALPHABET[random.below(ALPHABET.len())]).collect()
            }
            _ => REPORTS[random.below(REPORTS.len())].to_vec(),
        };
        // Torn, doubled or with a byte changed.
        if !bytes.is_empty() && random.below(2) == 0 {
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = random.below(256) as u8,
                _ => bytes.extend_from_within(..at),
            }
        }
        parser.feed(&bytes, &mut |_| {});
        parser.give_up(&mut |_| {});
        let mut events = Vec::new();
        parser.feed(b"q", &mut |event| events.push(event));
        assert_eq!(events, [Event::Key(KeyCode::Char('q').into())], "round {round}: {bytes:?}");
    }
}
