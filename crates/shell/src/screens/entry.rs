//! First run: one address, then what is being done, then the password.

use egui::{Align2, Id, Key, Ui, vec2};
use offhook_model::{Command, ManualAccount, Problem, Prompt, Secret, SessionState, UserAddress};

use super::{failure, manual};
use crate::cx::Cx;
use crate::icons;
use crate::theme::{R_CARD, Type, icon_font};
use crate::widgets::{
    Field, Kind, Push, forget_text, icon, paragraph, paragraph_centered, show_live,
};

/// Which page has the focus, so that it is set once and then left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Address,
    Manual,
    Browser,
    Progress,
    Password,
    Failure,
}

/// What is typed and open before anybody is signed in.
#[derive(Default)]
pub struct Entry {
    pub(super) address: String,
    username: String,
    password: String,
    /// What the browser ended on.
    returned: String,
    show_password: bool,
    /// Manual setup is open.
    pub manual_open: bool,
    pub(super) manual: ManualAccount,
    pub(super) wrong: Option<String>,
    pub(super) details: bool,
    page: Option<Page>,
    height: f32,
    prefilled: bool,
}

/// Draws the page that the session asks for.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, entry: &mut Entry, out: &mut Vec<Command>) {
    prefill(entry, cx);
    let session = &cx.snap.session;
    let page = match (session.state, &session.prompt) {
        (_, Some(_)) => Page::Password,
        (_, None) if session.browser.is_some() => Page::Browser,
        (SessionState::SignedOut, None) if entry.manual_open => Page::Manual,
        (SessionState::SignedOut, None) => Page::Address,
        (SessionState::Failed, None) if entry.manual_open => Page::Manual,
        (SessionState::Failed, None) => Page::Failure,
        (
            SessionState::Discovering
            | SessionState::SigningIn
            | SessionState::SignedIn
            | SessionState::Reconnecting,
            None,
        ) => Page::Progress,
    };
    let fresh = entry.page != Some(page);
    entry.page = Some(page);
    let width = if page == Page::Failure { 600.0 } else { 432.0 };
    card(ui, cx, width, entry, |ui, entry| match (page, &session.prompt) {
        (Page::Password, Some(prompt)) => password(ui, cx, entry, prompt, fresh, out),
        (Page::Address, _) => address(ui, cx, entry, fresh, out),
        (Page::Manual, _) => manual::show(ui, cx, entry, out),
        (Page::Failure, _) => failure::show(ui, cx, entry, out),
        (Page::Browser, _) => browser(ui, cx, entry, out),
        (Page::Progress | Page::Password, _) => progress(ui, cx, out),
    });
}

fn prefill(entry: &mut Entry, cx: &Cx<'_>) {
    if entry.prefilled {
        return;
    }
    entry.prefilled = true;
    let known = cx.snap.session.address.as_ref().map(ToString::to_string);
    let last = known.or_else(|| cx.snap.settings.last_address.clone());
    entry.address = last.unwrap_or_default();
    entry.manual = ManualAccount::clone(&cx.snap.manual);
}

/// A card in the middle, as high as its content was in the last frame.
fn card(
    ui: &mut Ui,
    cx: &Cx<'_>,
    width: f32,
    entry: &mut Entry,
    add: impl FnOnce(&mut Ui, &mut Entry),
) {
    let full = ui.max_rect();
    let width = width.min(full.width() - 32.0);
    let height = entry.height.clamp(120.0, (full.height() - 32.0).max(120.0));
    let top = ((full.height() - height) * 0.45).max(16.0);
    let corner = full.left_top() + vec2((full.width() - width) / 2.0, top);
    let place = egui::Rect::from_min_max(corner.round(), full.right_bottom() - vec2(0.0, 16.0));
    let place = place.with_max_x(corner.x.round() + width);
    let builder = egui::UiBuilder::new().id_salt("entry").max_rect(place);
    let mut outer = ui.new_child(builder);
    let frame = egui::Frame::new()
        .fill(cx.c.panel)
        .stroke(cx.c.hair())
        .corner_radius(R_CARD + 2)
        .shadow(cx.c.float())
        .inner_margin(if width < 380.0 { 20 } else { 32 });
    let shown = frame.show(&mut outer, |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(ui.available_width());
        egui::ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| add(ui, entry));
    });
    let found = shown.response.rect.height();
    if (found - entry.height).abs() > 0.5 {
        entry.height = found;
        ui.ctx().request_discard("height of the card");
    }
}

/// The mark and a heading.
pub(super) fn heading(ui: &mut Ui, cx: &Cx<'_>, glyph: &str, title: &str, below: &str) {
    ui.vertical_centered(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(56.0, 56.0), egui::Sense::hover());
        ui.painter().rect_filled(rect, R_CARD, cx.c.accent);
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            glyph,
            icon_font(26.0),
            cx.c.on_accent,
        );
        ui.add_space(20.0);
        paragraph_centered(ui, title, Type::Title, cx.c.text);
        if !below.is_empty() {
            ui.add_space(4.0);
            paragraph_centered(ui, below, Type::Body, cx.c.muted);
        }
    });
    ui.add_space(24.0);
}

