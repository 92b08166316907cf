//! The head of a conversation: with whom, what protects it, what can be started; and the banners
//! below it.

use egui::{Align, Id, Popup, PopupCloseBehavior, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use offhook_model::{Alerts, Chat, ChatKind, ChatWish, Command, Jid, KeyTrust, PeopleWish};
use offhook_text::safe_line;

use super::row::View;
use super::{Talk, is_known, menu};
use crate::cx::Cx;
use crate::icons;
use crate::screens::hub::{Hub, rule};
use crate::screens::{page, rooms};
use crate::theme::{R_CONTROL, Type};
use crate::widgets::{
    Kind, Push, avatar, focus_ring, galley, icon, line, paint_line, photo_or_initials,
    presence_mark,
};

/// Draws the head.
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    rule(ui, cx, rect);
    let mut left = rect.left() + if cx.narrow { 12.0 } else { 20.0 };
    if cx.narrow {
        page::back(ui, cx, rect, || hub.selected = None);
        left += 40.0;
    }
    let chat = cx.snap.chats.iter().find(|chat| &chat.with == with).cloned();
    let name = safe_line(&cx.name_of(with));
    let person = cx.people.by_jid(with);
    let center = pos2(left + 20.0, rect.center().y);
    match person {
        Some(person) => photo_or_initials(ui, cx, center, 20.0, person),
        None => avatar(ui, center, 20.0, &name, with.bare_str()),
    }
    if let Some(person) = person {
        let mark = center + vec2(14.0, 14.0);
        presence_mark(ui, cx.c, mark, 6.0, person.presence.availability, cx.c.panel);
    }
    let right = buttons(ui, cx, hub, talk, with, chat.as_deref(), &name, rect, out);
    let top = Rect::from_min_max(
        pos2(left + 52.0, rect.top() + 14.0),
        pos2(right - 8.0, rect.top() + 34.0),
    );
    line(ui, top, &name, Type::Name, cx.c.text, Align::Min);
    let mut below = top.translate(vec2(0.0, 19.0));
    below.min.x += locks(ui, cx, talk, chat.as_deref(), below);
    let words = safe_line(&about(cx, with));
    line(ui, below, &words, Type::Secondary, cx.c.muted, Align::Min);
}

/// What is said below the name.
fn about(cx: &Cx<'_>, with: &Jid) -> String {
    if let Some(room) = cx.snap.rooms.get(with) {
        let count = cx.tc("room-people", room.occupants.len());
        return if room.subject.is_empty() {
            count
        } else {
            format!("{count} · {}", room.subject)
        };
    }
    let Some(person) = cx.people.by_jid(with) else { return with.to_string() };
    let presence = &person.presence;
    let mut parts = vec![cx.presence(presence.availability)];
    parts.extend(presence.note.clone().filter(|note| !note.is_empty()));
    parts.extend(person.number.clone());
    parts.join(" · ")
}

/// The two locks: client to server, and client to client. Gives their width.
fn locks(ui: &mut Ui, cx: &Cx<'_>, talk: &mut Talk, chat: Option<&Chat>, rect: Rect) -> f32 {
    let mut width = 0.0;
    let mut one = |ui: &mut Ui, glyph: &str, color, words: &str, what: &str| {
        let at = pos2(rect.left() + width + 6.0, rect.center().y);
        icon(ui, at, glyph, 12.0, color);
        let spot = Rect::from_center_size(at, vec2(18.0, 18.0));
        let response = ui.interact(spot, ui.scope_id().with(what), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words));
        focus_ring(ui, cx.c, spot, 6, &response);
        if response.on_hover_text(words).clicked() {
            talk.details = true;
        }
        width += 18.0;
    };
    let im = &cx.snap.session.services.im;
    let server = server_words(cx);
    match im.tls {
        Some(_) => one(ui, icons::LOCK, cx.c.muted, &server, "lock"),
        None if im.state == offhook_model::ServiceState::Ready => {
            one(ui, icons::LOCK_OPEN, cx.c.away, &server, "lock");
        }
        None => {}
    }
    let protection = chat.map(|chat| &chat.protection);
    if let Some(protection) = protection.filter(|one| one.on || !one.keys.is_empty()) {
        let words = client_words(cx, chat);
        let verified = protection.on && all_verified(protection);
        let (glyph, color) = match (protection.on, verified) {
            (true, true) => (icons::LOCK_KEYHOLE, cx.c.ok),
            (true, false) => (icons::LOCK_KEYHOLE, cx.c.muted),
            (false, _) => (icons::LOCK_OPEN, cx.c.muted),
        };
        one(ui, glyph, color, &words, "padlock");
    }
    width
}

