//! The client with a window: the engine on a thread of its own, egui on the main one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use eframe::egui;
use offhook_engine::Handle;
use offhook_model::Command;
use offhook_shell::Shell;

use crate::args::Global;
use crate::client::{Client, Hosted};
use crate::headless::{block_on, quit_on_signal};

/// How long the window waits for the farewell to the servers when it is closed.
const FAREWELL: Duration = Duration::from_secs(3);

/// Opens the window and runs until it is closed. A configuration URL is acted on first.
///
/// # Errors
/// One sentence when it cannot start.
pub fn run(global: &Global, provision: Option<String>) -> Result<(), String> {
    let client = Client::open(global)?;
    let locale = client.kept.settings.language.clone().or_else(system_language);
    let context: Arc<OnceLock<egui::Context>> = Arc::default();
    let gone = Arc::new(AtomicBool::new(false));
    let (engine, over) =
        start_engine(client, global.clone(), Arc::clone(&context), Arc::clone(&gone))?;
    if let Some(url) = provision {
        let _ = engine.send(Command::Provision(url.into()));
    }
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Offhook")
            .with_app_id("offhook")
            .with_inner_size([1_240.0, 800.0])
            .with_min_inner_size([360.0, 480.0])
            .with_icon(Arc::new(offhook_shell::icon())),
        renderer: eframe::Renderer::Glow,
        multisampling: 0,
        depth_buffer: 0,
        stencil_buffer: 0,
        ..eframe::NativeOptions::default()
    };
    let for_window = engine.clone();
    let ended = Arc::clone(&gone);
    let shown = eframe::run_native(
        "Offhook",
        options,
        Box::new(move |creation| {
            let _ = context.set(creation.egui_ctx.clone());
            let shell = Shell::new(&creation.egui_ctx, locale.as_deref());
            Ok(Box::new(Window { shell, engine: for_window, ended }))
        }),
    );
    let _ = engine.send(Command::Quit);
    let _ = over.recv_timeout(FAREWELL);
    shown.map_err(|error| {
        format!(
            "The window cannot be opened ({error}). Check that a display and OpenGL are there, or \
             run with --headless."
        )
    })
}

/// The language of the person's system, such as `de`, where the environment tells (POSIX).
#[expect(clippy::disallowed_methods, reason = "app reads the environment, once")]
fn system_language() -> Option<String> {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .map(|value| value.split(['.', '@']).next().unwrap_or_default().replace('_', "-"))
}

/// Starts the engine's thread and waits until the profile is ours.
fn start_engine(
    client: Client,
    global: Global,
    context: Arc<OnceLock<egui::Context>>,
    gone: Arc<AtomicBool>,
) -> Result<(Handle, Receiver<()>), String> {
    let (ready, started) = sync_channel(1);
    let (ended, over) = sync_channel(1);
    let body = move || {
        let ran = block_on(async {
            let listener = match offhook_platform::listen(&client.folders.run).await {
                Ok(listener) => listener,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let folders = client.folders.clone();
            let recorder = client.recorder.clone();
            let repaint = Arc::clone(&context);
            let on_change = Box::new(move || {
                if let Some(context) = repaint.get() {
                    context.request_repaint();
                }
            });
            let (engine, running) = client.engine(&global, true, on_change);
            let _ = ready.send(Ok(engine.clone()));
            let hosted = Hosted { engine: engine.clone(), folders, recorder };
            tokio::select! {
                () = running => {}
                () = offhook_control::serve(listener, hosted) => {}
                () = quit_on_signal(engine) => {}
            }
        });
        if let Err(error) = ran {
            return drop(ready.send(Err(error)));
        }
        // The engine ended by the control API or a signal: the window follows.
        gone.store(true, Ordering::Release);
        let _ = ended.send(());
        if let Some(context) = context.get() {
            context.request_repaint();
        }
    };
    std::thread::Builder::new()
        .name("offhook-core".into())
        .spawn(body)
        .map_err(|error| format!("The program cannot start ({error})."))?;
    let engine = started.recv().map_err(|_| "The program cannot start.".to_owned())??;
    Ok((engine, over))
}

struct Window {
    shell: Shell,
    engine: Handle,
    /// The engine is no more, maybe since before there was a window.
    ended: Arc<AtomicBool>,
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.shell.logic(ctx, &self.engine.snapshot());
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if self.ended.load(Ordering::Acquire) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
        let snapshot = self.engine.snapshot();
        let now = offhook_engine::moment().wall;
        let levels = self.engine.levels();
        let engine = &self.engine;
        self.shell.ui(ui, &snapshot, now, levels, &mut |command| {
            if engine.send(command).is_err() {
                tracing::warn!("the engine takes no commands");
            }
        });
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
