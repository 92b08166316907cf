//! Where messages are written.

use egui::text::{CCursor, CCursorRange};
use egui::{
    Align, Frame, Id, Key, KeyboardShortcut, Margin, Modifiers, Popup, PopupCloseBehavior, Rect,
    RichText, ScrollArea, Stroke, StrokeKind, TextEdit, Ui, pos2, vec2,
};
use offhook_model::{Chat, ChatWish, Command, Jid, Message, MessageId};
use offhook_text::expand_shortcode;

use super::complete::{self, Offer};
use super::unkept::{note_draft, note_typing};
use super::{Talk, attach, bubble, drop, picker};
use crate::cx::Cx;
use crate::icons;
use crate::screens::hub::Hub;
use crate::theme::{R_ROW, Type};
use crate::widgets::{Kind, Push, galley, icon, line, paint_line, region};

/// Around the composer.
pub const INSET: f32 = 20.0;
/// The strip that says what is answered or changed.
const STRIP: f32 = 40.0;

/// What is remembered of writing.
#[derive(Default)]
pub struct Composer {
    /// The message that is answered.
    pub reply: Option<MessageId>,
    /// The message that is changed, and the draft that waits meanwhile.
    editing: Option<(MessageId, String)>,
    /// The line of the offer that keys are at.
    chosen: usize,
    /// The offer for this text was refused.
    refused: Option<String>,
    /// Something was offered in the last frame.
    offering: bool,
    /// Where the cursor stood last, in characters.
    cursor: usize,
    /// The path that is typed to send a file.
    pub path: Option<String>,
}

impl Composer {
    /// Something is answered or changed.
    pub fn is_special(&self) -> bool {
        self.reply.is_some() || self.editing.is_some() || self.path.is_some()
    }

    /// Height for what is written: one line to eight, and the strip above.
    pub fn height(
        &self,
        ui: &Ui,
        cx: &Cx<'_>,
        hub: &Hub,
        with: &Jid,
        chat: Option<&Chat>,
        width: f32,
    ) -> f32 {
        if chat.is_some_and(|chat| chat.blocked) {
            return 48.0;
        }
        let draft = draft(cx, hub, with);
        let text = if draft.is_empty() { " " } else { draft };
        // Beyond some length the height is known.
        let end = text.floor_char_boundary(4_000);
        let text = text.get(..end).unwrap_or_default();
        let lines = galley(ui, text, Type::Body, cx.c.text, width - 152.0, usize::MAX).size().y;
        let strip = if self.is_special() { STRIP } else { 0.0 };
        lines.clamp(20.0, 160.0) + 32.0 + strip
    }
}

/// The id of the editor.
pub fn id(with: &Jid) -> Id {
    Id::unique(("composer", with))
}

/// What stands in the composer: what was typed here, else what the core kept.
pub fn draft<'a>(cx: &'a Cx<'_>, hub: &'a Hub, with: &Jid) -> &'a str {
    let kept = || cx.snap.chats.iter().find(|chat| &chat.with == with);
    match hub.drafts.get(with) {
        Some(typed) => typed,
        None => kept().map_or("", |chat| chat.draft.as_str()),
    }
}

/// Takes an own message into the composer.
pub fn begin_edit(
    ui: &Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    message: &Message,
) {
    let waits = match talk.composer.editing.take() {
        Some((_, waits)) => waits,
        None => draft(cx, hub, with).to_owned(),
    };
    talk.composer.reply = None;
    talk.composer.editing = Some((message.id.clone(), waits));
    hub.drafts.insert(with.clone(), message.body.clone());
    put_cursor(ui, with, message.body.chars().count());
    hub.focus_composer = true;
}

fn cancel(hub: &mut Hub, composer: &mut Composer, with: &Jid) {
    composer.reply = None;
    composer.path = None;
    if let Some((_, waits)) = composer.editing.take() {
        hub.drafts.insert(with.clone(), waits);
    }
    hub.focus_composer = true;
}

fn put_cursor(ui: &Ui, with: &Jid, at: usize) {
    let id = id(with);
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(at))));
    state.store(ui.ctx(), id);
}

