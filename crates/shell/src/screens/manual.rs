//! Manual setup: the account type and its servers.

use egui::{Id, Ui};
use offhook_model::{AccountType, Command, ManualAccount};

use super::entry::{Entry, combo, complaint, heading, labelled, link, primary, sign_in};
use crate::cx::Cx;
use crate::icons;
use crate::theme::Type;
use crate::widgets::{Field, paragraph, paragraph_centered};

const TYPES: [AccountType; 5] = [
    AccountType::Automatic,
    AccountType::Cup,
    AccountType::Cucm,
    AccountType::Webex,
    AccountType::Standard,
];

fn type_name(cx: &Cx<'_>, kind: AccountType) -> String {
    cx.t(match kind {
        AccountType::Automatic => "account-automatic",
        AccountType::Cup => "account-cup",
        AccountType::Cucm => "account-cucm",
        AccountType::Webex => "account-webex",
        AccountType::Standard => "account-standard",
    })
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, entry: &mut Entry, out: &mut Vec<Command>) {
    heading(ui, cx, icons::SETTINGS, &cx.t("manual-title"), &cx.t("manual-below"));
    let name = cx.t("signin-address");
    labelled(ui, cx, &name);
    let hint = cx.t("signin-address-hint");
    Field::new(Id::unique("manual-address"), &name).hint(&hint).show(ui, cx.c, &mut entry.address);
    ui.add_space(12.0);
    let label = cx.t("account-type");
    labelled(ui, cx, &label);
    let before = entry.manual.account_type;
    let width = ui.available_width();
    let chosen = type_name(cx, before);
    let combo = combo("account-type", width, &chosen, cx.c.muted).show_ui(ui, |ui| {
        for kind in TYPES {
            let text = type_name(cx, kind);
            ui.selectable_value(&mut entry.manual.account_type, kind, text);
        }
    });
    combo.response.accessible_name(format!("{label}: {chosen}"));
    if entry.manual.account_type != before {
        // Values of another type would be sent along unseen.
        entry.manual =
            ManualAccount { account_type: entry.manual.account_type, ..ManualAccount::default() };
    }
    ui.add_space(12.0);
    servers(ui, cx, &mut entry.manual);
    if let Some(wrong) = &entry.wrong {
        complaint(ui, cx, wrong);
        ui.add_space(12.0);
    }
    ui.add_space(8.0);
    if primary(ui, cx, &cx.t("password-sign-in")) {
        let before = out.len();
        sign_in(entry, cx, out);
        if out.len() > before {
            out.insert(before, Command::SetManual(entry.manual.clone()));
            entry.manual_open = false;
        }
    }
    ui.add_space(12.0);
    if link(ui, cx, &cx.t("back")) {
        entry.manual_open = false;
    }
    if link(ui, cx, &cx.t("reset")) {
        entry.manual = ManualAccount::default();
        entry.manual_open = false;
        out.push(Command::Reset);
    }
    ui.add_space(4.0);
    paragraph_centered(ui, &cx.t("reset-below"), Type::Small, cx.c.muted);
}

fn servers(ui: &mut Ui, cx: &Cx<'_>, manual: &mut ManualAccount) {
    let mut field = |key: &str, hint: &str, value: &mut Option<String>| {
        let name = cx.t(key);
        labelled(ui, cx, &name);
        let mut text = value.take().unwrap_or_default();
        Field::new(Id::unique(("manual", key)), &name).hint(hint).show(ui, cx.c, &mut text);
        *value = Some(text).filter(|text| !text.trim().is_empty());
        ui.add_space(12.0);
    };
    match manual.account_type {
        AccountType::Automatic => {
            paragraph(ui, &cx.t("account-automatic-note"), Type::Secondary, cx.c.muted);
            ui.add_space(12.0);
        }
        AccountType::Cup => field("server-cup", "imp1.company.com", &mut manual.server),
        AccountType::Cucm => {
            field("server-tftp", "cucm1.company.com", &mut manual.tftp);
            field("server-ccmcip", "cucm1.company.com", &mut manual.ccmcip);
            field("server-cti", "cucm1.company.com", &mut manual.cti);
        }
        AccountType::Webex => {
            field("server-cas", "https://loginp.webexconnect.com/cas/auth.do", &mut manual.cas_url)
        }
        AccountType::Standard => {
            field("server-sip", "sip.company.com:5061;transport=tls", &mut manual.sip_server);
            field("server-xmpp", "xmpp.company.com:5222", &mut manual.xmpp_server);
        }
    }
}
