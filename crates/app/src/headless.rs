//! The client without a window.

use std::time::Duration;

use offhook_engine::Handle;
use offhook_model::Command;

use crate::args::Global;
use crate::client::{Client, Hosted};

/// Runs until the engine ends. A configuration URL is acted on first.
///
/// # Errors
/// One sentence when it cannot start.
pub fn run(global: &Global, provision: Option<String>) -> Result<(), String> {
    let client = Client::open(global)?;
    block_on(async {
        let listener = offhook_platform::listen(&client.folders.run).await?;
        let folders = client.folders.clone();
        let recorder = client.recorder.clone();
        let (engine, running) = client.engine(global, false, Box::new(|| {}));
        if let Some(url) = provision {
            let _ = engine.send(Command::Provision(url.into()));
        }
        let hosted = Hosted { engine: engine.clone(), folders, recorder };
        tokio::select! {
            () = running => {}
            () = offhook_control::serve(listener, hosted) => {}
            () = quit_on_signal(engine) => {}
        }
        Ok(())
    })?
}

/// What libraries of the system still wait for when the work is done (a Kerberos realm, a name server)
/// is waited for no longer than this.
const LINGER: Duration = Duration::from_secs(2);

/// Does this work on one thread.
///
/// # Errors
/// The system has no thread or descriptor left.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(LINGER);
    Ok(done)
}

/// One thread: what there is to do is mostly waiting, and memory is dear.
///
/// # Errors
/// The system has no thread or descriptor left.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .thread_keep_alive(Duration::from_secs(5))
        .build()
        .map_err(|error| format!("The program cannot start ({error})."))
}

/// Signs out and hangs up cleanly on SIGINT and SIGTERM, then waits for the engine to end. A second
/// signal ends at once.
pub async fn quit_on_signal(engine: Handle) {
    interrupted().await;
    let _ = engine.send(Command::Quit);
    interrupted().await;
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}
