//! Runs the emulator on 127.0.0.1 until SIGINT or SIGTERM.

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;
use upload_emulator::{Config, app, serve};

/// How long requests may take to notice the end.
const GRACE: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::parse();
    let level = if config.quiet { LevelFilter::ERROR } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(run(&config));
    // Requests under way are dropped, stalled ones too, and with the last of them the temporary directory.
    runtime.shutdown_timeout(GRACE);
    Ok(result?)
}

async fn run(config: &Config) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?;
    let app = app(config)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "upload-emulator listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    tokio::select! {
        result = serve(listener, app) => result,
        result = end() => result,
    }
}

/// Waits for the signal to end.
async fn end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