/// A label above a field.
pub(super) fn labelled(ui: &mut Ui, cx: &Cx<'_>, label: &str) {
    paragraph(ui, label, Type::Label, cx.c.text);
    ui.add_space(4.0);
}

/// What is wrong with what was typed, in red with an icon.
pub(super) fn complaint(ui: &mut Ui, cx: &Cx<'_>, text: &str) {
    ui.add_space(8.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let (rect, _) = ui.allocate_exact_size(vec2(16.0, 18.0), egui::Sense::hover());
        icon(ui, rect.center(), icons::CIRCLE_ALERT, 16.0, cx.c.busy);
        let response = paragraph(ui, text, Type::Secondary, cx.c.busy);
        show_live(&response, true);
    });
}

/// A problem in two lines.
pub(super) fn problem(ui: &mut Ui, cx: &Cx<'_>, problem: &Problem) {
    complaint(ui, cx, &cx.texts.cause(problem));
    ui.add_space(4.0);
    paragraph(ui, &cx.texts.remedy(problem), Type::Secondary, cx.c.muted);
}

/// A centred link; true when followed.
pub(super) fn link(ui: &mut Ui, cx: &Cx<'_>, label: &str) -> bool {
    ui.vertical_centered(|ui| {
        let push = Push::new(label).kind(Kind::Link).height(28.0);
        push.show(ui, cx.c).clicked()
    })
    .inner
}

/// The full-width button of a page.
pub(super) fn primary(ui: &mut Ui, cx: &Cx<'_>, label: &str) -> bool {
    let width = ui.available_width();
    let push = Push::new(label).kind(Kind::Primary);
    push.height(40.0).width(width).show(ui, cx.c).clicked()
}

/// A list to choose from, with our own chevron.
pub(super) fn combo<'a>(
    salt: &'a str,
    width: f32,
    chosen: &'a str,
    ink: egui::Color32,
) -> egui::ComboBox<'a> {
    egui::ComboBox::from_id_salt(salt).width(width).truncate().selected_text(chosen).icon(
        move |ui, rect, _, _| {
            icon(ui, rect.center(), icons::CHEVRON_DOWN, 16.0, ink);
        },
    )
}

/// True when Enter was pressed in this field.
pub(super) fn entered(ui: &Ui, response: &egui::Response) -> bool {
    response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

fn address(ui: &mut Ui, cx: &Cx<'_>, entry: &mut Entry, fresh: bool, out: &mut Vec<Command>) {
    let (below, name, hint) = match settled_domain(cx) {
        Some(domain) => {
            let hint = cx.tw("signin-name-hint", "domain", &format!("@{domain}"));
            (cx.tw("signin-below-domain", "domain", domain), cx.t("password-username"), hint)
        }
        None => (cx.t("signin-below"), cx.t("signin-address"), cx.t("signin-address-hint")),
    };
    heading(ui, cx, icons::PHONE, &cx.t("signin-title"), &below);
    labelled(ui, cx, &name);
    let field = Field::new(Id::unique("signin-address"), &name).hint(&hint);
    let response = field.show(ui, cx.c, &mut entry.address);
    if fresh {
        response.request_focus();
    }
    if response.changed() {
        entry.wrong = None;
    }
    if let Some(wrong) = &entry.wrong {
        complaint(ui, cx, wrong);
    }
    ui.add_space(16.0);
    let go = entered(ui, &response);
    if primary(ui, cx, &cx.t("signin-continue")) || go {
        sign_in(entry, cx, out);
    }
    ui.add_space(12.0);
    if link(ui, cx, &cx.t("manual-open")) {
        entry.manual_open = true;
        entry.wrong = None;
    }
}

/// The domain that administrators settled, unless they want the whole e-mail address asked for, to
/// find the home cluster by (`SERVICES_DOMAIN`, `ServicesDomainSsoEmailPrompt`).
fn settled_domain<'a>(cx: &Cx<'a>) -> Option<&'a str> {
    let preset = &cx.snap.preset;
    preset.services_domain.as_deref().filter(|_| !preset.sso_email_prompt)
}

/// Sends the wish to sign in, or says what is wrong with the address. A configuration address is
/// taken over. Where administrators settled the domain, the name before it is enough.
pub(super) fn sign_in(entry: &mut Entry, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let typed = entry.address.trim();
    let lower = typed.to_ascii_lowercase();
    if ["ciscojabber:", "offhook:"].iter().any(|scheme| lower.starts_with(scheme)) {
        out.push(Command::Provision(Secret::from(typed)));
        entry.address.clear();
        entry.wrong = None;
        return;
    }
    let whole = match settled_domain(cx) {
        Some(domain) if !typed.contains('@') && !typed.is_empty() => format!("{typed}@{domain}"),
        Some(_) | None => typed.to_owned(),
    };
    match whole.parse::<UserAddress>() {
        Ok(address) => {
            entry.wrong = None;
            entry.details = false;
            out.push(Command::SignIn { address, username: None, password: None });
        }
        Err(error) => entry.wrong = Some(error.to_string()),
    }
}

