//! The main window once somebody is signed in: rail, list column, and what is open beside it.

use std::collections::BTreeMap;

use egui::{Align, Color32, Key, Modifiers, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::{
    Call, CallId, CallState, Command, Jid, MessageId, ProductMode, ServiceState, SessionState,
    Timestamp,
};

use super::{
    call_bar, call_stage, calls, column, conversation, dialogs, keys, rooms, settings, status,
};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{COLUMN, R_ROW, RAIL};
use crate::widgets::{badge_count, focus_ring, icon, region};

/// Which list the column shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Conversations.
    #[default]
    Chats,
    /// People.
    Contacts,
    /// Earlier calls.
    Calls,
}

/// A page that takes the place of list and conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Settings.
    Settings,
    /// Connection status.
    Status,
    /// All keys.
    Keys,
    /// Rooms to enter.
    Rooms,
}

/// What is open, typed and remembered in the main window.
#[derive(Default)]
pub struct Hub {
    /// Which list.
    pub section: Section,
    /// Which page, if one is open.
    pub page: Option<Page>,
    /// Whose conversation is open.
    pub selected: Option<Jid>,
    /// The call that fills the place of the conversation.
    pub stage: Option<CallId>,
    /// The keypad of this call is open.
    pub keypad: Option<CallId>,
    /// The dial pad is open in a narrow window.
    pub dial_pad: bool,
    /// What stands in the dial pad.
    pub dialled: String,
    /// Texts not sent yet.
    pub drafts: BTreeMap<Jid, String>,
    /// Search-or-call box.
    pub search: super::search::Search,
    /// Own note while it is edited.
    pub note: Option<String>,
    /// The add contact dialog.
    pub adding: Option<dialogs::Adding>,
    /// What is typed on the settings page.
    pub settings: super::settings_chat::Typed,
    /// What is typed in its section about the ways of calls.
    pub ways: super::settings_ways::Typed,
    /// Whose card is open.
    pub card: Option<super::person_card::Card>,
    /// Contacts of our own.
    pub own: super::own::Own,
    /// What is typed in the settings of people.
    pub people: super::settings_contacts::Typed,
    /// The dialog that makes a group chat.
    pub making: Option<rooms::Making>,
    /// The page of rooms to enter.
    pub browsing: rooms::Browsing,
    /// Who is in the group chat that is open.
    pub panel: Option<rooms::Panel>,
    /// Focus goes to the composer in the next frame.
    pub focus_composer: bool,
    /// What the open conversation remembers.
    pub talk: conversation::Talk,
    /// What others and the core do not know yet of what is being written.
    pub unkept: conversation::Unkept,
    /// Missed calls before this were seen.
    pub calls_seen: Option<Timestamp>,
    /// The question to whom a call is given.
    pub giving: Option<super::call_more::Giving>,
    /// Somebody is asked before a call is given to them.
    pub asking: Option<super::call_more::Asking>,
    /// Whose lines are watched.
    pub lamps: super::favourites::Lamps,
    /// The menu of a call that rings in a window of its own is open.
    pub call_menu: bool,
    /// What is typed in the menu of the phone.
    pub phone: super::phone_menu::Typed,
    opened: Option<Jid>,
    /// What was last reported as seen: conversation, newest message, how many.
    marked: Option<(Jid, Option<MessageId>, u32)>,
    known_calls: Vec<CallId>,
}

impl Hub {
    /// Opens a conversation and everything that must be loaded for it.
    pub fn open_chat(&mut self, with: Jid) {
        self.page = None;
        self.stage = None;
        self.selected = Some(with);
        self.focus_composer = true;
        self.search.clear();
    }

    /// Dials, and lets the call be seen.
    pub fn dial(&mut self, to: offhook_model::DialString, out: &mut Vec<Command>) {
        self.search.clear();
        out.push(Command::Dial { to, video: false });
    }
}

