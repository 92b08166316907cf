//! The window: a [`Snapshot`] goes in, pictures and [`Command`]s come out.
//!
//! The shell decides nothing that outlives the window, opens no socket, reads no clock and starts
//! no thread. What it remembers is what is open, typed and scrolled. Colours and sizes are in
//! `theme`, sentences in `assets/locale`, icons in `icons`, one screen a file in `screens`.

mod app_icon;
mod cx;
mod icons;
mod screens;
mod texts;
mod theme;
mod widgets;

use egui::{ThemePreference, Ui};
use offhook_model::{CallId, CallState, Command, Jid, SessionState, Snapshot, Theme, Timestamp};

pub use app_icon::icon;
pub use cx::Zone;

use cx::{Cx, People, system_zone};
use screens::entry::Entry;
use screens::hub::{Hub, Page, Section};
use screens::{enrol, entry, hub, incoming, toasts, trust};
use texts::Texts;

/// A place in the window that can be opened from outside, for example by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The list of conversations.
    Chats,
    /// The list of people.
    Contacts,
    /// The list of calls.
    Calls,
    /// A conversation.
    Chat(Jid),
    /// Settings.
    Settings,
    /// Connection status.
    Status,
    /// All keys.
    Keys,
    /// Rooms to enter.
    Rooms,
    /// The dialog for a new group chat.
    NewRoom,
    /// Who is in the group chat that is open.
    RoomPanel,
    /// Manual setup, before sign-in.
    ManualSetup,
}

/// Everything the window remembers between two frames.
pub struct Shell {
    texts: Texts,
    locale: Option<String>,
    language: Option<String>,
    theme: Option<Theme>,
    contrast: bool,
    zone: Zone,
    own_call_window: bool,
    people: People,
    photos: widgets::Photos,
    entry: Entry,
    hub: Hub,
    /// The question about a certificate that has had the focus.
    asked: Option<u32>,
    /// The answer to the question for an authentication string.
    enrolling: enrol::Typing,
    /// The newest call for which the desktop was asked for attention.
    attention: Option<CallId>,
    out: Vec<Command>,
}

impl Shell {
    /// Installs fonts and theme. `locale` is the system's language tag, used unless the settings
    /// name a language; without either it is English.
    pub fn new(ctx: &egui::Context, locale: Option<&str>) -> Self {
        theme::install(ctx);
        Self {
            texts: Texts::new(locale),
            locale: locale.map(str::to_owned),
            language: None,
            theme: None,
            contrast: false,
            zone: system_zone,
            own_call_window: true,
            people: People::default(),
            photos: widgets::Photos::default(),
            entry: Entry::default(),
            hub: Hub::default(),
            asked: None,
            enrolling: enrol::Typing::default(),
            attention: None,
            out: Vec::new(),
        }
    }

    /// Replaces the system's time zone.
    pub fn set_zone(&mut self, zone: Zone) {
        self.zone = zone;
    }

    /// High contrast, as the system asks for it.
    pub fn set_high_contrast(&mut self, ctx: &egui::Context, on: bool) {
        self.contrast = on;
        theme::restyle(ctx, on);
    }

    /// Whether a ringing call gets a small window of its own while the main one is not in front.
    pub fn set_own_call_window(&mut self, on: bool) {
        self.own_call_window = on;
    }

    /// Opens a place, such as the conversation that a link names.
    pub fn open(&mut self, place: Place) {
        let hub = &mut self.hub;
        hub.page = None;
        match place {
            Place::Chats => hub.section = Section::Chats,
            Place::Contacts => hub.section = Section::Contacts,
            Place::Calls => hub.section = Section::Calls,
            Place::Chat(with) => {
                hub.section = Section::Chats;
                hub.open_chat(with);
            }
            Place::Settings => hub.page = Some(Page::Settings),
            Place::Status => hub.page = Some(Page::Status),
            Place::Keys => hub.page = Some(Page::Keys),
            Place::Rooms => hub.page = Some(Page::Rooms),
            Place::NewRoom => hub.making = Some(screens::rooms::Making::default()),
            Place::RoomPanel => hub.panel = Some(screens::rooms::Panel::default()),
            Place::ManualSetup => self.entry.manual_open = true,
        }
    }

    /// Draws one frame over the whole of `ui`.
    ///
    /// `levels` are the peaks of microphone and output since the last frame, 0 to 1. Wishes of
    /// the user go to `send` in the order in which they were made. Asks for a further frame only
    /// when something on the screen changes with time.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        snapshot: &Snapshot,
        now: Timestamp,
        levels: (f32, f32),
        send: &mut dyn FnMut(Command),
    ) {
        self.follow_settings(ui.ctx(), snapshot);
        self.people.update(&snapshot.contacts);
        self.photos.begin();
        let dark = ui.ctx().theme() == egui::Theme::Dark;
        let cx = Cx {
            c: theme::tokens(dark, self.contrast),
            texts: &self.texts,
            snap: snapshot,
            people: &self.people,
            photos: &self.photos,
            now,
            zone: self.zone,
            levels,
            narrow: ui.max_rect().width() < theme::NARROW,
        };
        ui.painter().rect_filled(ui.max_rect(), 0, cx.c.ground);
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        let out = &mut self.out;
        match snapshot.session.state {
            SessionState::SignedIn | SessionState::Reconnecting => {
                hub::show(ui, &cx, &mut self.hub, out);
                incoming::show(ui, &cx, &mut self.hub, self.own_call_window, out);
            }
            SessionState::SignedOut
            | SessionState::Discovering
            | SessionState::SigningIn
            | SessionState::Failed => entry::show(ui, &cx, &mut self.entry, out),
        }
        toasts::show(ui, &cx, out);
        enrol::show(ui, &cx, &mut self.enrolling, out);
        trust::show(ui, &cx, &mut self.asked, out);
        self.photos.ask(out);
        self.out.drain(..).for_each(send);
    }

    /// To be called before every frame, also while the window is hidden (eframe's `App::logic`).
    ///
    /// While a call rings here it makes a hidden window draw, so that the call's own small window
    /// appears, and asks the desktop for attention once a call.
    pub fn logic(&mut self, ctx: &egui::Context, snapshot: &Snapshot) {
        let ringing = snapshot
            .calls
            .iter()
            .filter(|call| call.state == CallState::Incoming)
            .map(|call| call.id)
            .max();
        let hidden = ctx.input(|input| input.viewport().minimized == Some(true));
        let away = hidden || ctx.input(|input| input.viewport().focused == Some(false));
        if ringing.is_some() && hidden {
            ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaintWhileHidden);
        }
        if ringing > self.attention && away {
            let attention = egui::UserAttentionType::Critical;
            ctx.send_viewport_cmd(egui::ViewportCommand::RequestUserAttention(attention));
        }
        self.attention = self.attention.max(ringing);
    }

    fn follow_settings(&mut self, ctx: &egui::Context, snapshot: &Snapshot) {
        let settings = &snapshot.settings;
        if self.theme != Some(settings.theme) {
            self.theme = Some(settings.theme);
            ctx.set_theme(match settings.theme {
                Theme::System => ThemePreference::System,
                Theme::Light => ThemePreference::Light,
                Theme::Dark => ThemePreference::Dark,
            });
        }
        if self.language != settings.language {
            self.language.clone_from(&settings.language);
            let tag = self.language.as_deref().or(self.locale.as_deref());
            self.texts = Texts::new(tag);
        }
    }
}
