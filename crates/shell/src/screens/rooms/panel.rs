//! Beside a group chat: its topic, who is in, and what may be done.

use egui::{Align, Id, Rect, ScrollArea, Sense, Ui, pos2, vec2};
use offhook_model::{
    Affiliation, Alerts, ChatWish, Command, Jid, Occupant, Room, RoomRole, RoomState, RoomWish,
};

use super::super::entry::{complaint, entered};
use super::super::hub::Hub;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{
    Field, Kind, Push, avatar, check, line, option, paint_line, paragraph, presence_mark, row,
};

/// Its width beside a conversation.
pub const WIDTH: f32 = 292.0;

const ROW: f32 = 48.0;

/// The panel while it is open.
#[derive(Default)]
pub struct Panel {
    topic: Option<String>,
    invite: String,
    wrong: Option<String>,
    /// The room is to be closed for everybody; asked once more.
    destroying: bool,
}

/// Draws the panel of a room.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, with: &Jid, out: &mut Vec<Command>) {
    let Some(room) = super::room(cx, with) else {
        hub.panel = None;
        return;
    };
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0, cx.c.panel);
    ui.painter().vline(rect.left() + 0.5, rect.y_range(), cx.c.hair());
    let inner = Rect::from_min_max(rect.min + vec2(16.0, 16.0), rect.max - vec2(12.0, 0.0));
    crate::widgets::region(ui, "room-panel", inner, |ui| {
        let mut closed = false;
        if let Some(panel) = &mut hub.panel {
            closed = head(ui, cx, room);
            ui.add_space(8.0);
            let scroll = ScrollArea::vertical().id_salt("room-panel").auto_shrink(false);
            scroll.show(ui, |ui| {
                topic(ui, cx, room, panel, out);
                ui.add_space(12.0);
                people(ui, cx, room, out);
                if room.state == RoomState::Joined {
                    invite(ui, cx, room, panel, out);
                }
                ui.add_space(16.0);
                settings(ui, cx, room, panel, out);
                ui.add_space(24.0);
            });
        }
        if closed {
            hub.panel = None;
        }
    });
}

/// True when it is to be closed.
fn head(ui: &mut Ui, cx: &Cx<'_>, room: &Room) -> bool {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), Sense::hover());
    let text = rect.with_max_x(rect.right() - 40.0);
    line(ui, text, &room.name, Type::Name, cx.c.text, Align::Min);
    let place =
        Rect::from_center_size(pos2(rect.right() - 18.0, rect.center().y), vec2(32.0, 32.0));
    let close = cx.t("close");
    let push = Push::new(&close).glyph(icons::X).icon_only().kind(Kind::Ghost);
    push.height(32.0).at(ui, cx.c, place).clicked()
}

/// Visitors cannot change it; whether participants can is the room's to say.
fn topic(ui: &mut Ui, cx: &Cx<'_>, room: &Room, panel: &mut Panel, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("room-topic"), Type::Label, cx.c.muted);
    ui.add_space(2.0);
    if let Some(text) = &mut panel.topic {
        let label = cx.t("room-topic");
        let field = Field::new(Id::unique("room-topic-edit"), &label).show(ui, cx.c, text);
        if entered(ui, &field) {
            let subject = text.trim().to_owned();
            out.push(Command::Room(RoomWish::Subject { room: room.room.clone(), subject }));
            panel.topic = None;
        } else if field.lost_focus() {
            panel.topic = None;
        }
        return;
    }
    let none = room.subject.trim().is_empty();
    let words = if none { cx.t("room-topic-none") } else { room.subject.clone() };
    let ink = if none { cx.c.muted } else { cx.c.text };
    paragraph(ui, &words, Type::Body, ink);
    if room.state == RoomState::Joined && room.role >= RoomRole::Participant {
        let change = cx.t("room-topic-change");
        let push = Push::new(&change).glyph(icons::PENCIL).kind(Kind::Link).height(28.0);
        if push.show(ui, cx.c).clicked() {
            panel.topic = Some(room.subject.clone());
        }
    }
}

