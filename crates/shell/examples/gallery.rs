//! Opens a real window on a made-up snapshot, to look at every screen.
//!
//! `cargo run -p offhook-shell --example gallery -- --screen hub --theme dark --scale 2
//! --size 1240x800 --screenshot hub.png`. With `--screenshot` it writes the picture and ends.
//! `--press NAME` presses the control of that name, `@NAME` gives it the focus, `=TEXT` types, `!` is the menu key.

#![allow(dead_code, clippy::print_stderr, reason = "a tool for the desk")]

#[path = "gallery/hand.rs"]
mod hand;
#[path = "../tests/common/people.rs"]
mod people;
#[path = "../tests/common/rooms.rs"]
mod rooms;
#[path = "../tests/common/sample.rs"]
mod sample;
#[path = "../tests/common/talk.rs"]
mod talk;
#[path = "../tests/common/trust.rs"]
mod trust;

use std::process::ExitCode;

use offhook_model::{CallState, Repair, SilentLeg, Snapshot, Theme};
use offhook_shell::{Place, Shell, icon};
use sample::{NOW, call, jid};

struct Options {
    screen: String,
    theme: Theme,
    contrast: bool,
    scale: f32,
    size: egui::Vec2,
    language: Option<String>,
    screenshot: Option<String>,
    call_window: bool,
    press: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        screen: "hub".into(),
        theme: Theme::Light,
        contrast: false,
        scale: 1.0,
        size: egui::vec2(1240.0, 800.0),
        language: None,
        screenshot: None,
        call_window: false,
        press: Vec::new(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let mut value = || args.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--screen" => options.screen = value()?,
            "--theme" => match value()?.as_str() {
                "light" => options.theme = Theme::Light,
                "dark" => options.theme = Theme::Dark,
                "contrast" => options.contrast = true,
                other => return Err(format!("no theme {other}: light, dark or contrast")),
            },
            "--scale" => options.scale = value()?.parse().map_err(|_| "scale is a number")?,
            "--size" => options.size = pair(&value()?)?,
            "--press" => options.press.push(value()?),
            "--language" => options.language = Some(value()?),
            "--call-window" => options.call_window = true,
            "--screenshot" => options.screenshot = Some(value()?),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(options)
}

/// `1240x800`.
fn pair(text: &str) -> Result<egui::Vec2, String> {
    let number = |text: &str| text.parse::<f32>().ok();
    let pair = text.split_once('x');
    let pair = pair.and_then(|(x, y)| Some(egui::vec2(number(x)?, number(y)?)));
    pair.ok_or(format!("{text} is not of the form 1240x800"))
}

fn scene(name: &str) -> Option<(Snapshot, Vec<Place>)> {
    let chat = || vec![Place::Chat(jid("amira"))];
    Some(match name {
        "first-run" => (sample::first_run(), vec![]),
        "discovering" => (sample::discovering(), vec![]),
        "password" => (sample::password(false), vec![]),
        "password-again" => (sample::password(true), vec![]),
        "manual" => (sample::first_run(), vec![Place::ManualSetup]),
        "failure" => (sample::failure(), vec![]),
        "empty" => (sample::hub(), vec![]),
        "hub" => {
            let mut snapshot = sample::calling(vec![
                call(1, "4188", CallState::Held),
                call(2, "+49 30 5550 0142", CallState::Incoming),
            ]);
            let mut chats = snapshot.chats.to_vec();
            let mut first = offhook_model::Chat::clone(&chats[0]);
            first.typing = true;
            chats[0] = first.into();
            snapshot.chats = chats.into();
            (snapshot, chat())
        }
        "chat" => (sample::hub(), chat()),
        "talk" => (talk::rich(), chat()),
        "room" => (talk::room(), vec![Place::Chat(talk::room_jid())]),
        "protected" => (talk::protected(), chat()),
        "stranger" => (talk::stranger(), vec![Place::Chat(jid("unknown"))]),
        "blocked" => (talk::blocked(), chat()),
        "long" => (talk::long(100_000), chat()),
        "second-call" => {
            let first = call(1, "4188", CallState::Connected);
            let second = call(2, "+49 30 5550 0142", CallState::Incoming);
            (sample::calling(vec![first, second]), chat())
        }
        "incoming" => {
            (sample::calling(vec![call(2, "+49 30 5550 0142", CallState::Incoming)]), chat())
        }
        "call" => (sample::calling(vec![call(1, "4217", CallState::Connected)]), vec![]),
        "call-bar" => {
            let mut one = call(1, "4188", CallState::Connected);
            one.muted = true;
            (sample::calling(vec![one]), chat())
        }
        "transfer" | "keypad" => {
            (sample::calling(vec![call(1, "4217", CallState::Connected)]), vec![])
        }
        "keypad-bar" => (sample::calling(vec![call(1, "4188", CallState::Connected)]), chat()),
        "call-menu-two" | "transfer-two" => {
            let first = call(1, "4217", CallState::Connected);
            let second = call(2, "+49 30 5550 0142", CallState::Held);
            (sample::calling(vec![first, second]), vec![])
        }
        "incoming-menu" => {
            let first = call(1, "4188", CallState::Connected);
            let second = call(2, "+49 30 5550 0142", CallState::Incoming);
            (sample::calling(vec![first, second]), chat())
        }
        "preserved" => {
            let mut one = call(1, "4217", CallState::Connected);
            one.can = offhook_model::CallAbilities::default();
            one.preserved = true;
            (sample::calling(vec![one]), vec![])
        }
        "phone-forward" => {
            let phone = std::sync::Arc::new(sample::phone());
            (Snapshot { phone, ..sample::hub() }, chat())
        }
        "unheard" => (sample::unheard(SilentLeg::MicrophoneSilent, None), vec![]),
        "unheard-bar" => (sample::unheard(SilentLeg::NotArriving, Some(Repair::Renewing)), chat()),
        "controlled" => (sample::controlled(), vec![]),
        "asked" => (sample::asked_to_call(), chat()),
        "elsewhere" => (sample::elsewhere(), chat()),
        "phone-menu" => {
            let mut snapshot = sample::hub();
            snapshot.phone = std::sync::Arc::new(offhook_model::PhoneState {
                forward: None,
                dnd: Some(offhook_model::Dnd::Reject),
                ..sample::phone()
            });
            (snapshot, chat())
        }
        "ended" => (sample::ended("busy"), chat()),
        "contacts" => (sample::request(), vec![Place::Contacts]),
        "favourites" => (sample::favourites(), vec![Place::Contacts]),
        "speed-dial" => (sample::favourites(), vec![Place::Calls]),
        "crowd" => (sample::crowd(), vec![Place::Contacts]),
        "calls" => (sample::hub(), vec![Place::Calls]),
        "sound" => {
            let (role, phase) = (offhook_model::Role::Input, offhook_model::TestPhase::Done);
            let test = offhook_model::SoundTest { role, phase, peak_db: Some(-14) };
            (sample::tried(test), vec![Place::Settings])
        }
        "settings" => (sample::hub(), vec![Place::Settings]),
        "status" => (sample::phone_broken(), vec![Place::Status]),
        "trust" => (trust::question(true), vec![]),
        "enrolment" => (trust::enrolment(), vec![]),
        "browser" => (trust::browser(), vec![]),
        "outside" => (trust::outside(), vec![Place::Status]),
        "certificates" => (trust::outside(), vec![Place::Settings]),
        "settled" => (trust::settled_domain(false), vec![]),
        "rooms" => (rooms::rooms(), vec![Place::Rooms]),
        "room-panel" => {
            (rooms::rooms(), vec![Place::Chat(rooms::room("rollout")), Place::RoomPanel])
        }
        "new-room" => (rooms::rooms(), vec![Place::NewRoom]),
        "search" | "search-card" => {
            let mut all = people::found();
            all.insert(2, people::right_to_left());
            let (query, stage) = ("am".into(), offhook_model::SearchStage::Asking);
            let search =
                offhook_model::PeopleSearch { query, people: all, stage, ..Default::default() };
            (people::searched(search), vec![])
        }
        "search-groups" | "group" => {
            (people::search_with_groups(offhook_model::SearchStage::Done, 3), vec![])
        }
        "search-many" => (people::many(), chat()),
        "search-nobody" => {
            let (query, stage) = ("xyz".into(), offhook_model::SearchStage::Done);
            let problems = vec![people::unreachable()];
            let search =
                offhook_model::PeopleSearch { query, stage, problems, ..Default::default() };
            (people::searched(search), chat())
        }
        "own" | "own-new" | "own-wrong" | "own-card" | "own-remove" | "import" | "export" => {
            (people::own(), vec![Place::Contacts])
        }
        "own-settings" => (people::own(), vec![Place::Settings]),
        "own-keep" => {
            let mut snapshot = people::own();
            let query = "am".into();
            let search = offhook_model::PeopleSearch {
                query,
                people: people::found(),
                ..Default::default()
            };
            snapshot.people = search.into();
            (snapshot, vec![])
        }
        "keys" => (sample::hub(), vec![Place::Keys]),
        "toast" => (sample::toast(), chat()),
        _ => return None,
    })
}

/// What is pressed to open a menu or dialog of a scene.
fn pressed(scene: &str) -> impl Iterator<Item = &'static str> {
    let steps: &[&str] = match scene {
        "search" => &["@Search or call", "=am"],
        "search-card" => &[
            "@Search or call",
            "=am",
            "@Amélie Østergård, Head of purchasing · Purchasing · Directory",
            "!",
            "Details",
        ],
        "search-groups" => &["@Search or call", "=am"],
        "group" => &["@Search or call", "=am", "Add the group Amsterdam to contacts"],
        "search-many" => &["@Search or call", "=person"],
        "own-new" => &["My contacts", "New contact"],
        "own-wrong" => &["My contacts", "New contact", "@Number 1", "=twelve", "Save"],
        "own-card" => &["Paula Amsel, Amsel & Sons, plumbing · +49 30 5550 0177"],
        "own-remove" => {
            &["Paula Amsel, Amsel & Sons, plumbing · +49 30 5550 0177", "Remove from my contacts"]
        }
        "import" => &["My contacts", "Import contacts", "=people.csv", "Import"],
        "export" => &["My contacts", "Export contacts"],
        "own-keep" => &[
            "@Search or call",
            "=am",
            "@Amélie Østergård, Head of purchasing · Purchasing · Directory",
            "!",
            "Keep in my contacts",
        ],
        "search-nobody" => &["@Search or call", "=xyz"],
        "call-menu-two" => &["More"],
        "transfer" | "transfer-two" => &["Transfer", "=4302"],
        "keypad" | "keypad-bar" => &["Keypad"],
        "incoming-menu" => &["More"],
        "phone-menu" => &["Phone: Calls are refused, 3 voice messages"],
        "phone-forward" => &["Phone: calls go to 4302, 3 voice messages"],
        _ => &[],
    };
    steps.iter().copied()
}

