//! Whether others are told over TCP, beside the socket.

use std::{net::SocketAddr, path::PathBuf};

/// The API over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where it listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// File of the tokens by which others may do more than look.
    pub token_file: Option<PathBuf>,
}