/// What protects the way to the server, in words.
pub fn server_words(cx: &Cx<'_>) -> String {
    match &cx.snap.session.services.im.tls {
        Some(tls) => cx.tw("protected-server-by", "tls", tls),
        None => cx.t("protected-server-not"),
    }
}

/// What protects the messages from client to client, in words.
pub fn client_words(cx: &Cx<'_>, chat: Option<&Chat>) -> String {
    let Some(protection) = chat.map(|chat| &chat.protection) else {
        return cx.t("protected-client-off");
    };
    let words = match (protection.on, all_verified(protection)) {
        (true, true) => cx.t("protected-client-verified"),
        (true, false) => cx.t("protected-client"),
        (false, _) => cx.t("protected-client-off"),
    };
    match &protection.why {
        Some(why) => format!("{words} {}", safe_line(why)),
        None => words,
    }
}

fn all_verified(protection: &offhook_model::ChatProtection) -> bool {
    let mut active = protection.keys.iter().filter(|key| key.active).peekable();
    active.peek().is_some() && active.all(|key| key.trust == KeyTrust::Verified)
}

/// The buttons on the right; gives where they begin.
#[expect(clippy::too_many_arguments, reason = "one call site shape, all of them plain values")]
fn buttons(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    chat: Option<&Chat>,
    name: &str,
    rect: Rect,
    out: &mut Vec<Command>,
) -> f32 {
    let mut right = rect.right() - if cx.narrow { 12.0 } else { 20.0 };
    let mut next = |width: f32| {
        right -= width;
        Rect::from_center_size(pos2(right + width / 2.0, rect.center().y), vec2(38.0, 38.0))
    };
    let room =
        cx.snap.rooms.contains_key(with) || chat.is_some_and(|chat| chat.kind == ChatKind::Room);
    if rooms::room(cx, with).is_some() {
        rooms::panel_button(ui, cx, hub, with, next(42.0));
    } else if !room {
        let place = next(42.0);
        let can = cx.can_call();
        let label = cx.tw("call-name", "name", name);
        let reason = cx.t("call-impossible");
        let mut push =
            Push::new(&label).glyph(icons::PHONE).icon_only().kind(Kind::Ok).enabled(can);
        if !can {
            push = push.hint(&reason);
        }
        if push.at(ui, cx.c, place).clicked()
            && let Some(to) = cx.dial_for(with)
        {
            hub.dial(to, out);
        }
    }
    let label = cx.t("search-inside");
    let hint = format!("{label} ({})", cx.keys("Ctrl+F"));
    let push = Push::new(&label).glyph(icons::SEARCH).icon_only().kind(Kind::Ghost).hint(&hint);
    if push.at(ui, cx.c, next(42.0)).clicked() {
        talk.search.get_or_insert_default().focus = true;
    }
    let label = cx.t("chat-menu");
    let push = Push::new(&label).glyph(icons::ELLIPSIS).icon_only().kind(Kind::Ghost);
    let more = push.at(ui, cx.c, next(42.0));
    chat_menu(cx, talk, with, chat, room, &more, out);
    right
}

fn chat_menu(
    cx: &Cx<'_>,
    talk: &mut Talk,
    with: &Jid,
    chat: Option<&Chat>,
    room: bool,
    anchor: &egui::Response,
    out: &mut Vec<Command>,
) {
    let popup = Popup::from_toggle_button_response(anchor)
        .id(Id::unique("chat-menu"))
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .accessible_name(cx.t("chat-menu"))
        .width(268.0);
    popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(268.0);
        if menu::item(ui, cx, icons::SHIELD, &cx.t("protection-title")) {
            talk.details = true;
        }
        let now = chat.map_or(Alerts::All, |chat| chat.alerts);
        for (alerts, key, glyph) in [
            (Alerts::All, "chat-alerts-all", icons::MESSAGE_CIRCLE),
            (Alerts::Mentions, "chat-alerts-mentions", icons::AT_SIGN),
            (Alerts::None, "chat-alerts-none", icons::BELL_OFF),
        ] {
            let glyph = if now == alerts { icons::CHECK } else { glyph };
            if (room || alerts != Alerts::Mentions) && menu::item(ui, cx, glyph, &cx.t(key)) {
                out.push(Command::Chat(ChatWish::Alerts { with: with.clone(), alerts }));
            }
        }
        if !room {
            let blocked = chat.is_some_and(|chat| chat.blocked);
            let key = if blocked { "unblock" } else { "block" };
            if menu::item(ui, cx, icons::BAN, &cx.t(key)) {
                out.push(block(with, !blocked));
            }
        }
    });
}

