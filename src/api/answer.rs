//! Answers, and requests that are none.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Query},
    http::{HeaderValue, Request, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::{
    config::redact,
    protocol::{MOST_BODY, Refused},
};

/// An answer, whichever it is.
pub type Told = Result<Response, Response>;

/// A body must have arrived after this long.
const BODY: Duration = Duration::from_secs(10);

/// `value` as JSON.
pub fn json(value: &impl Serialize) -> Response {
    with_status(StatusCode::OK, value)
}

/// `value` as JSON, under `status`.
pub fn with_status(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => bytes_of(status, "application/json", bytes),
        Err(error) => {
            tracing::error!("An answer of the API cannot be written: {error}");
            refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the answer cannot be written as JSON; please report it with the log",
            )
        }
    }
}

/// `bytes` of this kind. Nobody keeps them: they are as of now.
pub fn bytes_of(status: StatusCode, kind: &'static str, bytes: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, bytes.into()).into_response()
}

/// A refusal in words of the program alone. Nothing in them is hidden: an example of a header is no secret.
pub fn told(status: StatusCode, sentence: &'static str) -> Response {
    with_status(status, &Refused { error: sentence.into() })
}

/// Why there is nothing else to answer. Secrets in `sentence` are hidden.
pub fn refused(status: StatusCode, sentence: &str) -> Response {
    with_status(status, &Refused { error: redact(sentence).into_owned() })
}

/// Why something could not be done.
pub fn not_done(sentence: &str) -> Response {
    refused(StatusCode::CONFLICT, sentence)
}

/// The JSON in the body of `request`.
///
/// # Errors
/// The answer to a body that is too long or too slow, or is something else.
pub async fn body_of<T: DeserializeOwned>(request: Request<Body>) -> Result<T, Response> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be JSON: send 'Content-Type: application/json'",
        ));
    }
    let bytes = match tokio::time::timeout(BODY, to_bytes(request.into_body(), MOST_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let said = format!("the body is longer than {MOST_BODY} bytes, or incomplete");
            return Err(closing(refused(StatusCode::PAYLOAD_TOO_LARGE, &said)));
        }
        Err(_) => {
            return Err(closing(refused(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")));
        }
    };
    understood(&bytes)
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &format!("the body cannot be parsed: {error}")))
}

/// What `bytes` mean. JSON has one kind of numbers: `3.0` is the same as `3`, and some languages write it.
fn understood<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let error = match serde_json::from_slice(bytes) {
        Ok(understood) => return Ok(understood),
        Err(error) => error,
    };
    let again = serde_json::from_slice(bytes).and_then(|mut value| {
        make_whole(&mut value);
        serde_json::from_value(value)
    });
    // It knows the place.
    again.map_err(|_| error)
}

/// Writes whole numbers without a point.
fn make_whole(value: &mut Value) {
    /// Whole numbers up to here are exact with a point as well.
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(whole) = number.as_f64().filter(|whole| whole.fract() == 0.0 && whole.abs() < EXACT) {
                *number = (whole as i64).into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_whole),
        Value::Object(values) => values.values_mut().for_each(make_whole),
        _ => {}
    }
}

/// The same answer, after which the connection ends.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// What stands behind the `?` of an address.
pub struct QueryString<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryString<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => {
                use std::error::Error as _;
                let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                Err(refused(
                    StatusCode::BAD_REQUEST,
                    &format!("the query behind the '?' cannot be parsed: {cause}"),
                ))
            }
        }
    }
}

/// The id of a source in an address.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(refused(StatusCode::BAD_REQUEST, "the id in this address is not UTF-8")),
        }
    }
}

/// What `work`, which may wait, gives, once there is room for it. What is asked by a client that has gone before that is not begun.
///
/// # Errors
/// The answer to a fault of the program.
pub async fn waiting<T: Send + 'static>(
    room: Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Response> {
    let fault = || {
        told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error: there is no answer to this; please report it with the log",
        )
    };
    let permit = room.acquire_owned().await.map_err(|_| fault())?;
    let work = move || {
        let done = work();
        // Not when the client goes: the thread is free only now.
        drop(permit);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| fault())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_written_with_a_point_and_others_are_none() {
        let count = |text: &str| understood::<std::collections::BTreeMap<String, Vec<u8>>>(text.as_bytes());
        assert_eq!(count(r#"{"a": [3.0, 2, 0.0, -0.0, 25.5e1]}"#).unwrap()["a"], [3, 2, 0, 0, 255]);
        for wrong in ["[3.5]", "[256.0]", "[-1.0]", "[1e300]", "[\"3.0\"]", "[3.0"] {
            let said = count(&format!("{{\"a\": {wrong}}}")).unwrap_err().to_string();
            assert!(said.contains("line 1 column"), "{wrong}: {said}");
        }
    }
}