fn people(ui: &mut Ui, cx: &Cx<'_>, room: &Room, out: &mut Vec<Command>) {
    paragraph(ui, &cx.tc("room-people", room.occupants.len()), Type::Label, cx.c.muted);
    ui.add_space(4.0);
    let all = room.occupants.len() + room.absent.len();
    let height = (all as f32 * ROW).min(ROW * 9.0);
    let scroll = ScrollArea::vertical().id_salt("room-people").max_height(height);
    scroll.show_rows(ui, ROW, all, |ui, range| {
        for at in range {
            let there = room.occupants.get(at);
            let away = || room.absent.get(at - room.occupants.len());
            if let Some(one) = there.or_else(away) {
                person(ui, cx, room, one, there.is_some(), out);
            }
        }
    });
}

fn person(
    ui: &mut Ui,
    cx: &Cx<'_>,
    room: &Room,
    one: &Occupant,
    there: bool,
    out: &mut Vec<Command>,
) {
    let rank = rank(cx, one);
    let state = cx.presence(one.availability);
    let name = if one.me { cx.tw("room-me", "name", &one.name) } else { one.name.clone() };
    let below = match (&rank, there) {
        (Some(rank), true) => format!("{state} · {rank}"),
        (None, true) => state,
        (Some(rank), false) => format!("{} · {rank}", cx.t("room-absent")),
        (None, false) => cx.t("room-absent"),
    };
    let id = ui.scope_id().with((&one.nick, there));
    let (rect, response) = row(ui, cx.c, ROW, id, &format!("{name}, {below}"), false);
    let key = one.jid.as_ref().map_or(one.nick.as_str(), |jid| jid.bare_str());
    let center = pos2(rect.left() + 22.0, rect.center().y);
    avatar(ui, center, 15.0, &one.name, key);
    if there {
        presence_mark(ui, cx.c, center + vec2(11.0, 11.0), 5.0, one.availability, cx.c.panel);
    }
    let top = Rect::from_min_max(
        pos2(rect.left() + 46.0, rect.top() + 6.0),
        pos2(rect.right() - 8.0, rect.top() + 24.0),
    );
    let ink = if there { cx.c.text } else { cx.c.muted };
    paint_line(ui, top, &name, Type::Strong, ink, Align::Min);
    paint_line(ui, top.translate(vec2(0.0, 18.0)), &below, Type::Small, cx.c.muted, Align::Min);
    if !one.me {
        response.context_menu(|ui| menu(ui, cx, room, one, there, out));
    }
}

/// What somebody is beside being in.
fn rank(cx: &Cx<'_>, one: &Occupant) -> Option<String> {
    let key = match (one.affiliation, one.role) {
        (Affiliation::Owner, _) => "room-owner",
        (Affiliation::Admin, _) => "room-admin",
        (Affiliation::Outcast, _) => "room-outcast",
        (Affiliation::None | Affiliation::Member, RoomRole::Moderator) => "room-moderator",
        (Affiliation::None | Affiliation::Member, RoomRole::Visitor) => "room-visitor",
        (Affiliation::Member, _) => "room-member",
        (Affiliation::None, _) => return None,
    };
    Some(cx.t(key))
}

/// What we may do to somebody.
fn menu(
    ui: &mut Ui,
    cx: &Cx<'_>,
    room: &Room,
    one: &Occupant,
    there: bool,
    out: &mut Vec<Command>,
) {
    let mut choices: Vec<(&str, RoomWish)> = Vec::new();
    let role = |role| RoomWish::Role {
        room: room.room.clone(),
        nick: one.nick.clone(),
        role,
        reason: None,
    };
    if there && room.role == RoomRole::Moderator {
        match one.role {
            RoomRole::Visitor => choices.push(("room-voice", role(RoomRole::Participant))),
            RoomRole::Participant => choices.push(("room-voice-take", role(RoomRole::Visitor))),
            RoomRole::None | RoomRole::Moderator => {}
        }
        choices.push(("room-kick", role(RoomRole::None)));
    }
    if let Some(who) = one.jid.as_ref().filter(|_| room.affiliation >= Affiliation::Admin) {
        let affiliate = |affiliation| RoomWish::Affiliate {
            room: room.room.clone(),
            who: who.bare(),
            affiliation,
            reason: None,
        };
        match one.affiliation {
            Affiliation::None => choices.push(("room-make-member", affiliate(Affiliation::Member))),
            Affiliation::Member | Affiliation::Admin => {
                choices.push(("room-unmake-member", affiliate(Affiliation::None)));
            }
            Affiliation::Outcast => choices.push(("room-unban", affiliate(Affiliation::None))),
            Affiliation::Owner => {}
        }
        if room.affiliation == Affiliation::Owner && one.affiliation < Affiliation::Owner {
            choices.push(("room-make-owner", affiliate(Affiliation::Owner)));
        }
        if one.affiliation < Affiliation::Admin && one.affiliation != Affiliation::Outcast {
            choices.push(("room-ban", affiliate(Affiliation::Outcast)));
        }
    }
    if choices.is_empty() {
        ui.label(cx.t("room-nothing-allowed"));
    }
    for (key, wish) in choices {
        if ui.button(cx.t(key)).clicked() {
            out.push(Command::Room(wish));
            ui.close();
        }
    }
}

