//! Settings of people: contacts of our own, what is kept of others, and address books.

use std::path::{Path, PathBuf};

use egui::{Id, Ui};
use offhook_model::{
    AddressBook, Command, ContactSettings, ContactsWish, Secret, Settings, UserAddress,
};

use super::entry::{complaint, labelled};
use super::hub::Hub;
use super::own::{Cards, Editing};
use super::page;
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, check, forget_text, option_of, paragraph};

/// What is being typed on the page.
#[derive(Default)]
pub struct Typed {
    cards: Option<String>,
    /// What is wrong with it, a key of the texts.
    wrong_cards: Option<&'static str>,
    url: Option<String>,
    wrong_url: Option<&'static str>,
    user: Option<String>,
    password: String,
    shown: bool,
}

/// Draws the sections.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    page::section(ui, cx, &cx.t("settings-contacts"), |ui| {
        own(ui, cx, hub);
        ui.add_space(10.0);
        keeping(ui, cx, out);
    });
    page::section(ui, cx, &cx.t("settings-address-books"), |ui| {
        let typed = &mut hub.people;
        folder(ui, cx, typed, out);
        ui.add_space(14.0);
        server(ui, cx, typed, out);
        ui.add_space(14.0);
        password(ui, cx, typed, out);
        ui.add_space(14.0);
        let again = cx.t("contacts-refresh");
        if Push::new(&again).glyph(icons::REFRESH).show(ui, cx.c).clicked() {
            out.push(Command::Contacts(ContactsWish::Refresh));
        }
        ui.add_space(4.0);
        paragraph(ui, &cx.t("contacts-refresh-below"), Type::Secondary, cx.c.muted);
    });
}

fn change(cx: &Cx<'_>, out: &mut Vec<Command>, edit: impl FnOnce(&mut ContactSettings)) {
    let mut settings = Settings::clone(&cx.snap.settings);
    edit(&mut settings.contacts);
    out.push(Command::SetSettings(Box::new(settings)));
}

fn own(ui: &mut Ui, cx: &Cx<'_>, hub: &mut Hub) {
    paragraph(ui, &cx.t("source-own"), Type::Label, cx.c.muted);
    ui.add_space(2.0);
    paragraph(ui, &cx.tc("own-count", cx.snap.own_contacts.len()), Type::Body, cx.c.text);
    ui.add_space(8.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(8.0, 8.0);
        let push = |ui: &mut Ui, key: &str, glyph: &str| {
            let label = cx.t(key);
            Push::new(&label).glyph(glyph).kind(Kind::Soft).show(ui, cx.c).clicked()
        };
        if push(ui, "own-new", icons::USER_PLUS) {
            hub.own.editing = Some(Editing::default());
        }
        if push(ui, "cards-import", icons::DOWNLOAD) {
            hub.own.cards = Some(Cards::import());
        }
        if push(ui, "cards-export", icons::FILE) {
            hub.own.cards = Some(Cards::export(cx));
        }
    });
}

/// What directories said of people.
fn keeping(ui: &mut Ui, cx: &Cx<'_>, out: &mut Vec<Command>) {
    let kept = &cx.snap.settings.contacts;
    let mut keep = kept.keep;
    if check(ui, cx.c, &mut keep, &cx.t("contacts-keep")).clicked() {
        change(cx, out, |settings| settings.keep = keep);
    }
    paragraph(ui, &cx.t("contacts-keep-below"), Type::Secondary, cx.c.muted);
    if !kept.keep {
        return;
    }
    ui.add_space(8.0);
    paragraph(ui, &cx.t("contacts-keep-days"), Type::Label, cx.c.muted);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        let mut offered = vec![7, 30, 90, 365];
        if !offered.contains(&kept.keep_days) {
            offered.push(kept.keep_days);
        }
        for days in offered {
            let on = kept.keep_days == days;
            let label = cx.tc("history-days", days as usize);
            let name = cx.choice_of("contacts-keep-days", &label);
            if option_of(ui, cx.c, on, &label, &name).clicked() && !on {
                change(cx, out, |settings| settings.keep_days = days);
            }
        }
    });
}

