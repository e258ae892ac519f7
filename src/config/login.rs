//! `user:password` as it stands in a file or a variable.

use super::Credentials;

impl Credentials {
    /// Reads `user:password` as editors and shells leave it: a byte order mark, empty lines, blanks around it and
    /// line ends of any kind are no part of it.
    ///
    /// # Errors
    /// One sentence without its subject and without the text.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || bytes.contains(&0) {
            return Err("is UTF-16 or no text; save it as UTF-8");
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8; save it in that encoding")?;
        let mut lines = text.split(['\n', '\r']).map(bare).filter(|line| !line.is_empty());
        let line = lines.next().ok_or("is empty; write user:password into it")?;
        if lines.next().is_some() {
            return Err("holds more than one line; write user:password on one line");
        }
        Ok(Self::from_pair(line))
    }

    /// `user:password` as [`Self::read`] takes it; `None` when it would read something else.
    pub(super) fn as_line(&self) -> Option<String> {
        let line = format!("{}:{}\n", self.user, self.password.reveal());
        (Self::read(line.as_bytes()).as_ref() == Ok(self)).then_some(line)
    }
}

/// The value of a variable without what files and shells of other systems leave at its ends.
pub(super) fn bare(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Secret;

    #[test]
    fn what_editors_leave_is_no_part_of_a_login() {
        let wanted = Credentials::from_pair("admin:s3cret:x y");
        for text in [
            "admin:s3cret:x y",
            "admin:s3cret:x y\n",
            "admin:s3cret:x y\r\n",
            "\u{feff}admin:s3cret:x y\r\n\r\n",
            "\n\nadmin:s3cret:x y  \t\n \n",
            "\u{feff}\r\n  admin:s3cret:x y",
            "admin:s3cret:x y\r",
        ] {
            assert_eq!(Credentials::read(text.as_bytes()), Ok(wanted.clone()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_login_is_refused_with_its_reason() {
        let utf16: Vec<u8> = "\u{feff}admin:s3cret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, reason) in [
            (&utf16[..], "UTF-16"),
            (&utf16[2..], "UTF-16"),
            (b"admin:p\xE4ss", "not UTF-8"),
            (b"", "is empty"),
            (b"\xEF\xBB\xBF \r\n", "is empty"),
            (b"admin\ns3cret\n", "more than one line"),
        ] {
            let refused = Credentials::read(bytes).unwrap_err();
            assert!(refused.contains(reason) && !refused.contains("cret"), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn a_login_is_written_as_it_is_read_or_not_at_all(user in any::<String>(), password in any::<String>()) {
            let login = Credentials { user, password: Secret::new(password) };
            if let Some(line) = login.as_line() {
                prop_assert_eq!(Credentials::read(line.as_bytes()), Ok(login));
            }
        }
    }
}