/// Calls that are neither ringing here nor over.
pub fn live<'a>(cx: &Cx<'a>) -> impl Iterator<Item = &'a Call> + use<'a> {
    cx.snap.calls.iter().filter(|call| match call.state {
        CallState::Dialing
        | CallState::Ringing
        | CallState::Early
        | CallState::Connected
        | CallState::Held
        | CallState::RemoteHeld
        | CallState::Transferring => true,
        CallState::Incoming | CallState::Ended => false,
    })
}

/// The call that keys act on: the one not on hold, else the first.
pub fn current<'a>(cx: &Cx<'a>) -> Option<&'a Call> {
    live(cx).find(|call| call.state != CallState::Held).or_else(|| live(cx).next())
}

/// Draws everything.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    if !offered(cx, hub.section) {
        hub.section = if offered(cx, Section::Chats) { Section::Chats } else { Section::Calls };
    }
    follow_calls(cx, hub);
    shortcuts(ui, cx, hub, out);
    let full = ui.max_rect();
    let beside_open = hub.page.is_some()
        || hub.stage.is_some()
        || hub.selected.is_some()
        || (hub.section == Section::Calls && hub.dial_pad);
    if cx.narrow && beside_open {
        beside(ui, cx, hub, full, out);
    } else {
        let rail_rect = full.with_max_x(full.left() + RAIL);
        region(ui, "rail", rail_rect, |ui| rail(ui, cx, hub, out));
        let rest = full.with_min_x(rail_rect.right());
        if cx.narrow {
            region(ui, "column", rest, |ui| column::show(ui, cx, hub, out));
        } else if hub.page.is_some() {
            beside(ui, cx, hub, rest, out);
        } else {
            let list = rest.with_max_x(rest.left() + COLUMN);
            region(ui, "column", list, |ui| column::show(ui, cx, hub, out));
            beside(ui, cx, hub, rest.with_min_x(list.right()), out);
        }
    }
    dialogs::show(ui, cx, hub, out);
    super::call_more::ask(ui, cx, hub, out);
    super::phone_menu::take_over(ui, cx, hub, out);
    super::phone_menu::asked_to_call(ui, cx, hub, out);
    rooms::make(ui, cx, hub, out);
    super::person_card::show(ui, cx, hub, out);
    super::own::show(ui, cx, hub, out);
    super::search::taking(ui, cx, hub, out);
    read_and_load(ui, cx, hub, out);
    super::favourites::watch(cx, hub, out);
    conversation::still_typing(ui, cx, hub, out);
    hub.search.tell(out);
}

/// Whether the account has use for a list: an account without chat has calls only, one without
/// phone has no calls.
fn offered(cx: &Cx<'_>, section: Section) -> bool {
    match (cx.snap.session.product_mode, section) {
        (Some(ProductMode::ImOnly), Section::Calls)
        | (Some(ProductMode::PhoneOnly), Section::Chats | Section::Contacts) => false,
        (
            Some(ProductMode::Full | ProductMode::ImOnly) | None,
            Section::Chats | Section::Contacts,
        )
        | (Some(ProductMode::Full | ProductMode::PhoneOnly) | None, Section::Calls) => true,
    }
}

/// A call that was just dialled or answered fills the free place; one that ended gives it back.
fn follow_calls(cx: &Cx<'_>, hub: &mut Hub) {
    let now: Vec<CallId> = live(cx).map(|call| call.id).collect();
    let fresh = now.iter().find(|id| !hub.known_calls.contains(id));
    if let Some(&id) = fresh
        && (hub.selected.is_none() || hub.section == Section::Calls)
    {
        hub.stage = Some(id);
    }
    let gone = |id: &Option<CallId>| id.is_some_and(|id| !now.contains(&id));
    if gone(&hub.stage) {
        hub.stage = None;
    }
    if gone(&hub.keypad) {
        hub.keypad = None;
    }
    hub.known_calls = now;
    if hub.calls_seen.is_none() {
        // Calls missed earlier today are news when the window opens.
        let today =
            cx.now.0 - (cx.now.0 + i64::from((cx.zone)(cx.now)) * 1000).rem_euclid(86_400_000);
        hub.calls_seen = Some(Timestamp(today));
    }
    if hub.section == Section::Calls {
        hub.calls_seen = Some(cx.now);
    }
}

