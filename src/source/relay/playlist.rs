//! Playlists (HLS): every address in them is turned into one of the relay, so that FFmpeg connects to nobody else.

/// What each playlist begins with.
pub const BEGIN: &[u8] = b"#EXTM3U";

/// Names an address in a tag.
const ATTRIBUTE: &str = "URI=\"";

/// `text` with each address replaced by what `turn` makes of it. Data in place of an address stays.
pub fn rewrite(text: &str, mut turn: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') {
            let mut rest = line;
            while let Some(at) = rest.find(ATTRIBUTE) {
                let (before, after) = rest.split_at(at + ATTRIBUTE.len());
                let (address, after) = after.split_once('"').unwrap_or((after, ""));
                out.push_str(before);
                out.push_str(&one(address, &mut turn));
                out.push('"');
                rest = after;
            }
            out.push_str(rest);
        } else if !trimmed.is_empty() {
            out.push_str(&one(trimmed, &mut turn));
        }
        out.push('\n');
    }
    out
}

fn one(address: &str, turn: &mut impl FnMut(&str) -> String) -> String {
    if address.starts_with("data:") { address.to_owned() } else { turn(address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_turned_and_nothing_else() {
        let text = "#EXTM3U\r\n#EXT-X-KEY:METHOD=AES-128,URI=\"key?a=1\",IV=0x1\n#EXT-X-MEDIA:URI=\"a\",X=\"b\",URI=\"c\"\n\
                    #EXT-X-MAP:URI=\"data:a,b\"\n#EXTINF:2.0,\n  seg 0.ts \n\nhttps://other/x.ts\n#EXT-X-MAP:URI=\"open";
        let got = rewrite(text, |address| format!("<{address}>"));
        assert_eq!(
            got,
            "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"<key?a=1>\",IV=0x1\n#EXT-X-MEDIA:URI=\"<a>\",X=\"b\",URI=\"<c>\"\n\
             #EXT-X-MAP:URI=\"data:a,b\"\n#EXTINF:2.0,\n<seg 0.ts>\n\n<https://other/x.ts>\n#EXT-X-MAP:URI=\"<open>\"\n"
        );
    }
}
