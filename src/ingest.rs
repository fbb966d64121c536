//! The upload of a stream, in one call.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::driver::Driver;
use crate::error;
use crate::error::ReadError;
use crate::events::Listeners;
use crate::options::{StreamSettings, UploadSettings, stream_settings};
use crate::stream::Stream;

/// Uploads a `ReadableStream` of `Uint8Array` as `IngestOptions` say; resolves to the file.
///
/// The stream is read no faster than it is sent. Whatever goes wrong once it is being read, it is cancelled and the session
/// deleted before the promise rejects.
///
/// # Errors
/// `invalid_argument`, naming the field, before the stream is touched; where it gives something else than bytes; and where
/// `memoryBudget` cannot hold a part of the session. `network` where the stream fails, with what it failed with as the
/// cause; `file_changed` where it has fewer or more bytes than `size`. Else as any upload.
pub fn ingest(source: JsValue, options: JsValue) -> Promise {
    future_to_promise(async move {
        let settings = stream_settings(&options).map_err(error::to_js)?;
        let stream = Stream::new(&source, settings.upload.config.size).map_err(error::to_js)?;
        upload(stream, settings).await
    })
}

async fn upload(stream: Stream, settings: StreamSettings) -> Result<JsValue, JsValue> {
    let StreamSettings { mut upload, on_progress } = settings;
    if let Err(failure) = look_ahead(&stream, &mut upload).await {
        let error = failure.into_js();
        stream.cancel(&error);
        return Err(error);
    }
    let listeners = Listeners::new();
    if !on_progress.is_undefined() {
        listeners.on(&"progress".into(), &on_progress)?;
    }
    let driver = Driver::new(stream, listeners, upload, None).map_err(error::to_js)?;
    let ended = driver.promise();
    driver.start();
    let ended = JsFuture::from(ended).await;
    // A runtime may stop whatever is under way once it has the answer.
    JsFuture::from(driver.aborted()).await?;
    ended
}

/// Finds out the size of a small stream that does not tell it: some connectors' sessions do not begin at 0 bytes, and no
/// session can be made for nothing.
async fn look_ahead(stream: &Stream, settings: &mut UploadSettings) -> Result<(), ReadError> {
    if settings.config.size.is_none() {
        let limit = settings.config.direct_limit().min(settings.config.memory_budget);
        settings.config.size = stream.peek(limit, settings.signal.as_ref()).await?;
    }
    Ok(())
}