/// The conversation is left: what waited while a message was changed is the draft again.
pub fn leave(hub: &mut Hub, talk: &mut Talk) {
    if let (Some(with), Some((_, waits))) = (talk.with.take(), talk.composer.editing.take()) {
        hub.drafts.insert(with, waits);
    }
}

/// Draws it.
#[expect(clippy::too_many_arguments, reason = "one call site shape, all of them plain values")]
pub fn show(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    chat: Option<&Chat>,
    with: &Jid,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    if chat.is_some_and(|chat| chat.blocked) {
        line(ui, rect, &cx.t("composer-blocked"), Type::Secondary, cx.c.muted, Align::Center);
        return;
    }
    let id = id(with);
    let focused = ui.memory(|memory| memory.has_focus(id));
    // The editor has lost the focus to this key by now.
    if !Popup::is_any_open(ui.ctx()) && !talk.composer.offering && talk.composer.is_special() {
        let escape = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        if escape {
            cancel(hub, &mut talk.composer, with);
        }
    }
    let border = if focused { Stroke::new(1.5, cx.c.accent) } else { cx.c.hair() };
    ui.painter().rect(rect, R_ROW, cx.c.raised, border, StrokeKind::Inside);
    let mut box_rect = rect;
    if talk.composer.is_special() {
        strip(ui, cx, hub, talk, with, rect.with_max_y(rect.top() + STRIP), out);
        box_rect.min.y += STRIP;
    }
    attach::attach(ui, cx, talk, with, box_rect, out);
    let edited = editor(ui, cx, hub, talk, with, box_rect);
    let emoji = emoji_button(ui, cx, box_rect);
    if let Some(emoji) = emoji {
        insert(ui, hub, &mut talk.composer, with, &emoji);
        note_draft(cx, hub, with);
    }
    let filled = hub.drafts.get(with).is_some_and(|draft| !draft.trim().is_empty());
    let at = Rect::from_center_size(
        pos2(box_rect.right() - 26.0, box_rect.bottom() - 26.0),
        vec2(36.0, 36.0),
    );
    let send = cx.t("composer-send");
    let kind = if filled { Kind::Primary } else { Kind::Ghost };
    let glyph = if talk.composer.editing.is_some() { icons::CHECK } else { icons::SEND };
    let push = Push::new(&send).glyph(glyph).icon_only().kind(kind).enabled(filled);
    let pressed = push.at(ui, cx.c, at).clicked();
    if edited.changed {
        note_draft(cx, hub, with);
        note_typing(cx, &mut hub.unkept.typing, with, filled, out);
    }
    if (edited.enter || pressed) && filled {
        sent(cx, hub, talk, with, out);
        hub.focus_composer = true;
    }
    drop::paste(ui, cx, with, focused, out);
}

struct Edited {
    changed: bool,
    enter: bool,
}

