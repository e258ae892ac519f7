//! On how many servers the streams of a fleet lie: on three where there are three, so that one of them may fail.

use async_nats::jetstream::{
    Context,
    context::{CreateStreamError, CreateStreamErrorKind},
    stream,
};
use futures_util::TryStreamExt as _;

/// What one may fail of. More cost time with each message, and fewer help nobody.
const WANTED: usize = 3;

/// What the names of all streams of a fleet begin with; the second one is that of its buckets.
const OURS: [&str; 2] = ["PCOUNT_", "KV_PCOUNT_"];

/// The stream by `wanted`, made where it is missing: on three servers if the cluster has as many, else on one.
///
/// # Errors
/// When the server refuses that, too, or does not answer.
pub async fn get_or_create(
    context: &Context,
    wanted: stream::Config,
) -> Result<stream::Stream, CreateStreamError> {
    let on_three = stream::Config { num_replicas: WANTED, ..wanted.clone() };
    match context.get_or_create_stream(on_three).await {
        Err(error) if error.kind() != CreateStreamErrorKind::TimedOut => {}
        outcome => return outcome,
    }
    context.get_or_create_stream(stream::Config { num_replicas: 1, ..wanted }).await
}

/// Puts the streams of the fleet on three servers where they lie on fewer and the cluster has as many: it may have grown since they
/// were made. Gives the names of those that were; a cluster that refuses has fewer servers.
pub async fn raise(context: &Context) -> Vec<String> {
    let mut raised = Vec::new();
    let names: Vec<String> = context.stream_names().try_collect().await.unwrap_or_default();
    for name in names.into_iter().filter(|name| OURS.iter().any(|ours| name.starts_with(ours))) {
        let Ok(found) = context.get_stream(&name).await else { continue };
        let config = &found.cached_info().config;
        if config.num_replicas >= WANTED {
            continue;
        }
        let on_three = stream::Config { num_replicas: WANTED, ..config.clone() };
        if context.update_stream(on_three).await.is_ok() {
            raised.push(name);
        }
    }
    raised
}