/// Tells the core once what is open and what has been seen.
fn read_and_load(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(with) = &hub.selected else {
        hub.opened = None;
        return;
    };
    if hub.opened.as_ref() != Some(with) {
        hub.opened = Some(with.clone());
        out.push(Command::OpenChat { with: with.clone() });
    }
    let visible = hub.page.is_none() && hub.stage.is_none();
    let focused = ui.input(|input| input.viewport().focused != Some(false));
    let chat = cx.snap.chats.iter().find(|chat| &chat.with == with);
    if let Some(chat) = chat.filter(|chat| chat.unread > 0 && visible && focused) {
        let last = chat.last.as_ref().map(|message| message.id.clone());
        let seen = Some((with.clone(), last, chat.unread));
        if hub.marked != seen {
            hub.marked = seen;
            out.push(Command::MarkRead { with: with.clone() });
        }
    }
}

fn beside(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, rect: Rect, out: &mut Vec<Command>) {
    let mut rest = rect;
    if hub.stage.is_none() || hub.page.is_some() {
        rest.min.y += region(ui, "call-bar", rect, |ui| call_bar::show(ui, cx, hub, out));
    }
    region(ui, "beside", rest, |ui| match (hub.page, hub.stage) {
        (Some(Page::Settings), _) => settings::show(ui, cx, hub, out),
        (Some(Page::Status), _) => status::show(ui, cx, hub),
        (Some(Page::Keys), _) => keys::show(ui, cx, hub),
        (Some(Page::Rooms), _) => rooms::browse(ui, cx, hub, out),
        (None, Some(id)) => call_stage::show(ui, cx, hub, id, out),
        (None, None) => match (hub.section, hub.selected.clone()) {
            (Section::Calls, _) => calls::dial_pad(ui, cx, hub, out),
            (Section::Chats | Section::Contacts, Some(with)) => {
                chat(ui, cx, hub, &with, out);
            }
            (Section::Chats | Section::Contacts, None) => conversation::empty(ui, cx),
        },
    });
}

/// The conversation and, for a room, who is in it; one of the two where there is no place for both.
fn chat(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid, out: &mut Vec<Command>) {
    let rect = ui.max_rect();
    let panel = hub.panel.is_some() && rooms::room(cx, with).is_some();
    let both = rect.width() >= rooms::PANEL + 380.0;
    let split = if both { rect.right() - rooms::PANEL } else { rect.left() };
    if !panel || both {
        let place = if panel { rect.with_max_x(split) } else { rect };
        region(ui, "chat", place, |ui| conversation::show(ui, cx, hub, with, out));
    }
    if panel {
        region(ui, "panel", rect.with_min_x(split), |ui| rooms::panel(ui, cx, hub, with, out));
    }
}