fn block(who: &Jid, on: bool) -> Command {
    Command::People(PeopleWish::Block { who: who.clone(), on })
}

/// Says that a person is blocked or a stranger, and what can be done. Gives its height.
pub fn banner(
    ui: &mut Ui,
    cx: &Cx<'_>,
    chat: Option<&Chat>,
    with: &Jid,
    below: Rect,
    out: &mut Vec<Command>,
) -> f32 {
    let blocked = chat.is_some_and(|chat| chat.blocked);
    let stranger = chat.is_some_and(|chat| chat.last.is_some()) && !is_known(cx, chat, with);
    if !blocked && !stranger {
        return 0.0;
    }
    let height = 48.0;
    let rect = below.with_max_y(below.top() + height);
    ui.painter().rect_filled(rect, 0, cx.c.accent_soft);
    let inset = if cx.narrow { 12.0 } else { 20.0 };
    let mut right = rect.right() - inset;
    let mut press = |ui: &mut Ui, key: &str, kind: Kind| {
        let label = cx.t(key);
        let width = 28.0 + galley(ui, &label, Type::Strong, cx.c.text, 400.0, 1).size().x;
        right -= width;
        let place = Rect::from_min_size(pos2(right, rect.center().y - 16.0), vec2(width, 32.0));
        right -= 8.0;
        Push::new(&label).kind(kind).at(ui, cx.c, place).clicked()
    };
    let key = if blocked {
        if press(ui, "unblock", Kind::Plain) {
            out.push(block(with, false));
        }
        "blocked-banner"
    } else {
        if press(ui, "block", Kind::Plain) {
            out.push(block(with, true));
        }
        if press(ui, "contact-add-do", Kind::Primary) {
            out.push(Command::RosterAdd { contact: with.clone(), name: None, groups: None });
        }
        "stranger-banner"
    };
    let glyph = if blocked { icons::BAN } else { icons::USER_PLUS };
    icon(ui, pos2(rect.left() + inset + 8.0, rect.center().y), glyph, 16.0, cx.c.soft_muted);
    let text = Rect::from_min_max(
        pos2(rect.left() + inset + 26.0, rect.top()),
        pos2(right, rect.bottom()),
    );
    line(ui, text, &cx.t(key), Type::Secondary, cx.c.text, Align::Min);
    height
}

/// Who is writing, in words.
pub fn writers(cx: &Cx<'_>, view: &View<'_>, with: &Jid) -> Option<String> {
    let chat = view.chat?;
    let first = |name: &str| safe_line(name).split(' ').next().unwrap_or_default().to_owned();
    match chat.writers.as_slice() {
        [] if chat.typing => Some(cx.tw("typing", "name", &first(&cx.name_of(with)))),
        [] => None,
        [one] => Some(cx.tw("typing", "name", &first(one))),
        [one, other] => {
            let values = [("one", first(one)), ("other", first(other))];
            let values = [("one", values[0].1.as_str()), ("other", values[1].1.as_str())];
            Some(cx.texts.with("typing-two", &values))
        }
        [_, _, ..] => Some(cx.tc("typing-many", chat.writers.len())),
    }
}

/// A small chip with words in it, for the details.
pub fn chip(ui: &mut Ui, cx: &Cx<'_>, text: &str, color: egui::Color32) {
    let words = galley(ui, text, Type::Badge, color, 300.0, 1);
    let (rect, _) = ui.allocate_exact_size(words.size() + vec2(14.0, 6.0), Sense::hover());
    ui.painter().rect_filled(rect, R_CONTROL, cx.c.their_bubble);
    paint_line(ui, rect, text, Type::Badge, color, Align::Center);
}
