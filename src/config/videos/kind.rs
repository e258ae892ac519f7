//! Whether a file is a video, by its name and, where that says nothing, by its first bytes.

use std::{io, path::Path};

/// Bytes at the start of a file that are inspected.
pub(super) const HEAD: u64 = 4096;

/// Endings of what FFmpeg opens as video (`ffmpeg -demuxers`, and what recorders make of them).
const VIDEOS: [&str; 86] = [
    "264", "265", "266", "3g2", "3gp", "3gp2", "3gpp", "amv", "apng", "asf", "avc", "avi", "av1", "avs2",
    "avs3", "bik", "bk2", "cavs", "dav", "dif", "divx", "drc", "dv", "dvr-ms", "evo", "f4v", "flc", "fli",
    "flv", "gif", "gifv", "gxf", "h261", "h263", "h264", "h265", "h266", "h26l", "hevc", "ismv", "ivf",
    "ivr", "k3g", "lvf", "m1v", "m2p", "m2t", "m2ts", "m2v", "m4v", "mj2", "mjp2", "mjpeg", "mjpg", "mk3d",
    "mkv", "mov", "mp2v", "mp4", "mp4v", "mpe", "mpeg", "mpg", "mpv", "mqv", "mts", "mxf", "nsv", "nut",
    "nuv", "obu", "ogm", "ogv", "qt", "rm", "rmvb", "tod", "trp", "ts", "vc1", "vob", "vro", "webm", "wmv",
    "wtv", "y4m",
];

/// Endings of what stands beside videos and is never one: not worth the time of reading it.
const OTHERS: [&str; 40] = [
    "ass", "bmp", "conf", "csv", "db", "doc", "docx", "gz", "htm", "html", "idx", "ini", "jpeg", "jpg",
    "json", "log", "m3u8", "md", "md5", "mp3", "nfo", "pdf", "png", "py", "sh", "sha256", "srt", "sub",
    "tif", "tiff", "toml", "txt", "vtt", "wav", "webp", "xls", "xml", "yaml", "yml", "zip",
];

/// Endings of what is still being fetched or written.
const UNFINISHED: [&str; 7] = ["crdownload", "download", "filepart", "part", "partial", "temp", "tmp"];

/// What becomes of a file of a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// It is a source.
    Video,
    /// It is passed over for this reason, and named.
    Passed(&'static str),
    /// It is passed over without a word: hidden, and no video by its name.
    Unmentioned,
}

/// What the file `path` is; its first bytes are asked of `head`.
pub(super) fn of(path: &Path, head: impl FnOnce() -> io::Result<Vec<u8>>) -> Kind {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let is_one_of = |endings: &[&str]| endings.contains(&&*ending);
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    match () {
        () if is_hidden && is_one_of(&VIDEOS) => Kind::Passed("hidden"),
        () if is_hidden => Kind::Unmentioned,
        () if is_one_of(&VIDEOS) => Kind::Video,
        () if is_one_of(&OTHERS) => Kind::Passed("no video"),
        () if is_one_of(&UNFINISHED) => Kind::Passed("unfinished by its name"),
        () => match head() {
            Ok(head) if is_video(&head) => Kind::Video,
            Ok(_) => Kind::Passed("no video"),
            Err(_) => Kind::Passed("cannot be read"),
        },
    }
}

