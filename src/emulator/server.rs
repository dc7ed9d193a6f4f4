//! The sockets: accepts connections, passes requests to the routes, hangs up where a scenario says so. Everything ends when
//! its `Serving` is dropped.

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

/// Serves `router` on `listener`.
pub(super) fn serve(listener: TcpListener, router: Router) -> Serving {
    Serving(tokio::spawn(async move {
        let router = Arc::new(TowerToHyperService::new(router));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        // Send small answers at once.
                        let _ = socket.set_nodelay(true);
                        let router = Arc::clone(&router);
                        connections.spawn(async move {
                            let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
                                let router = Arc::clone(&router);
                                async move {
                                    // A received request is carried out even if its client is gone, as the service does.
                                    let answering = tokio::spawn(async move { router.call(request.map(Body::new)).await });
                                    let Ok(response) = answering.await.map_err(std::io::Error::other)?;
                                    match response.extensions().get::<HangUp>() {
                                        Some(HangUp) => Err(std::io::Error::other("hung up by the scenario")),
                                        None => Ok(response),
                                    }
                                }
                            });
                            let mut http = hyper::server::conn::http1::Builder::new();
                            http.half_close(true);
                            // A client that hung up does not affect the others.
                            let _ = http.serve_connection(TokioIo::new(socket), service).await;
                        });
                    }
                    // Too many open files, for example: let other connections end first.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }))
}