struct Gallery {
    shell: Shell,
    snapshot: Snapshot,
    screenshot: Option<String>,
    frames: u32,
    /// Frames until everything is open and no animation goes on.
    settled: u32,
    started: bool,
}

impl eframe::App for Gallery {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.shell.logic(ctx, &self.snapshot);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.shell.ui(ui, &self.snapshot, NOW, (0.2, 0.05), &mut |command| {
            eprintln!("{command:?}");
        });
        self.frames += 1;
        let Some(path) = &self.screenshot else { return };
        if self.frames < self.settled {
            ui.ctx().request_repaint();
        } else if !self.started {
            self.started = true;
            let (ctx, path) = (ui.ctx().clone(), path.clone());
            let callback = egui::ScreenshotCallback::new(move |shot| {
                save(&shot, &path);
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                ctx.request_repaint();
            });
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Screenshot(callback));
            ui.ctx().request_repaint();
        }
    }
}

fn save(shot: &egui::ColorImage, path: &str) {
    let [width, height] = shot.size.map(|side| side as u32);
    let bytes = shot.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
    match image::RgbaImage::from_raw(width, height, bytes).map(|image| image.save(path)) {
        Some(Ok(())) => eprintln!("{path}: {width}x{height}"),
        other => eprintln!("{path} was not written: {other:?}"),
    }
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let Some((snapshot, places)) = scene(&options.screen) else {
        eprintln!("there is no screen {}", options.screen);
        return ExitCode::from(2);
    };
    let snapshot = sample::themed(snapshot, options.theme);
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Offhook gallery")
            .with_inner_size(options.size * options.scale)
            .with_icon(icon()),
        ..Default::default()
    };
    let run = eframe::run_native(
        "offhook-gallery",
        native,
        Box::new(move |context| {
            let ctx = &context.egui_ctx;
            ctx.set_zoom_factor(options.scale);
            let press: Vec<String> =
                pressed(&options.screen).map(str::to_owned).chain(options.press).collect();
            let steps = u32::try_from(press.len()).unwrap_or(0);
            ctx.add_plugin(hand::Hand::new(press));
            let mut shell = Shell::new(ctx, options.language.as_deref());
            shell.set_zone(|_| 0);
            shell.set_own_call_window(options.call_window);
            if options.contrast {
                shell.set_high_contrast(ctx, true);
            }
            places.into_iter().for_each(|place| shell.open(place));
            Ok(Box::new(Gallery {
                shell,
                snapshot,
                screenshot: options.screenshot,
                frames: 0,
                settled: 16 + 6 * steps,
                started: false,
            }))
        }),
    );
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
