//! While no server runs at all, nobody can be given a source: a node may count on what it has.
//!
//! That no server runs is known only where each of its addresses *refuses* the connection: by the system of the machine on which it
//! would run. Silence says nothing, and neither does a gateway that refuses for machines that are not there, a firewall, a tunnel or a load balancer that refuses in the server's place; that is
//! why this is off unless the configuration asks for it. In a cluster a server may run whose address is not known here, so that it
//! is never done there.
//!
//! When the server is back it may have given a source to another node at once. That one begins to count no earlier than [`ACK_WAIT`]
//! after it has connected to this server, which is later than [`TERM`] after any connection that was refused before. A lease that went
//! on like this is renewed by no answer: it runs out, and the source is given again.
//!
//! [`ACK_WAIT`]: super::term::ACK_WAIT
//! [`TERM`]: super::term::TERM

use std::{io::ErrorKind, sync::Arc, time::Duration};

use tokio::net::{TcpStream, lookup_host};

use super::{broker::Broker, state::Shared, term::RENEWAL};
use crate::clock::passed;

/// A machine that is there refuses within this time.
const ANSWER: Duration = Duration::from_secs(1);

/// Where NATS listens when an address does not say.
const PORT: u16 = 4222;

/// Has leases go on while connections are refused, until it is aborted.
pub async fn run(shared: Arc<Shared>, broker: Broker) {
    if !shared.options.count_while_refused {
        return;
    }
    let places: Vec<(String, u16)> = shared.options.server.url.hosts(PORT).collect();
    let mut was_refused = false;
    loop {
        tokio::time::sleep(RENEWAL).await;
        if broker.is_connected() {
            was_refused = false;
            continue;
        }
        let is_alone = broker.client.server_info().cluster.is_none();
        let asked = passed();
        let is_refused = is_alone && are_refused(&places).await;
        if is_refused {
            shared.for_each(|held| held.extend(asked));
        }
        if is_refused != was_refused {
            was_refused = is_refused;
            if is_refused {
                tracing::warn!(
                    "Fleet: no server runs at {} (connection refused); this node counts on what it has",
                    shared.options.server.url
                );
            } else {
                tracing::warn!(
                    "Fleet: whether a server runs is not known any more; what it has lent runs out"
                );
            }
        }
    }
}

/// Whether each of `places` refuses a connection.
async fn are_refused(places: &[(String, u16)]) -> bool {
    let refused = places.iter().map(is_refused);
    futures_util::future::join_all(refused).await.into_iter().all(|is_refused| is_refused)
}

async fn is_refused((host, port): &(String, u16)) -> bool {
    let Ok(Ok(addresses)) = tokio::time::timeout(ANSWER, lookup_host((host.as_str(), *port))).await else {
        return false;
    };
    let mut count = 0;
    for address in addresses {
        count += 1;
        match tokio::time::timeout(ANSWER, TcpStream::connect(address)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {}
            _ => return false,
        }
    }
    count > 0
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn only_an_address_at_which_nobody_listens_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = |port: u16| ("127.0.0.1".to_owned(), port);
        let taken = place(listener.local_addr().unwrap().port());
        assert!(are_refused(&[place(free)]).await);
        assert!(!are_refused(&[place(free), taken]).await, "a server runs at one of them");
        assert!(!are_refused(&[(String::from("no.such.host.invalid"), free)]).await, "a name is no answer");
    }
}