/// Whether a file that starts like this is a video (the signatures in their formats' specifications).
fn is_video(head: &[u8]) -> bool {
    let at = |offset: usize, wanted: &[u8]| head.get(offset..offset + wanted.len()) == Some(wanted);
    let any = |offset: usize, all: &[&[u8]]| all.iter().any(|wanted| at(offset, wanted));
    let holds = |wanted: &[u8]| head.windows(wanted.len()).any(|window| window == wanted);
    // ISO media: the brand tells sounds and still pictures from videos.
    let sound_or_still: [&[u8]; 8] = [b"M4A ", b"M4B ", b"M4P ", b"heic", b"heix", b"mif1", b"avif", b"crx "];
    (at(4, b"ftyp") && !any(8, &sound_or_still))
        || any(4, &[b"moov", b"mdat", b"wide", b"pnot"])
        || at(0, &[0x1A, 0x45, 0xDF, 0xA3])
        || (at(0, b"RIFF") && any(8, &[b"AVI ", b"AVIX", b"AMV ", b"CDXA"]))
        || at(0, &[0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11])
        || any(0, &[b"FLV\x01", b"YUV4MPEG2 ", b"DKIF", b"GIF87a", b"GIF89a", b"DHAV", b".RMF", b"IMKH"])
        || any(0, &[b"nut/multimedia container", b"NuppelVideo", b"MythTVVideo", b"BIKi", b"KB2"])
        || at(0, &[0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05])
        || at(0, &[0xB7, 0xD8, 0x00, 0x20, 0x37, 0x49, 0xDA, 0x11])
        || (at(0, b"OggS") && (holds(b"\x80theora") || holds(b"OVP80") || holds(b"BBCD") || holds(b"\x01video")))
        // MPEG program streams and elementary streams of MPEG-1, 2 and 4.
        || any(0, &[&[0, 0, 1, 0xBA], &[0, 0, 1, 0xB3], &[0, 0, 1, 0xB0]])
        // Raw H.264 and H.265 begin with parameter sets or a delimiter.
        || [3, 4].into_iter().any(|length| {
            at(0, &[&[0, 0, 0, 1][4 - length..]].concat())
                && (head.get(length).is_some_and(|unit| matches!(unit, 0x09 | 0x27 | 0x47 | 0x67))
                    || any(length, &[&[0x40, 0x01], &[0x42, 0x01], &[0x46, 0x01]]))
        })
        // Transport streams: bare, with time stamps before each packet (m2ts), with error correction behind it.
        || [(0, 188), (4, 192), (0, 204)].into_iter().any(|(first, packet)| {
            (0..4).all(|number| head.get(first + number * packet) == Some(&0x47))
        })
}

/// Endings of addresses that are files and not cameras.
const VIDEO_EXTENSIONS: [&str; 20] = [
    "mp4", "m4v", "mkv", "avi", "mov", "webm", "ts", "mts", "m2ts", "mpg", "mpeg", "wmv", "flv", "3gp",
    "ogv", "h264", "h265", "hevc", "mjpeg", "y4m",
];

/// Whether the address of a file has this ending, without its dot.
pub(in crate::config) fn is_video_extension(extension: &str) -> bool {
    VIDEO_EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_it_where_they_can() {
        for (name, wanted) in [
            ("a.mp4", Kind::Video),
            ("A.MP4", Kind::Video),
            ("c.264", Kind::Video),
            ("d.DAV", Kind::Video),
            ("x.m2ts", Kind::Video),
            ("notes.txt", Kind::Passed("no video")),
            (".a.mp4", Kind::Passed("hidden")),
            (".DS_Store", Kind::Unmentioned),
            ("a.mp4.part", Kind::Passed("unfinished by its name")),
        ] {
            assert_eq!(of(Path::new(name), || panic!("{name} is not read")), wanted, "{name}");
        }
    }

    #[test]
    fn first_bytes_say_it_where_the_name_does_not() {
        let mut stream = vec![0; 4096];
        for packet in 0..20 {
            stream[packet * 188] = 0x47;
        }
        for (head, wanted) in [
            (&b"\0\0\0\x20ftypisom"[..], true),
            (b"\0\0\0\x20ftypM4A ", false),
            (b"\x1A\x45\xDF\xA3..", true),
            (b"RIFF....AVI LIST", true),
            (b"RIFF....WAVEfmt ", false),
            (b"\0\0\0\x01\x67\x42", true),
            (b"\0\0\x01\x67\x42", true),
            (b"\0\0\0\x01\x40\x01", true),
            (&stream, true),
            (b"GIF89a", true),
            (b"{\"a\": 1}", false),
            (b"", false),
        ] {
            assert_eq!(is_video(head), wanted, "{head:?}");
        }
        assert_eq!(of(Path::new("recording"), || Ok(b"DHAV".to_vec())), Kind::Video);
        assert_eq!(
            of(Path::new("x"), || Err(io::ErrorKind::PermissionDenied.into())),
            Kind::Passed("cannot be read")
        );
    }

    #[test]
    fn no_ending_stands_in_two_lists() {
        let all: Vec<&str> = VIDEOS.iter().chain(&OTHERS).chain(&UNFINISHED).copied().collect();
        let unique: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len());
    }
}
