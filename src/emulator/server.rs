//! The sockets: accepts connections, passes requests to the routes, hangs up where a scenario says so. Everything ends when
//! its `Serving` is dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONNECTION, HOST, HeaderValue};
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::answer::{Dialect, HangUp, Refusal, Reply};
use crate::{Error, Result};

/// How long the rest of a refused request is read, so that its sender gets to see the answer.
const LINGER: Duration = Duration::from_secs(30);
/// How long it may be silent.
const LINGER_IDLE: Duration = Duration::from_secs(2);

/// Binds a port of the loopback address.
pub(super) async fn bind(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let wanted = SocketAddr::from(([127, 0, 0, 1], port));
    let failed = |error| Error::io("listen on", Path::new(&wanted.to_string()), error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A running listener; dropping it ends it and its connections.
#[derive(Debug)]
pub(super) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `router` on `listener`, which is bound to `address`.
pub(super) fn serve(listener: TcpListener, address: SocketAddr, router: Router) -> Serving {
    Serving(tokio::spawn(async move {
        let hosts = Arc::new(Hosts::of(address));
        let router = Arc::new(TowerToHyperService::new(router));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        // Send small answers at once.
                        let _ = socket.set_nodelay(true);
                        connections.spawn(connection(socket, Arc::clone(&hosts), Arc::clone(&router)));
                    }
                    // Too many open files, for example: let other connections end first.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }))
}

/// Answers the requests of one connection.
async fn connection(socket: TcpStream, hosts: Arc<Hosts>, router: Arc<TowerToHyperService<Router>>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (hosts, router) = (Arc::clone(&hosts), Arc::clone(&router));
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let (body, unread) = Watched::watch(body);
            let request = Request::from_parts(head, body);
            if let Err(refusal) = hosts.check(&request) {
                return Ok(closing(Reply::refusal(Dialect::DashScope, &refusal, "").response("", 0)));
            }
            // A received request is carried out even if its client is gone, as the service does.
            let answering = tokio::spawn(async move { router.call(request).await });
            let Ok(response) = answering.await.map_err(std::io::Error::other)?;
            match response.extensions().get::<HangUp>() {
                Some(HangUp) => Err(std::io::Error::other("hung up by the scenario")),
                None if unread.load(Ordering::Relaxed) => Ok(closing(response)),
                None => Ok(response),
            }
        })
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.half_close(true);
    let mut serving = http.serve_connection(TokioIo::new(socket), service);
    // A client that hung up does not affect the others.
    if std::future::poll_fn(|context| serving.poll_without_shutdown(context)).await.is_ok() {
        linger(serving.into_parts().io.into_inner()).await;
    }
}

/// Tells the client that no other request can follow on this connection.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A request body that knows whether it was read to its end.
struct Watched {
    body: Incoming,
    unread: Arc<AtomicBool>,
}

impl Watched {
    fn watch(body: Incoming) -> (Body, Arc<AtomicBool>) {
        let unread = Arc::new(AtomicBool::new(!body.is_end_stream()));
        (Body::new(Self { body, unread: Arc::clone(&unread) }), unread)
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.unread.store(false, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Closes a connection. What was not read of a refused request is read now and thrown away: a socket that is closed with
/// unread bytes takes the answer with it.
async fn linger(mut socket: TcpStream) {
    let rest = async {
        let mut scrap = vec![0; 64 << 10];
        socket.shutdown().await.ok()?;
        while tokio::time::timeout(LINGER_IDLE, socket.read(&mut scrap)).await.ok()?.ok()? > 0 {}
        Some(())
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// The names of a listener. A web page whose own name was made to resolve to this machine (DNS rebinding) still sends that
/// name.
#[derive(Debug)]
struct Hosts(Vec<String>);

impl Hosts {
    fn of(address: SocketAddr) -> Self {
        let port = address.port();
        let mut hosts = vec![format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        if port == 80 {
            hosts.extend(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        }
        Self(hosts)
    }

    /// 400 for a request that names no host or several, 421 for another host, as HTTP wants it.
    fn check(&self, request: &Request<Body>) -> std::result::Result<(), Refusal> {
        let mut named = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidHost", "A request names one host."));
        };
        let ours = |name: &[u8]| self.0.iter().any(|host| name.eq_ignore_ascii_case(host.as_bytes()));
        let target = request.uri().authority().is_none_or(|authority| ours(authority.as_str().as_bytes()));
        if target && ours(host.as_bytes()) {
            return Ok(());
        }
        let message = format!("This emulator answers requests for {} only.", self.0.join(" and "));
        Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "InvalidHost", message))
    }
}
