//! The sockets: accepts connections, hands requests to the routes, hangs up where told. All of it ends with the
//! `Serving` it belongs to.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::answer::HangUp;
use crate::{Error, Result};

/// A port of this machine.
pub(super) async fn bind(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let wanted = SocketAddr::from(([127, 0, 0, 1], port));
    let failed = |error| Error::io("listen on", Path::new(&wanted.to_string()), error);
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A listener at work; dropped, it and its connections end.
#[derive(Debug)]
pub(super) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves `router` on `listener`.
pub(super) fn serve(listener: TcpListener, router: Router) -> Serving {
    Serving(tokio::spawn(async move {
        let router = Arc::new(TowerToHyperService::new(router));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        // Small answers at once: waiting for more is slower than the answer.
                        let _ = socket.set_nodelay(true);
                        let router = Arc::clone(&router);
                        connections.spawn(async move {
                            let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
                                let router = Arc::clone(&router);
                                async move {
                                    // What was received is carried out, even when whoever sent it has gone.
                                    let answering = tokio::spawn(async move { router.call(request.map(Body::new)).await });
                                    let Ok(response) = answering.await.map_err(std::io::Error::other)?;
                                    match response.extensions().get::<HangUp>() {
                                        Some(HangUp) => Err(std::io::Error::other("hung up by the scenario")),
                                        None => Ok(response),
                                    }
                                }
                            });
                            let mut http = hyper::server::conn::http1::Builder::new();
                            // What was asked is done even when nobody waits for the answer, as the service does it.
                            http.half_close(true);
                            // Whoever hung up, it concerns nobody else.
                            let _ = http.serve_connection(TokioIo::new(socket), service).await;
                        });
                    }
                    // Too many open files, say: give the others a chance to end.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }))
}
