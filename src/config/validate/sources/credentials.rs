//! User names and passwords: in the address, beside it, in the environment or in a file.

use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use crate::config::{
    Credentials, Secret, SourceSpec, env,
    key::Key,
    keys::{CREDENTIALS, CredentialsKeys, SOURCE},
    kinds::Text,
    section::{Field, Section},
};

/// Most bytes of a file that holds a login; a device may have no end.
const MOST_BYTES: u64 = 64 << 10;

/// Adds the section's `credentials` to `spec` and warns about secrets that others can read.
pub(super) fn read(
    section: &Section<'_>,
    source: Option<&Field<'_>>,
    spec: Option<SourceSpec>,
) -> Option<SourceSpec> {
    let field = section.field(&SOURCE.credentials);
    let spec_has_secret_tail = spec.as_ref().is_some_and(SourceSpec::has_secret_tail);
    let Some(SourceSpec::Url { address, credentials, hidden }) = spec else {
        if let (Some(field), Some(_)) = (&field, &spec) {
            field.problem("belongs to rtsp:// and http:// sources only; remove it");
        } else if let Some(field) = &field {
            // The source itself is wrong: the credentials are still checked.
            given(field);
        }
        return spec;
    };
    if let Some(source) = source {
        let raw = source.raw_text().unwrap_or_default();
        let in_address = credentials.as_ref().is_some_and(|c| !c.password.0.is_empty());
        let from_environment = env::user_part(raw).is_some_and(|range| raw[range].contains("${"));
        let in_tail = spec_has_secret_tail && !raw.contains("${");
        if (in_address && !from_environment) || in_tail {
            source.report.holds_secret();
        }
    }
    let credentials = match (field, credentials) {
        (Some(field), Some(_)) => {
            field.problem("user name and password stand in the address as well; remove them from one place");
            return None;
        }
        (Some(field), None) => Some(given(&field)?),
        (None, credentials) => credentials,
    };
    Some(SourceSpec::Url { address, credentials, hidden })
}

/// The user name and password that an object gives.
pub(in crate::config::validate) fn given(field: &Field<'_>) -> Option<Credentials> {
    let section = field.section::<CredentialsKeys>()?;
    let text = |key: &Key<Text>| section.field(key);
    let (user, password) = (text(&CREDENTIALS.user), text(&CREDENTIALS.password));
    match (user, password, text(&CREDENTIALS.env), section.field(&CREDENTIALS.file)) {
        (Some(user), Some(password), None, None) => {
            if password.is_text() && !password.raw_text().is_some_and(|text| text.contains("${")) {
                field.report.holds_secret();
            }
            let user = user.line(256);
            let password = password.secret();
            Some(Credentials { user: user?, password: password? })
        }
        (None, None, Some(variable), None) => {
            let name = variable.text()?;
            if let Some(pair) = (field.report.env)(&name) {
                login(&variable, &format!("the environment variable '{name}'"), pair.as_bytes())
            } else {
                // What is no name may be the login itself.
                let name = if is_variable(&name) { format!("'{name}'") } else { "named here".to_owned() };
                variable
                    .problem(&format!("the environment variable {name} is not set; set it to user:password"));
                None
            }
        }
        (None, None, None, Some(file)) => from_file(&file),
        _ => {
            field.problem("give either user and password, or env, or file");
            None
        }
    }
}

fn from_file(field: &Field<'_>) -> Option<Credentials> {
    let path = field.path()?;
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)) {
        Ok(_) => {
            if readable_by_all(&path) {
                field.warning(&format!(
                    "'{0}' can be read by every user of this machine; run chmod 600 {0}",
                    path.display()
                ));
            }
            if writable_by(&path, 0o022) {
                field.warning(&format!(
                    "'{0}' can be changed by other users of this machine; run chmod go-w {0}, and the same for its folder",
                    path.display()
                ));
            }
            login(field, &format!("'{}'", path.display()), &bytes)
        }
        Err(error) => {
            // What names no folder that there is may be the login itself.
            let is_folder = |folder: &Path| folder != Path::new("/") && folder.is_dir();
            let is_file = path.parent().is_some_and(is_folder)
                && field.raw_text().is_some_and(|text| text.contains('/') && !text.contains([':', '@']));
            let file =
                if is_file { format!("'{}'", path.display()) } else { "the file named here".to_owned() };
            // It may come later: from a secret store, or with the disk it is on.
            field.passing_problem(&format!("{file} cannot be read ({error}); it should hold user:password"));
            None
        }
    }
}

/// What `place` holds, as a login.
fn login(field: &Field<'_>, place: &str, bytes: &[u8]) -> Option<Credentials> {
    match Credentials::read(bytes) {
        Ok(login) => Some(login),
        Err(problem) => {
            field.problem(&format!("{place} {problem}"));
            None
        }
    }
}

/// Whether it looks like the name of an environment variable, and not like a password.
fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c == '_' || (c.is_ascii_digit() && name.contains('_'));
    name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Whether users other than the owner's group can read `path`.
pub(crate) fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// Whether users covered by one of the permission `bits` can change `path`, or put another file in its place.
pub(crate) fn writable_by(path: &Path, bits: u32) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = mode(folder);
    // In a sticky folder nobody replaces what another put there.
    mode(path) & bits != 0 || (folder & bits != 0 && folder & 0o1000 == 0)
}

impl Field<'_> {
    /// A text that no message quotes.
    fn secret(&self) -> Option<Secret> {
        if self.is_text() {
            return self.text().map(Secret);
        }
        self.problem("expected text in double quotes");
        None
    }
}