/// The folder or file of vCards.
fn folder(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let kept = cx.snap.settings.contacts.cards.as_ref();
    let kept = kept.map(|path| path.display().to_string()).unwrap_or_default();
    let label = cx.t("contacts-cards");
    labelled(ui, cx, &label);
    let text = typed.cards.get_or_insert_with(|| kept.clone());
    let field = Field::new(Id::unique("contacts-cards"), &label).glyph(icons::FOLDER_OPEN);
    if field.show(ui, cx.c, text).lost_focus() {
        let text = text.trim();
        let whole = text.is_empty() || Path::new(text).is_absolute();
        typed.wrong_cards = (!whole).then_some("cards-path-whole");
        if whole && text != kept {
            let path = (!text.is_empty()).then(|| PathBuf::from(text));
            change(cx, out, |settings| settings.cards = path);
        }
    }
    if let Some(wrong) = typed.wrong_cards {
        complaint(ui, cx, &cx.t(wrong));
    }
    ui.add_space(4.0);
    paragraph(ui, &cx.t("contacts-cards-below"), Type::Secondary, cx.c.muted);
}

/// Address and user name of an address book on a server.
fn server(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let kept = cx.snap.settings.contacts.address_book.clone();
    let AddressBook { url: kept_url, user_name } = kept.clone().unwrap_or_default();
    let label = cx.t("contacts-book");
    labelled(ui, cx, &label);
    let url = typed.url.get_or_insert_with(|| kept_url.clone());
    let first = Field::new(Id::unique("contacts-book"), &label);
    let mut left = first.hint("https://dav.example.com/").show(ui, cx.c, url).lost_focus();
    if left {
        typed.wrong_url = wrong_address(url.trim());
    }
    if let Some(wrong) = typed.wrong_url {
        complaint(ui, cx, &cx.t(wrong));
    }
    ui.add_space(10.0);
    let label = cx.t("contacts-book-user");
    labelled(ui, cx, &label);
    let user = typed.user.get_or_insert(user_name);
    let second = Field::new(Id::unique("contacts-book-user"), &label);
    left |= second.show(ui, cx.c, user).lost_focus();
    let new = AddressBook { url: url.trim().to_owned(), user_name: user.trim().to_owned() };
    // A user name alone leads nowhere.
    let new = Some(new).filter(|new| !new.url.is_empty());
    if left && typed.wrong_url.is_none() && new != kept {
        change(cx, out, |settings| settings.address_book = new);
    }
}

/// What is wrong with the address of an address book: it is a web address, a domain, or a mail address
/// whose domain has the server (RFC 6764). The password does not go without TLS.
fn wrong_address(text: &str) -> Option<&'static str> {
    match text.split_once("://") {
        _ if text.is_empty() => None,
        _ if text.contains(char::is_whitespace) => Some("contacts-book-wrong"),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => {
            rest.is_empty().then_some("contacts-book-wrong")
        }
        Some(_) => Some("contacts-book-plain"),
        None => {
            let address = if text.contains('@') { text.to_owned() } else { format!("a@{text}") };
            address.parse::<UserAddress>().is_err().then_some("contacts-book-wrong")
        }
    }
}

fn password(ui: &mut Ui, cx: &Cx<'_>, typed: &mut Typed, out: &mut Vec<Command>) {
    let label = cx.t("contacts-book-password");
    labelled(ui, cx, &label);
    let id = Id::unique("contacts-book-password");
    let reveal = cx.t("password-show");
    let field = Field::new(id, &label).secret(&mut typed.shown, &reveal);
    field.show(ui, cx.c, &mut typed.password);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("contacts-book-password-below"), Type::Secondary, cx.c.muted);
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        if Push::new(&cx.t("contacts-book-password-keep")).show(ui, cx.c).clicked()
            && !typed.password.is_empty()
        {
            let password = Secret::new(std::mem::take(&mut typed.password));
            out.push(Command::SetAddressBookPassword(password));
            forget_text(ui, id);
        }
        if Push::new(&cx.t("contacts-book-password-forget")).show(ui, cx.c).clicked() {
            out.push(Command::SetAddressBookPassword(Secret::from("")));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::wrong_address;

    #[test]
    fn an_address_book_is_a_web_address_a_domain_or_a_mail_address() {
        for good in ["", "https://dav.example.com/books/", "dav.example.com", "mary@example.com"] {
            assert_eq!(wrong_address(good), None, "{good}");
        }
        for bad in ["https://", "dav example.com", "dav..example", "@example.com"] {
            assert_eq!(wrong_address(bad), Some("contacts-book-wrong"), "{bad}");
        }
        for bad in ["http://dav.example.com/", "ftp://dav.example.com"] {
            assert_eq!(wrong_address(bad), Some("contacts-book-plain"), "{bad}");
        }
    }
}
