//! Encrypted connections: which certificates a source trusts, and what is said of a server that it does not trust.
//!
//! FFmpeg 5.1 verifies no certificate of `rtsps`, and none of what a playlist names; so every encrypted connection
//! is made here, by rustls, and FFmpeg is forbidden its own.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    RootCertStore, SignatureScheme, StreamOwned,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{connect, host, remaining};
use crate::{config::TlsConfig, source::SourceError};

/// An encrypted connection whose server is known.
pub(in crate::source) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Largest file of certificates; the system's has 250 kB.
const MAX_FILE: u64 = 4 << 20;

/// Characters of base64 in a line of a PEM file.
const PEM_LINE: usize = 64;

/// A certificate as a server shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(CertificateDer<'static>);

impl Certificate {
    /// Its SHA-256 fingerprint in the form that browsers and cameras show: `3A:0F:..`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes: Vec<_> = Sha256::digest(&self.0).iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    /// As a PEM file, to be named in `tls.ca`.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.0);
        let lines: Vec<_> = text.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }
}

/// The certificate that the server of `address` shows, and whether those that `tls` names, or the system's, make it
/// trusted. Nothing but the name of the host is sent to it. Blocks up to about `timeout`.
///
/// # Errors
/// When there is no connection, or what answers does not speak TLS.
pub fn certificate(
    address: &Url,
    tls: &TlsConfig,
    timeout: Duration,
) -> Result<(Certificate, bool), SourceError> {
    let deadline = Instant::now() + timeout;
    // A file that cannot be read is what opening the source says.
    let named = Trust::new(&TlsConfig { verify: true, ..tls.clone() });
    let trust = named.or_else(|_| Trust::new(&TlsConfig::default()))?;
    let observed = trust.meet(connect(address, deadline)?, address, deadline)?;
    observed.ok_or_else(|| SourceError::Unreachable(format!("'{}' presents no certificate", host(address))))
}

/// How rustls is to encrypt other connections than those to cameras: it trusts the certificates that `tls` names, or the
/// system's. Reads files.
///
/// # Errors
/// When the file cannot be read or holds no certificate, or the system has none.
pub fn client_config(tls: &TlsConfig) -> Result<ClientConfig, SourceError> {
    let trust = Trust::new(tls)?;
    trust
        .config(&Arc::new(trust.verifier.clone()))
        .map_err(|error| SourceError::Unreachable(format!("connections cannot be encrypted: {error}")))
}

/// Which certificates the connections of one source trust.
#[derive(Clone)]
pub(in crate::source) struct Trust {
    verifier: Verifier,
    /// Sessions of before, so that the next connection costs less; all of them passed the same verification.
    sessions: Resumption,
    /// The configured file, for what is said.
    file: Option<String>,
}