fn invite(ui: &mut Ui, cx: &Cx<'_>, room: &Room, panel: &mut Panel, out: &mut Vec<Command>) {
    ui.add_space(8.0);
    let label = cx.t("room-invite");
    let field = Field::new(Id::unique("room-panel-invite"), &label).hint(&label);
    let field = field.glyph(icons::USER_PLUS).show(ui, cx.c, &mut panel.invite);
    let typed = panel.invite.trim().to_lowercase();
    let by_name = || {
        let mut fits = cx.snap.contacts.iter().filter(|it| it.name.to_lowercase().contains(&typed));
        fits.next().map(|it| it.contact.clone())
    };
    if entered(ui, &field) && !typed.is_empty() {
        let address = typed.parse::<Jid>().ok().filter(|it| it.local().is_some());
        match address.or_else(by_name) {
            Some(who) => {
                let room = room.room.clone();
                out.push(Command::Room(RoomWish::Invite { room, who: who.bare(), reason: None }));
                panel.invite.clear();
                panel.wrong = None;
            }
            None => panel.wrong = Some(cx.t("room-invite-unknown")),
        }
        field.request_focus();
    }
    if let Some(wrong) = &panel.wrong {
        complaint(ui, cx, wrong);
    }
}

fn settings(ui: &mut Ui, cx: &Cx<'_>, room: &Room, panel: &mut Panel, out: &mut Vec<Command>) {
    paragraph(ui, &cx.t("room-alerts"), Type::Label, cx.c.muted);
    ui.add_space(4.0);
    let chat = cx.snap.chats.iter().find(|chat| chat.with == room.room);
    let current = chat.map_or(Alerts::All, |chat| chat.alerts);
    for (alerts, key) in [
        (Alerts::All, "alerts-all"),
        (Alerts::Mentions, "alerts-mentions"),
        (Alerts::None, "alerts-none"),
    ] {
        if option(ui, cx.c, current == alerts, &cx.t(key)).clicked() && current != alerts {
            let with = room.room.clone();
            out.push(Command::Chat(ChatWish::Alerts { with, alerts }));
        }
    }
    ui.add_space(8.0);
    let mut autojoin = room.bookmarked && room.autojoin;
    if check(ui, cx.c, &mut autojoin, &cx.t("room-autojoin")).clicked() {
        let room = room.room.clone();
        out.push(Command::Room(RoomWish::Bookmark { room, keep: autojoin, autojoin }));
    }
    ui.add_space(12.0);
    if room.state == RoomState::Joined {
        let leave = cx.t("room-leave");
        if Push::new(&leave).glyph(icons::LOG_OUT).show(ui, cx.c).clicked() {
            out.push(Command::Room(RoomWish::Leave { room: room.room.clone() }));
        }
    } else {
        let join = cx.t("room-join");
        if Push::new(&join).glyph(icons::LOG_IN).kind(Kind::Primary).show(ui, cx.c).clicked() {
            let wish = RoomWish::Join { room: room.room.clone(), nick: None, password: None };
            out.push(Command::Room(wish));
        }
    }
    if room.affiliation == Affiliation::Owner && room.state == RoomState::Joined {
        ui.add_space(8.0);
        let key = if panel.destroying { "room-destroy-really" } else { "room-destroy" };
        let label = cx.t(key);
        let kind = if panel.destroying { Kind::Danger } else { Kind::Plain };
        if Push::new(&label).glyph(icons::TRASH).kind(kind).show(ui, cx.c).clicked() {
            if panel.destroying {
                out.push(Command::Room(RoomWish::Destroy { room: room.room.clone() }));
            }
            panel.destroying = !panel.destroying;
        }
    }
}
