//! The six routes of the API.

mod direct;
mod fault;
mod finish;
mod sessions;
mod upload;
mod validate;

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use upload_session_engine::wire::{FILES_PATH, SESSIONS_PATH};

use crate::body::Failure;
use crate::connection::Connection;
use crate::exchange::Exchange;
use crate::faults::Operation;
use crate::state::State;

type SharedState = axum::extract::State<Arc<State>>;
type Peer = ConnectInfo<Connection>;

/// Routes the six operations.
pub(crate) fn router() -> Router<Arc<State>> {
    let create = |state, peer, request| run(state, peer, Operation::Create, None, request);
    let one = get(|state, peer, Path(id), request| run(state, peer, Operation::Get, Some(id), request))
        .put(|state, peer, Path(id), request| run(state, peer, Operation::Upload, Some(id), request))
        .delete(|state, peer, Path(id), request| run(state, peer, Operation::Delete, Some(id), request));
    let finish = |state, peer, Path(id), request| run(state, peer, Operation::Finish, Some(id), request);
    let direct = |state, peer, request| run(state, peer, Operation::Direct, None, request);
    Router::new()
        .route(SESSIONS_PATH, post(create))
        .route(&format!("{SESSIONS_PATH}/{{id}}"), one)
        .route(&format!("{SESSIONS_PATH}/{{id}}/finish"), post(finish))
        .route(FILES_PATH, post(direct))
}

async fn run(
    state: SharedState,
    peer: Peer,
    operation: Operation,
    session_id: Option<String>,
    request: Request,
) -> Response {
    fault::run(Exchange::begin(state.0, peer.0, operation, session_id, request)).await
}

/// Does what was asked, without faults. Whatever the answer, the body has been read.
async fn perform(exchange: &mut Exchange) -> Result<Response, Failure> {
    let outcome = match exchange.operation {
        Operation::Create => sessions::create(exchange).await,
        Operation::Get => sessions::get(exchange).await,
        Operation::Upload => upload::upload(exchange).await,
        Operation::Finish => finish::finish(exchange).await,
        Operation::Delete => sessions::delete(exchange).await,
        Operation::Direct => direct::direct(exchange).await,
    };
    let response = match outcome {
        Ok(answer) => answer.into_response(),
        Err(Failure::Api(error)) => error.into_response(),
        Err(Failure::Cut) => return Err(Failure::Cut),
    };
    exchange.body.drain().await?;
    Ok(response)
}
