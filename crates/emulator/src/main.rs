//! Runs the emulator on 127.0.0.1 until SIGINT or SIGTERM.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use clap::Parser;
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;
use upload_emulator::{Config, app, serve};

/// How long requests may take to notice the end.
const GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let config = Config::parse();
    let level = if config.quiet { LevelFilter::ERROR } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let result = runtime.block_on(run(&config));
    // Requests under way are dropped, stalled ones too, and with the last of them the temporary directory.
    runtime.shutdown_timeout(GRACE);
    result.map_or_else(fail, |()| ExitCode::SUCCESS)
}

fn fail(error: impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

async fn run(config: &Config) -> Result<(), String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await.map_err(|error| {
        let port = config.port;
        format!("cannot listen on port {port} of 127.0.0.1: {}; choose another with --port", error.kind())
    })?;
    let app = app(config).map_err(|error| {
        let dir = config.dir.clone().unwrap_or_else(std::env::temp_dir);
        format!("cannot keep parts and files in {}: {}; choose another with --dir", dir.display(), error.kind())
    })?;
    answer(listener, app).await.map_err(|error| error.to_string())
}

async fn answer(listener: TcpListener, app: Router) -> std::io::Result<()> {
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