fn rail(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    ui.painter().vline(rect.right() - 0.5, rect.y_range(), cx.c.hair());
    let unread: usize = cx.snap.chats.iter().map(|chat| chat.unread as usize).sum();
    let seen = hub.calls_seen.unwrap_or_default();
    let missed = cx.snap.call_log.iter().take_while(|call| call.started > seen);
    let missed = missed.filter(|call| call.missed).count();
    let asks = cx.snap.contacts.iter().filter(|one| one.wants_us).count();
    let sections = [
        (Section::Chats, icons::MESSAGE_CIRCLE, "section-chats", unread, "badge-unread"),
        (Section::Contacts, icons::USERS, "section-contacts", asks, "badge-requests"),
        (Section::Calls, icons::PHONE, "section-calls", missed, "badge-missed"),
    ];
    let sections = sections.into_iter().filter(|one| offered(cx, one.0));
    for (at, (section, glyph, name, count, counted)) in sections.enumerate() {
        let place =
            Rect::from_min_size(rect.min + vec2(10.0, 12.0 + 48.0 * at as f32), vec2(44.0, 44.0));
        let mut name = cx.t(name);
        if count > 0 {
            name = format!("{name}, {}", cx.tc(counted, count));
        }
        let selected = hub.page.is_none() && hub.section == section;
        if rail_item(ui, cx, place, glyph, &name, selected, None, count).clicked() {
            hub.section = section;
            hub.page = None;
            hub.stage = None;
            if section == Section::Calls {
                hub.dial_pad = false;
            }
        }
    }
    let bottom = |at: f32| {
        let corner = pos2(rect.left() + 10.0, rect.bottom() - 12.0 - 48.0 * at + 4.0);
        Rect::from_min_size(corner, vec2(44.0, 44.0))
    };
    if offered(cx, Section::Calls) {
        let (glyph, ink, name) = super::phone_menu::look(cx);
        let count = super::phone_menu::waiting(cx);
        let item = rail_item(ui, cx, bottom(3.0), glyph, &name, false, ink, count);
        super::phone_menu::open(cx, hub, &item, out);
    }
    let (glyph, color, word) = connection(cx);
    let name = format!("{}: {word}", cx.t("status-title"));
    let open = hub.page == Some(Page::Status);
    if rail_item(ui, cx, bottom(2.0), glyph, &name, open, Some(color), 0).clicked() {
        hub.page = Some(Page::Status);
    }
    let open = hub.page == Some(Page::Settings);
    let name = cx.t("settings-title");
    if rail_item(ui, cx, bottom(1.0), icons::SETTINGS, &name, open, None, 0).clicked() {
        hub.page = Some(Page::Settings);
    }
}

/// How the connection is, as icon, colour and word.
pub fn connection(cx: &Cx<'_>) -> (&'static str, Color32, String) {
    let session = &cx.snap.session;
    let services = &session.services;
    let all = [
        &services.im,
        &services.phone,
        &services.voicemail,
        &services.directory,
        &services.edge,
        &services.calendar,
    ];
    let any = |state: ServiceState| all.iter().any(|service| service.state == state);
    if session.state == SessionState::Reconnecting {
        (icons::REFRESH, cx.c.away, cx.t("connection-reconnecting"))
    } else if any(ServiceState::Failed) {
        (icons::SHIELD_ALERT, cx.c.busy, cx.t("connection-failed"))
    } else if any(ServiceState::Connecting) {
        (icons::REFRESH, cx.c.away, cx.t("connection-connecting"))
    } else {
        (icons::SHIELD_CHECK, cx.c.ok, cx.t("connection-good"))
    }
}

#[expect(clippy::too_many_arguments, reason = "one call site shape, all of them plain values")]
fn rail_item(
    ui: &mut Ui,
    cx: &Cx<'_>,
    rect: Rect,
    glyph: &str,
    name: &str,
    selected: bool,
    color: Option<Color32>,
    count: usize,
) -> egui::Response {
    let id = ui.next_auto_id();
    ui.skip_ahead_auto_ids(1);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, selected, name));
    let fill = match (selected, response.hovered()) {
        (true, _) => cx.c.accent_soft,
        (false, true) => cx.c.their_bubble,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, R_ROW, fill);
    focus_ring(ui, cx.c, rect, R_ROW, &response);
    let resting = if selected { cx.c.accent } else { cx.c.muted };
    icon(ui, rect.center(), glyph, 20.0, color.unwrap_or(resting));
    if count > 0 {
        let right = pos2(rect.right() - 2.0, rect.top() + 12.0);
        badge_count(ui, right, count, cx.c.busy, cx.c.on_busy);
    }
    response.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(name)
}