/// Single sign-on: the browser has the word.
fn browser(ui: &mut Ui, cx: &Cx<'_>, entry: &mut Entry, out: &mut Vec<Command>) {
    let Some(wanted) = &cx.snap.session.browser else { return };
    heading(ui, cx, icons::LOCK, &cx.t("browser-title"), &wanted.of);
    let response = paragraph(ui, &cx.t("browser-below"), Type::Body, cx.c.text);
    show_live(&response, false);
    ui.add_space(16.0);
    let label = cx.t("browser-returned");
    labelled(ui, cx, &label);
    let id = Id::unique("browser-returned");
    let reveal = cx.t("password-show");
    let field = Field::new(id, &label).secret(&mut entry.show_password, &reveal);
    let response = field.show(ui, cx.c, &mut entry.returned);
    if let Some(wrong) = &entry.wrong {
        complaint(ui, cx, wrong);
    }
    ui.add_space(16.0);
    let go = entered(ui, &response);
    if (primary(ui, cx, &cx.t("signin-continue")) || go) && !entry.returned.trim().is_empty() {
        let returned = std::mem::take(&mut entry.returned);
        out.push(Command::Provision(Secret::from(returned.trim())));
        forget_text(ui, id);
    }
    ui.add_space(12.0);
    if link(ui, cx, &cx.t("browser-again")) {
        ui.ctx().open_url(egui::OpenUrl::new_tab(&wanted.url));
    }
    ui.add_space(12.0);
    if link(ui, cx, &cx.t("manual-open")) {
        entry.manual_open = true;
        out.push(Command::SignOut);
    }
    if link(ui, cx, &cx.t("cancel")) {
        out.push(Command::SignOut);
    }
}

fn progress(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let session = &cx.snap.session;
    let address = session.address.as_ref().map(ToString::to_string);
    let title = match session.state {
        SessionState::Discovering => cx.t("progress-discovering"),
        SessionState::SignedOut
        | SessionState::SigningIn
        | SessionState::SignedIn
        | SessionState::Reconnecting
        | SessionState::Failed => cx.t("progress-signing-in"),
    };
    heading(ui, cx, icons::PHONE, &title, address.as_deref().unwrap_or_default());
    let step = session.step.clone().unwrap_or_default();
    ui.vertical_centered(|ui| {
        let response = paragraph_centered(ui, &step, Type::Body, cx.c.text);
        show_live(&response, false);
    });
    ui.add_space(16.0);
    let trace = &session.trace;
    for step in trace.iter().skip(trace.len().saturating_sub(5)) {
        super::trace::short(ui, cx, step);
    }
    ui.add_space(16.0);
    if link(ui, cx, &cx.t("cancel")) {
        out.push(Command::SignOut);
    }
}

fn password(
    ui: &mut Ui,
    cx: &Cx<'_>,
    entry: &mut Entry,
    prompt: &Prompt,
    fresh: bool,
    out: &mut Vec<Command>,
) {
    if fresh {
        entry.username.clone_from(&prompt.username);
        entry.password.clear();
        entry.show_password = false;
    }
    let address = cx.snap.session.address.as_ref().map(ToString::to_string);
    heading(ui, cx, icons::LOCK, &cx.t("password-title"), &address.unwrap_or_default());
    paragraph(ui, &cx.tw("password-below", "of", &prompt.of), Type::Secondary, cx.c.muted);
    ui.add_space(12.0);
    let (user_name, secret_name) = (cx.t("password-username"), cx.t("password-password"));
    labelled(ui, cx, &user_name);
    let user =
        Field::new(Id::unique("signin-username"), &user_name).show(ui, cx.c, &mut entry.username);
    ui.add_space(12.0);
    labelled(ui, cx, &secret_name);
    let id = Id::unique("signin-password");
    let reveal = cx.t("password-show");
    let secret = Field::new(id, &secret_name).secret(&mut entry.show_password, &reveal).show(
        ui,
        cx.c,
        &mut entry.password,
    );
    if fresh {
        secret.request_focus();
    }
    if let Some(error) = &prompt.error {
        problem(ui, cx, error);
    }
    ui.add_space(20.0);
    let go = entered(ui, &secret) || entered(ui, &user);
    let pressed = primary(ui, cx, &cx.t("password-sign-in"));
    if (pressed || go) && !entry.password.is_empty() && !entry.username.is_empty() {
        out.push(Command::GivePassword {
            username: entry.username.trim().to_owned(),
            password: Secret::new(std::mem::take(&mut entry.password)),
        });
        forget_text(ui, id);
    }
    ui.add_space(12.0);
    if link(ui, cx, &cx.t("other-address")) {
        entry.password.clear();
        forget_text(ui, id);
        out.push(Command::SignOut);
    }
}
