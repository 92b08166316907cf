//! Questions in front of the window.

use egui::{Id, Ui};
use offhook_model::{Command, Jid};

use super::entry::{complaint, entered, labelled};
use super::hub::Hub;
use crate::cx::Cx;
use crate::theme::Type;
use crate::widgets::{Field, Kind, Push, dialog, paragraph};

/// The add contact dialog while it is open.
#[derive(Default)]
pub struct Adding {
    address: String,
    name: String,
    wrong: Option<String>,
    asked: bool,
}

/// Draws the dialog that is open, if one is.
pub fn show(ui: &Ui, cx: &Cx<'_>, hub: &mut Hub, out: &mut Vec<Command>) {
    let Some(adding) = &mut hub.adding else {
        return;
    };
    let shown = dialog(cx.c, Id::unique("add-contact")).show(ui.ctx(), |ui| {
        ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
        ui.set_width(360.0_f32.min(ui.ctx().content_rect().width() - 80.0));
        contact(ui, cx, adding, out)
    });
    if shown.inner || shown.should_close() {
        hub.adding = None;
    }
}

/// True when the dialog is done with.
fn contact(ui: &mut Ui, cx: &Cx<'_>, adding: &mut Adding, out: &mut Vec<Command>) -> bool {
    paragraph(ui, &cx.t("contact-add"), Type::Heading, cx.c.text);
    ui.add_space(4.0);
    paragraph(ui, &cx.t("contact-add-below"), Type::Secondary, cx.c.muted);
    ui.add_space(16.0);
    let (address, name) = (cx.t("contact-address"), cx.t("contact-name"));
    let hint = cx.t("signin-address-hint");
    labelled(ui, cx, &address);
    let first = Field::new(Id::unique("contact-address"), &address).hint(&hint).show(
        ui,
        cx.c,
        &mut adding.address,
    );
    if !std::mem::replace(&mut adding.asked, true) {
        first.request_focus();
    }
    if let Some(wrong) = &adding.wrong {
        complaint(ui, cx, wrong);
    }
    ui.add_space(12.0);
    labelled(ui, cx, &name);
    let second = Field::new(Id::unique("contact-name"), &name).show(ui, cx.c, &mut adding.name);
    ui.add_space(20.0);
    let enter = entered(ui, &first) || entered(ui, &second);
    let (add, cancel) = (cx.t("contact-add-do"), cx.t("cancel"));
    let (mut go, mut done) = (enter, false);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let push = Push::new(&add).kind(Kind::Primary);
        go |= push.show(ui, cx.c).clicked();
        done = Push::new(&cancel).show(ui, cx.c).clicked();
    });
    if !go || done {
        return done;
    }
    match adding.address.trim().parse::<Jid>() {
        Ok(jid) if jid.local().is_some() => {
            let name = adding.name.trim();
            out.push(Command::RosterAdd {
                contact: jid.bare(),
                name: (!name.is_empty()).then(|| name.to_owned()),
                groups: None,
            });
            true
        }
        Ok(_) => {
            adding.wrong = Some(cx.t("contact-wrong"));
            false
        }
        Err(error) => {
            adding.wrong = Some(error.to_string());
            false
        }
    }
}