impl Trust {
    /// Reads the certificates that `tls` names, or the system's.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate, or the system has none.
    pub fn new(tls: &TlsConfig) -> Result<Self, SourceError> {
        let provider = Arc::new(crypto::ring::default_provider());
        let anyone = !tls.verify;
        let own = match &tls.ca {
            Some(path) if tls.verify => read_pem(path)?,
            _ => Vec::new(),
        };
        let mut roots = RootCertStore::empty();
        if tls.verify && own.is_empty() {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(SourceError::Unreachable(
                    "this machine has no trusted certificates; install the package 'ca-certificates', or name a \
                     file in \"tls\": {\"ca\": FILE}"
                        .into(),
                ));
            }
        } else {
            roots.add_parsable_certificates(own.iter().cloned());
        }
        let chains = (!roots.is_empty())
            .then(|| WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build())
            .and_then(Result::ok);
        let file = tls.ca.as_ref().map(|path| path.display().to_string());
        let verifier = Verifier { provider, chains, own: own.into(), anyone, seen: Arc::default() };
        Ok(Self { verifier, sessions: Resumption::in_memory_sessions(16), file })
    }

    /// Encrypts `stream`, on which nothing was sent yet. Blocks up to `deadline`. The socket's timeouts are left as
    /// they were last set.
    ///
    /// # Errors
    /// When the server is not the one of `address`, as far as can be proven; says how to trust it.
    pub fn connect(
        &self,
        stream: TcpStream,
        address: &Url,
        deadline: Instant,
    ) -> Result<TlsStream, SourceError> {
        let (verifier, mut connection) = self.start(address, false)?;
        let mut timed = Timed { stream: &stream, deadline };
        while connection.is_handshaking() {
            let step = connection.complete_io(&mut timed).and_then(|(read, written)| {
                if read + written == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
            });
            step.map_err(|error| self.refusal(address, &error, verifier.seen.lock().take()))?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    /// Shakes hands and hangs up.
    #[expect(clippy::needless_pass_by_value, reason = "dropping the connection is what hangs up")]
    fn meet(
        &self,
        stream: TcpStream,
        address: &Url,
        deadline: Instant,
    ) -> Result<Option<(Certificate, bool)>, SourceError> {
        let (verifier, mut connection) = self.start(address, true)?;
        let mut timed = Timed { stream: &stream, deadline };
        while connection.is_handshaking() && verifier.seen.lock().is_none() {
            let (read, written) = connection
                .complete_io(&mut timed)
                .map_err(|error| self.refusal(address, &error, verifier.seen.lock().take()))?;
            if read + written == 0 {
                break;
            }
        }
        Ok(verifier.seen.lock().take())
    }

    fn start(&self, address: &Url, anyone: bool) -> Result<(Arc<Verifier>, ClientConnection), SourceError> {
        let broken = |error: &dyn fmt::Display| {
            SourceError::Unreachable(format!(
                "the connection to '{}' cannot be encrypted: {error}",
                host(address)
            ))
        };
        let name = address.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|error| broken(&error))?;
        let mut verifier = self.verifier.clone();
        verifier.anyone |= anyone;
        verifier.seen = Arc::default();
        let verifier = Arc::new(verifier);
        let config = self.config(&verifier).map_err(|error| broken(&error))?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| broken(&error))?;
        Ok((verifier, connection))
    }

    fn config(&self, verifier: &Arc<Verifier>) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.verifier.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.resumption = self.sessions.clone();
        Ok(config)
    }

    /// Why there is no encrypted connection, and what to do about it.
    fn refusal(&self, address: &Url, error: &io::Error, seen: Option<(Certificate, bool)>) -> SourceError {
        let host = host(address);
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let text = match (inner, seen) {
            (Some(Error::InvalidCertificate(problem)), Some((certificate, _))) => {
                return SourceError::Unreachable(format!(
                    "the certificate of '{host}' {}; it has the SHA-256 fingerprint {}: if the camera's own \
                     page shows the same, save the certificate with 'check --probe --certificates DIR' and \
                     name the file in \"tls\": {{\"ca\": FILE}}",
                    self.said(problem, address),
                    certificate.fingerprint()
                ));
            }
            (Some(Error::InvalidMessage(_)), _) => {
                "answers, but not encrypted; check scheme and port".to_owned()
            }
            (
                Some(
                    Error::AlertReceived(
                        AlertDescription::ProtocolVersion
                        | AlertDescription::HandshakeFailure
                        | AlertDescription::InsufficientSecurity,
                    )
                    | Error::PeerIncompatible(_),
                ),
                _,
            ) => "offers no secure encryption (TLS 1.2 with ECDHE, or 1.3); a newer firmware may".into(),
            (Some(other), _) => format!("fails to encrypt the connection: {other}"),
            (None, _) if !matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
                "breaks off the connection while it is encrypted; check scheme and port".into()
            }
            (None, _) => return super::silence(address, error),
        };
        SourceError::Unreachable(format!("'{host}' {text}"))
    }

    fn said(&self, problem: &CertificateError, address: &Url) -> String {
        let name = address.host_str().unwrap_or_default();
        match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "has expired, or the clock of this machine is wrong".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "is not valid yet, or the clock of this machine is wrong".into()
            }
            CertificateError::NotValidForName => format!("is for another name than '{name}'"),
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names: Vec<_> = presented.iter().map(|name| plain(name)).take(4).collect();
                let names = if names.is_empty() { "no name at all".into() } else { names.join(", ") };
                format!("is for another name than '{name}': it is for {names}")
            }
            CertificateError::Revoked => "has been revoked".into(),
            _ => match &self.file {
                Some(file) => format!("is not in '{file}' and is signed by none of those in it"),
                None => "is not signed by an authority that this machine trusts".into(),
            },
        }
    }
}

/// `DnsName("a.b")` as `a.b`, without what a terminal would obey.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"').chars().filter(|c| !c.is_control()).take(80).collect()
}

/// The certificates of a PEM file.
fn read_pem(path: &Path) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let problem = |what: &dyn fmt::Display| {
        SourceError::Unreachable(format!(
            "'{}', named in \"tls\": {{\"ca\": ..}}, {what}",
            crate::config::redact(&path.display().to_string())
        ))
    };
    let unreadable = |error: &dyn fmt::Display| problem(&format!("cannot be read: {error}"));
    // Opening a pipe would wait for a writer.
    let is_file = path.metadata().map_err(|error| unreadable(&error))?.is_file();
    if !is_file {
        return Err(problem(&"is no file"));
    }
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let certificates = CertificateDer::pem_reader_iter(BufReader::new(file.take(MAX_FILE)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(&error))?;
    if certificates.is_empty() {
        return Err(problem(&"holds no certificate in PEM form"));
    }
    Ok(certificates)
}

/// Accepts certificates that lead to a trusted one, under the name in the address; those that are trusted
/// themselves, byte by byte, whatever name and dates they hold, for cameras sign their own; or any.
#[derive(Clone)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` where nothing can lead to a trusted one.
    chains: Option<Arc<WebPkiServerVerifier>>,
    own: Arc<[CertificateDer<'static>]>,
    anyone: bool,
    /// What was shown, and whether it is trusted.
    seen: Arc<Mutex<Option<(Certificate, bool)>>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("anyone", &self.anyone).finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.chains {
            _ if self.own.iter().any(|own| own.as_ref() == shown.as_ref()) => {
                Ok(ServerCertVerified::assertion())
            }
            Some(chains) => chains.verify_server_cert(shown, intermediates, name, ocsp, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        *self.seen.lock() = Some((Certificate(shown.clone().into_owned()), verdict.is_ok()));
        if self.anyone { Ok(ServerCertVerified::assertion()) } else { verdict }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Who trusts anybody wants to connect to cameras with keys that are too short as well.
        if self.anyone {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, shown, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.anyone {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let known = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, shown, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A socket whose calls end at a deadline, together.
pub(in crate::source) struct Timed<'a> {
    pub stream: &'a TcpStream,
    pub deadline: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Duration> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(remaining(self.deadline))
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
