//! The connections below HTTP: what makes a reset a real reset.
//!
//! A handler reaches its TCP connection through [`Connection`], which [`serve`] hands to every request. Once it is
//! cut, nothing passes any more, so hyper drops it with the answer half made, and the socket, closed without
//! lingering, sends a RST.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How often a stalled request looks whether its client is still there.
const LOOK: Duration = Duration::from_millis(50);
/// Receive buffer of a paced connection: small, so that the sender feels the pace and not the kernel's megabytes.
const PACED_RECEIVE_BUFFER: usize = 64 * 1024;

/// Serves the emulator until the future is dropped.
///
/// # Errors
/// Those of the listener itself; errors of connections end these connections only.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    let service = app.into_make_service_with_connect_info::<Connection>();
    axum::serve(ControlledListener(listener), service).await
}

/// The TCP connection of a request.
#[derive(Debug, Clone)]
pub(crate) struct Connection(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    stream: TcpStream,
    cut: AtomicBool,
    narrowed: AtomicBool,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self(Arc::new(Shared { stream, cut: AtomicBool::new(false), narrowed: AtomicBool::new(false) }))
    }

    /// Cuts the connection: whatever the handler answers from here on is not sent.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        // A failure leaves an orderly close, which is still no answer.
        let _ = self.0.stream.set_zero_linger();
    }

    /// Waits until the client closes the connection, reading nothing.
    pub(crate) async fn closed(&self) {
        loop {
            // Readiness is there at once while unread bytes are waiting, hence the pause between the looks.
            match self.0.stream.ready(Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() && !ready.is_error() => tokio::time::sleep(LOOK).await,
                _ => return,
            }
        }
    }

    /// Makes the sender feel the pace at which its bytes are read.
    pub(crate) fn narrow(&self) {
        if !self.0.narrowed.swap(true, Ordering::Relaxed) {
            // Without it the pace is kept all the same, in coarser steps.
            let _ = SockRef::from(&self.0.stream).set_recv_buffer_size(PACED_RECEIVE_BUFFER);
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.0.cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

struct ControlledListener(TcpListener);

impl Listener for ControlledListener {
    type Io = ControlledStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers must not wait for more; a failure costs latency only.
        let _ = stream.set_nodelay(true);
        (ControlledStream(Connection::new(stream)), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, ControlledListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, ControlledListener>) -> Self {
        stream.io().0.clone()
    }
}

struct ControlledStream(Connection);

impl ControlledStream {
    fn stream(&self) -> &TcpStream {
        &self.0.0.stream
    }

    fn poll_write_with(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            self.0.check()?;
            ready!(self.stream().poll_write_ready(cx))?;
            match write(self.stream()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl AsyncRead for ControlledStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            self.0.check()?;
            ready!(self.stream().poll_read_ready(cx))?;
            match self.stream().try_read_buf(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result.map(drop)),
            }
        }
    }
}

impl AsyncWrite for ControlledStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.check())
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.check()?;
        Poll::Ready(SockRef::from(self.stream()).shutdown(std::net::Shutdown::Write))
    }
}