fn editor(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    rect: Rect,
) -> Edited {
    let id = id(with);
    // Before the editor is drawn, so that what is typed at once goes into it; and never from a
    // dialog, whose end is waited for.
    let free = ui.memory(|memory| memory.is_above_modal_layer(ui.layer_id()));
    if free && std::mem::take(&mut hub.focus_composer) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    if !hub.drafts.contains_key(with) {
        let kept = draft(cx, hub, with).to_owned();
        hub.drafts.insert(with.clone(), kept);
    }
    let focused = ui.memory(|memory| memory.has_focus(id));
    let escape = |input: &mut egui::InputState| input.consume_key(Modifiers::NONE, Key::Escape);
    if talk.composer.offering && ui.input_mut(escape) {
        talk.composer.refused = hub.drafts.get(with).cloned();
        hub.focus_composer = true;
    }
    let offer = offered(cx, hub, talk, with, focused);
    talk.composer.offering = offer.is_some();
    let taken =
        offer.as_ref().and_then(|offer| complete::keys(ui, offer, &mut talk.composer.chosen));
    let enter = taken.is_none() && focused && ui.input_mut(|input| sending_key(cx, input));
    let name = offhook_text::safe_line(&cx.name_of(with));
    let first = name
        .split(' ')
        .next()
        .filter(|_| !cx.snap.rooms.contains_key(with))
        .unwrap_or(&name)
        .to_owned();
    let hint = cx.tw("composer-hint", "name", &first);
    let inner = Rect::from_min_max(rect.min + vec2(48.0, 16.0), rect.max - vec2(90.0, 16.0));
    let newline = if cx.snap.settings.chat.enter_sends {
        KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter)
    } else {
        KeyboardShortcut::new(Modifiers::NONE, Key::Enter)
    };
    let draft = hub.drafts.entry(with.clone()).or_default();
    let output = region(ui, "composer", inner.expand2(vec2(2.0, 4.0)), |ui| {
        ScrollArea::vertical()
            .id_salt("draft")
            .max_height(168.0)
            .show(ui, |ui| {
                ui.add_space(4.0);
                TextEdit::multiline(draft)
                    .id(id)
                    .frame(Frame::NONE)
                    .margin(Margin::symmetric(2, 0))
                    .font(Type::Body.font())
                    .text_color(cx.c.text)
                    .return_key(newline)
                    .desired_rows(1)
                    .desired_width(inner.width())
                    .hint_text(RichText::new(&hint).font(Type::Body.font()).color(cx.c.muted))
                    .show(ui)
            })
            .inner
    });
    let response = output.response.response.clone().accessible_name(&hint);
    if let Some(range) = output.cursor_range {
        talk.composer.cursor = range.primary.index.into();
    }
    let mut changed = response.changed();
    if changed {
        talk.composer.chosen = 0;
        expand(ui, draft, &mut talk.composer, with);
    }
    if let Some(offer) = &offer {
        let by_pointer = complete::show(ui, cx, offer, &mut talk.composer.chosen, rect);
        if let Some(text) = taken.or(by_pointer) {
            replace(ui, draft, &mut talk.composer, with, offer.range.clone(), &text);
            hub.focus_composer = true;
            changed = true;
        }
    }
    if free && std::mem::take(&mut hub.focus_composer) {
        response.request_focus();
    }
    Edited { changed, enter }
}

fn offered(cx: &Cx<'_>, hub: &Hub, talk: &Talk, with: &Jid, focused: bool) -> Option<Offer> {
    let draft = hub.drafts.get(with).filter(|_| focused)?;
    if talk.composer.refused.as_ref() == Some(draft) {
        return None;
    }
    let cursor = byte_of(draft, talk.composer.cursor);
    complete::offer(cx, with, draft, cursor)
}

fn byte_of(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}

/// A finished short code becomes its emoji.
fn expand(ui: &Ui, draft: &mut String, composer: &mut Composer, with: &Jid) {
    let cursor = byte_of(draft, composer.cursor);
    if let Some((range, emoji)) = expand_shortcode(draft, cursor) {
        replace(ui, draft, composer, with, range, emoji.text);
    }
}

fn replace(
    ui: &Ui,
    draft: &mut String,
    composer: &mut Composer,
    with: &Jid,
    range: std::ops::Range<usize>,
    text: &str,
) {
    if draft.get(range.clone()).is_none() {
        return;
    }
    draft.replace_range(range.clone(), text);
    let before = draft.get(..range.start + text.len()).unwrap_or_default();
    composer.cursor = before.chars().count();
    put_cursor(ui, with, composer.cursor);
}

fn insert(ui: &Ui, hub: &mut Hub, composer: &mut Composer, with: &Jid, text: &str) {
    let draft = hub.drafts.entry(with.clone()).or_default();
    let at = byte_of(draft, composer.cursor);
    replace(ui, draft, composer, with, at..at, text);
    hub.focus_composer = true;
}

/// Takes the key that sends: Enter alone, or Ctrl and Enter, as the settings say.
fn sending_key(cx: &Cx<'_>, input: &mut egui::InputState) -> bool {
    let plain = cx.snap.settings.chat.enter_sends;
    let before = input.events.len();
    input.events.retain(|event| {
        !matches!(event, egui::Event::Key { key: Key::Enter, pressed: true, modifiers, .. }
            if if plain { modifiers.is_none() } else { modifiers.command && !modifiers.shift })
    });
    input.events.len() < before
}

