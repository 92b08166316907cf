//! Who a person is and how the person's time stands: initials, presence mark, counts.

use egui::{Align2, Color32, CornerRadius, Pos2, Rect, Stroke, TextureHandle, Ui, pos2, vec2};
use offhook_model::{Availability, Contact, Person};

use super::icon;
use crate::cx::Cx;
use crate::icons;
use crate::theme::{ON_AVATAR, Tokens, Type, avatar_color, semibold};

/// First letters of the first and last word; nothing for numbers.
pub fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|c| c.is_alphabetic());
    let mut words = name.split([' ', '.', '_', '-', '@']).filter_map(letter);
    let first = words.next();
    let part = name.split('@').next().unwrap_or(name);
    let last = part.split([' ', '.', '_', '-']).skip(1).filter_map(letter).last();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// A disc with initials, or a handset for a bare number.
pub fn avatar(ui: &Ui, center: Pos2, radius: f32, name: &str, key: &str) {
    let painter = ui.painter();
    painter.circle_filled(center, radius, avatar_color(key));
    let letters = initials(name);
    if letters.is_empty() {
        icon(ui, center, icons::PHONE, radius * 0.9, ON_AVATAR);
    } else {
        let font = semibold((radius * 0.7).round());
        painter.text(center, Align2::CENTER_CENTER, letters, font, ON_AVATAR);
    }
}

/// The person's picture, else the disc.
pub fn photo_or_initials(ui: &Ui, cx: &Cx<'_>, center: Pos2, radius: f32, person: &Contact) {
    match cx.photos.of(ui, cx.snap, person) {
        Some(picture) => disc(ui, center, radius, &picture),
        None => avatar(ui, center, radius, &person.name, person.contact.bare_str()),
    }
}

/// The picture of somebody who was found: that of the contact list, else that of the source that has
/// one, else the disc.
pub fn person_picture(
    ui: &Ui,
    cx: &Cx<'_>,
    center: Pos2,
    radius: f32,
    person: &Person,
    contact: Option<&Contact>,
) {
    if let Some(contact) = contact.filter(|one| one.photo.is_some()) {
        return photo_or_initials(ui, cx, center, radius, contact);
    }
    match cx.photos.portrait(ui, cx.snap, &person.entry) {
        Some(picture) => disc(ui, center, radius, &picture),
        None => avatar(ui, center, radius, &person.name, &color_key(person)),
    }
}

/// By what the colour of somebody's disc is chosen: their address for chats, as where contacts are
/// listed, else the best source's entry. How a search calls them depends on who else was found.
fn color_key(person: &Person) -> String {
    let entry = &person.entry;
    let im = entry.im.as_ref().map(|im| im.bare_str().to_owned());
    im.unwrap_or_else(|| format!("{:?}:{}", entry.source, entry.id))
}

fn disc(ui: &Ui, center: Pos2, radius: f32, picture: &TextureHandle) {
    let rect = Rect::from_center_size(center, vec2(radius, radius) * 2.0);
    let rounding = CornerRadius::same(radius as u8);
    egui::Image::new(picture).corner_radius(rounding).paint_at(ui, rect);
}

/// Presence by shape and colour: tick, clock, bar, ring. `around` is the ground behind it.
pub fn presence_mark(
    ui: &Ui,
    c: &Tokens,
    center: Pos2,
    radius: f32,
    state: Availability,
    around: Color32,
) {
    let painter = ui.painter();
    painter.circle_filled(center, radius + 2.0, around);
    let width = (radius * 0.28).max(1.4);
    let at = |x: f32, y: f32| center + vec2(x, y) * radius;
    match state {
        Availability::Available => {
            painter.circle_filled(center, radius, c.ok);
            let tick = vec![at(-0.42, 0.04), at(-0.1, 0.36), at(0.45, -0.3)];
            painter.line(tick, Stroke::new(width, c.on_ok));
        }
        Availability::Away => {
            painter.circle_filled(center, radius, c.away);
            let hands = vec![at(0.0, -0.52), at(0.0, 0.06), at(0.4, 0.3)];
            painter.line(hands, Stroke::new(width, c.on_busy));
        }
        Availability::Dnd => {
            painter.circle_filled(center, radius, c.busy);
            let bar = [at(-0.48, 0.0), at(0.48, 0.0)];
            painter.line_segment(bar, Stroke::new(width * 1.15, c.on_busy));
        }
        Availability::Offline => {
            painter.circle_stroke(center, radius - width / 2.0, Stroke::new(width, c.muted));
        }
    }
}

/// A count in a pill, its right end at `right`.
pub fn badge_count(ui: &Ui, right: Pos2, count: usize, fill: Color32, text: Color32) {
    let label = if count > 99 { "99+".to_owned() } else { count.to_string() };
    let galley = super::galley(ui, &label, Type::Badge, text, f32::INFINITY, 1);
    let width = (galley.size().x + 10.0).max(18.0);
    let rect = egui::Rect::from_min_size(right - vec2(width, 9.0), vec2(width, 18.0));
    ui.painter().rect_filled(rect, 9, fill);
    let corner = rect.center() - galley.size() / 2.0;
    ui.painter().galley(pos2(corner.x, corner.y), galley, text);
}

#[cfg(test)]
mod tests {
    use offhook_model::{DirectoryEntry, Person, PersonId, SourceKind};

    use super::{color_key, initials};
    use crate::screens::own;

    #[test]
    fn a_disc_has_one_colour_whatever_a_search_calls_the_person() {
        let mut entry = DirectoryEntry::new(SourceKind::Own, "own-1");
        entry.mail = vec!["zoe@example.com".into()];
        for address in [None, Some("zoe@chat.example.com")] {
            entry.im = address.and_then(|address| address.parse().ok());
            let listed = own::person(&entry);
            let found = Person { id: PersonId("zoe@example.com".into()), ..listed.clone() };
            assert_eq!(color_key(&found), color_key(&listed));
            assert_eq!(color_key(&found), address.unwrap_or("Own:own-1"));
        }
    }

    #[test]
    fn initials_are_the_first_letters_of_first_and_last_name() {
        for (name, want) in [
            ("Amira Khalil", "AK"),
            ("Anna Maria von Berg", "AB"),
            ("amira.khalil@example.com", "AK"),
            ("bob@example.com", "B"),
            ("Ops", "O"),
            ("+49 30 5550142", ""),
            ("", ""),
            ("Émile Østergård", "ÉØ"),
        ] {
            assert_eq!(initials(name), want, "{name}");
        }
    }
}
