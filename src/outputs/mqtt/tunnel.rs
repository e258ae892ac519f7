//! Encrypted connections. The client of MQTT would bring a second implementation of certificates for them; so it is given a
//! socket in a folder that only this user can open, behind which the connection is encrypted as it is for cameras. Can be
//! deleted when `rumqttc` uses the present `rustls-webpki`, or takes a connection that is there.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpStream, UnixListener},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    config::{MqttConfig, TlsConfig},
    source::network::client_config,
};

/// What is sent to its socket goes to the broker, encrypted. Ends when it is dropped.
pub(super) struct Tunnel {
    socket: PathBuf,
    carries: JoinHandle<()>,
    /// Removed with the socket.
    _folder: TempDir,
}

impl Tunnel {
    /// Connects to the broker of `config`, and makes sure that it is the broker, within `limit`.
    ///
    /// # Errors
    /// When it does not answer, or is not trusted, in a sentence.
    pub async fn open(config: &MqttConfig, limit: Duration) -> Result<Self, String> {
        let address = config.address();
        let tls = TlsConfig { ca: config.ca.clone(), verify: true };
        // The sentences are those of cameras.
        let tls = client_config(&tls).map_err(|error| error.to_string().replace("\"tls\":", "\"mqtt\":"))?;
        let name = ServerName::try_from(config.host.clone())
            .map_err(|_| format!("'{address}' has no name that a certificate can hold"))?;
        let connect = async {
            let stream = TcpStream::connect((config.host.as_str(), config.port)).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(Arc::new(tls)).connect(name, stream).await
        };
        let silent = || io::Error::from(io::ErrorKind::TimedOut);
        let connected = timeout(limit, connect).await.unwrap_or_else(|_| Err(silent()));
        let mut broker = connected.map_err(|error| reason(&address, &error))?;
        let failed = |error: io::Error| format!("no socket can be made for the connection: {error}");
        let folder = tempfile::Builder::new().prefix("pcount-mqtt").tempdir().map_err(failed)?;
        let socket = folder.path().join("broker");
        let listener = UnixListener::bind(&socket).map_err(failed)?;
        let carries = tokio::spawn(async move {
            if let Ok((mut client, _)) = listener.accept().await {
                // Whichever side ends it: the client notices.
                let _ = copy_bidirectional(&mut client, &mut broker).await;
            }
        });
        Ok(Self { socket, carries, _folder: folder })
    }

    /// Where the client connects to.
    pub fn socket(&self) -> String {
        self.socket.display().to_string()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.carries.abort();
    }
}

/// Why there is no connection, as a sentence.
pub(super) fn reason(address: &str, error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::InvalidCertificate(problem)) = inner {
        return format!(
            "the certificate of '{address}' is not trusted ({problem}); name its authority in \"mqtt\": {{\"ca\": FILE}}"
        );
    }
    if let Some(error) = inner {
        return format!("the connection to '{address}' cannot be encrypted ({error}); check scheme and port");
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("'{address}' refuses the connection; nothing listens on that port")
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!("'{address}' does not answer"),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => format!("'{address}' ends the connection"),
        _ => format!("'{address}' cannot be reached: {error}"),
    }
}
