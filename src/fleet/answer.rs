//! What a node says when it is asked. It says nothing to anybody else.

use std::sync::Arc;

use async_nats::Message;
use futures_util::StreamExt as _;

use super::{
    broker::Broker,
    editing, names,
    record::{Answered, Draining, Edit, Edited, Release},
    serving::{Access, Serving},
    state::Shared,
};

/// Answers until it is aborted.
pub async fn run(shared: Arc<Shared>, broker: Broker) {
    let mine = names::question(shared.name(), "*");
    let (Ok(mut all), Ok(mut reads), Ok(mut own)) = (
        broker.subscribe(names::EVERY_NODE).await,
        broker.subscribe(names::EVERY_NODE_READS).await,
        broker.subscribe(&mine).await,
    ) else {
        return tracing::error!("Fleet: this node cannot be asked, for the connection is closed");
    };
    let serving = Serving::new(&shared, &broker);
    loop {
        let (asked, what) = tokio::select! {
            Some(asked) = all.next() => (asked, "status".to_owned()),
            Some(asked) = reads.next() => {
                serving.answer(asked, Access::OfAll);
                continue;
            }
            Some(asked) = own.next() => {
                let what = asked.subject.rsplit('.').next().unwrap_or_default().to_owned();
                (asked, what)
            }
            else => return,
        };
        match &*what {
            names::READ => serving.answer(asked, Access::Read),
            names::ORDER => serving.answer(asked, Access::Order),
            _ => answer(&shared, &broker, &asked, &what).await,
        }
    }
}

async fn answer(shared: &Shared, broker: &Broker, asked: &Message, what: &str) {
    if let Some(reply) = asked.reply.clone() {
        match what {
            "status" => broker.say(&reply, &shared.record()).await,
            "drain" => broker.say(&reply, &answered(drain(shared, asked))).await,
            names::EDIT => broker.say(&reply, &edited(shared, asked)).await,
            "release" => broker.say(&reply, &answered(release(shared, asked))).await,
            other => {
                let refused = format!("this version ({}) knows no '{other}'", env!("CARGO_PKG_VERSION"));
                broker.say(&reply, &answered(Err(refused))).await;
            }
        }
    }
}

fn answered(done: Result<(), String>) -> Answered {
    Answered { refused: done.err() }
}

fn drain(shared: &Shared, asked: &Message) -> Result<(), String> {
    let Draining { drain } = read(asked)?;
    shared.drain(drain);
    Ok(())
}

fn release(shared: &Shared, asked: &Message) -> Result<(), String> {
    let Release { id } = read(asked)?;
    shared.release(&id)
}

fn edited(shared: &Shared, asked: &Message) -> Edited {
    let edited = read::<Edit>(asked).and_then(|edit| editing::edited(shared, &edit));
    edited.unwrap_or_else(|why| Edited { refused: Some(why), ..Edited::default() })
}

fn read<T: serde::de::DeserializeOwned>(asked: &Message) -> Result<T, String> {
    serde_json::from_slice(&asked.payload).map_err(|error| format!("the question is not understood: {error}"))
}