fn sent(cx: &Cx<'_>, hub: &mut Hub, talk: &mut Talk, with: &Jid, out: &mut Vec<Command>) {
    let body = hub.drafts.get(with).map(|draft| draft.trim().to_owned()).unwrap_or_default();
    let with_owned = with.clone();
    let composer = &mut talk.composer;
    let mut next = String::new();
    match (composer.editing.take(), composer.reply.take()) {
        (Some((id, waits)), _) => {
            next = waits;
            out.push(Command::Chat(ChatWish::Correct { with: with_owned, id, body }));
        }
        (None, Some(to)) => {
            out.push(Command::Chat(ChatWish::Reply { with: with_owned, to, body }));
        }
        (None, None) => out.push(Command::SendChat { to: with_owned, body }),
    }
    let kept = cx.snap.chats.iter().any(|chat| &chat.with == with && !chat.draft.is_empty());
    if kept {
        out.push(Command::Chat(ChatWish::Draft { with: with.clone(), text: next.clone() }));
    }
    hub.drafts.insert(with.clone(), next);
    hub.unkept.draft = None;
    // The message itself says that we no longer write (XEP-0085 section 5.1).
    hub.unkept.typing = None;
    talk.list.go_to_end();
    talk.unread = None;
}

/// What is answered or changed, and a way out; or the path of a file.
fn strip(
    ui: &mut Ui,
    cx: &Cx<'_>,
    hub: &mut Hub,
    talk: &mut Talk,
    with: &Jid,
    rect: Rect,
    out: &mut Vec<Command>,
) {
    let close =
        Rect::from_center_size(pos2(rect.right() - 24.0, rect.center().y), vec2(30.0, 30.0));
    if talk.composer.path.is_some() {
        attach::path_field(ui, cx, talk, with, rect, close, out);
    } else {
        let editing = talk.composer.editing.as_ref().map(|(id, _)| id);
        let (glyph, key) = match editing {
            Some(_) => (icons::PENCIL, "composer-editing"),
            None => (icons::REPLY, "composer-replying"),
        };
        let of = editing.or(talk.composer.reply.as_ref());
        let found = of.and_then(|id| talk.list.messages().iter().rfind(|one| &one.id == id));
        let said = found.map(|one| bubble::preview(cx, one)).unwrap_or_default();
        icon(ui, pos2(rect.left() + 24.0, rect.center().y), glyph, 16.0, cx.c.accent);
        let words = Rect::from_min_max(
            pos2(rect.left() + 48.0, rect.top()),
            pos2(close.left() - 8.0, rect.bottom()),
        );
        let label = cx.t(key);
        let width = galley(ui, &label, Type::Label, cx.c.accent, 300.0, 1).size().x;
        line(ui, words, &label, Type::Label, cx.c.accent, Align::Min);
        let rest = words.with_min_x(words.left() + width + 8.0);
        paint_line(ui, rest, &said, Type::Secondary, cx.c.muted, Align::Min);
    }
    let y = rect.bottom() - 0.5;
    ui.painter().hline(rect.left() + 12.0..=rect.right() - 12.0, y, cx.c.hair());
    let label = cx.t("cancel");
    let push = Push::new(&label).glyph(icons::X).icon_only().height(30.0).kind(Kind::Ghost);
    if push.at(ui, cx.c, close).clicked() {
        cancel(hub, &mut talk.composer, with);
    }
}

fn emoji_button(ui: &mut Ui, cx: &Cx<'_>, rect: Rect) -> Option<String> {
    let at =
        Rect::from_center_size(pos2(rect.right() - 64.0, rect.bottom() - 26.0), vec2(36.0, 36.0));
    let label = cx.t("emoji");
    let push = Push::new(&label).glyph(icons::SMILE).icon_only().kind(Kind::Ghost);
    let response = push.at(ui, cx.c, at);
    let id = Id::unique("emoji-menu");
    let popup = Popup::from_toggle_button_response(&response)
        .id(id)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name(&label)
        .width(296.0);
    let shown = popup.show(|ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(296.0);
        picker::grid(ui, cx, Id::unique("emoji-picker"), 6)
    });
    let chosen = shown.and_then(|shown| shown.inner);
    if chosen.is_some() {
        Popup::close_id(ui.ctx(), id);
    }
    chosen
}

impl Composer {
    /// A message of the conversation that is open is being changed.
    pub fn is_editing(&self, with: &Jid, open: Option<&Jid>) -> bool {
        open == Some(with) && self.editing.is_some()
    }
}
