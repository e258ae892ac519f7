//! What the API of a node is asked over NATS, and what it answers.

use futures_util::future::BoxFuture;
use hyper::body::Bytes;

/// Headers of questions and answers. They are a contract between versions of the program.
pub mod header {
    /// `GET` or `POST`.
    pub const METHOD: &str = "Pcount-Method";
    /// The address, with what stands behind the `?`.
    pub const PATH: &str = "Pcount-Path";
    /// Name of the user who asks.
    pub const USER: &str = "Pcount-User";
    /// Status of HTTP.
    pub const STATUS: &str = "Pcount-Status";
    /// Which part of how many: `2/3`.
    pub const PART: &str = "Pcount-Part";
    /// Which process answers.
    pub const INSTANCE: &str = "Pcount-Instance";
}

/// What is asked of the API.
#[derive(Debug, Clone)]
pub struct Question {
    /// `GET` or `POST`.
    pub method: String,
    /// The address, with what stands behind the `?`.
    pub path: String,
    /// Name of the user who asks, as the question says.
    pub user: String,
    /// Whether it may change something.
    pub may_order: bool,
    /// The body, in JSON; empty where there is none.
    pub body: Bytes,
}

/// What the API answers.
#[derive(Debug, Clone)]
pub struct ApiAnswer {
    /// Status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// Answers what is asked of the API. Never holds up its caller.
pub type Service = dyn Fn(Question) -> BoxFuture<'static, ApiAnswer> + Send + Sync;