fn shortcuts(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    call_keys(cx, hub, &pressed, out);
    // Nothing is opened behind a dialog.
    if !ui.memory(|memory| memory.is_above_modal_layer(ui.layer_id())) {
        return;
    }
    if pressed(both, Key::D) {
        hub.page = toggled(hub.page, Page::Status);
    }
    if pressed(Modifiers::NONE, Key::F1) {
        hub.page = toggled(hub.page, Page::Keys);
    }
    if pressed(Modifiers::COMMAND, Key::Comma) {
        hub.page = toggled(hub.page, Page::Settings);
    }
    if pressed(Modifiers::COMMAND, Key::K) {
        hub.page = None;
        hub.search.enter(ui);
        if cx.narrow {
            hub.selected = None;
            hub.stage = None;
            hub.dial_pad = false;
        }
    }
    if pressed(Modifiers::NONE, Key::F11) {
        let full = ui.input(|input| input.viewport().fullscreen.unwrap_or(false));
        ui.ctx().send_viewport_cmd(egui::ViewportCommand::Fullscreen(!full));
    }
    if pressed(both, Key::C)
        && let Some(to) = hub.selected.as_ref().and_then(|with| cx.dial_for(with))
        && cx.can_call()
    {
        hub.dial(to, out);
    }
    let back = pressed(both_tab(), Key::Tab);
    if back || pressed(Modifiers::CTRL, Key::Tab) {
        step_chat(cx, hub, back);
    }
    if pressed(Modifiers::COMMAND, Key::W) {
        close(hub);
    }
    let menu = egui::Popup::is_any_open(ui.ctx());
    if hub.page.is_some() && !menu && pressed(Modifiers::NONE, Key::Escape) {
        hub.page = None;
    }
}

fn both_tab() -> Modifiers {
    Modifiers::CTRL | Modifiers::SHIFT
}

fn toggled(page: Option<Page>, wanted: Page) -> Option<Page> {
    if page == Some(wanted) { None } else { Some(wanted) }
}

/// Closes what is on top.
fn close(hub: &mut Hub) {
    if hub.page.take().is_none() && hub.stage.take().is_none() {
        hub.selected = None;
    }
}

fn call_keys(
    cx: &Cx<'_>,
    hub: &mut Hub,
    pressed: &impl Fn(Modifiers, Key) -> bool,
    out: &mut Vec<Command>,
) {
    let both = Modifiers::COMMAND | Modifiers::SHIFT;
    let ringing = super::incoming::ringing(cx).next();
    if let Some(call) = ringing {
        if pressed(Modifiers::COMMAND, Key::L) {
            super::incoming::answer(cx, call, out);
        }
        if pressed(Modifiers::COMMAND, Key::D) {
            out.push(Command::Decline(call.id));
        }
    }
    let Some(call) = current(cx) else { return };
    if pressed(both, Key::E) {
        out.push(Command::HangUp(call.id));
    }
    if pressed(both, Key::H) {
        out.push(call_bar::hold_or_resume(call));
    }
    if pressed(Modifiers::COMMAND, Key::M) {
        out.push(Command::Mute { id: call.id, muted: !call.muted });
    }
    if call.can.transfer && pressed(both, Key::T) {
        super::call_more::give(hub, call.id);
    }
}

fn step_chat(cx: &Cx<'_>, hub: &mut Hub, back: bool) {
    let chats = &cx.snap.chats;
    if chats.is_empty() {
        return;
    }
    let here =
        hub.selected.as_ref().and_then(|with| chats.iter().position(|chat| &chat.with == with));
    let next = match (here, back) {
        (None, _) => 0,
        (Some(at), false) => (at + 1) % chats.len(),
        (Some(at), true) => (at + chats.len() - 1) % chats.len(),
    };
    if let Some(chat) = chats.get(next) {
        hub.section = Section::Chats;
        hub.open_chat(chat.with.clone());
    }
}

/// A hairline below or beside something.
pub fn rule(ui: &Ui, cx: &Cx<'_>, rect: Rect) {
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, cx.c.hair());
}

/// A quiet heading of a list.
pub fn list_heading(ui: &mut Ui, cx: &Cx<'_>, text: &str) -> Rect {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::hover());
    let inner = rect.shrink2(vec2(12.0, 0.0));
    crate::widgets::line(ui, inner, text, crate::theme::Type::Label, cx.c.muted, Align::Min);
    rect
}
